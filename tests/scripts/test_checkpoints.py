"""scripts.checkpoints lists what ships, and the documents tell the same."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from fer_core import artifacts
from fer_core.errors import ConfigError
from scripts import _tables, checkpoints, document

EVALUATION = {
    "n": 3589,
    "accuracy": 0.7012,
    "accuracy_interval": [0.686, 0.7159],
    "macro_f1": 0.6789,
    "ece": 0.0213,
    "per_class": {},
}
TRAINING = {
    "labels": "FER2013's labels",
    "plan": "32, contiguous, eager",
    "device": "CPU",
    "epochs": 2,
    "images_seen": 57344,
    "seconds": 5400,
    "images_per_second": 10.6,
    "seed": 0,
}


@pytest.fixture
def shipped(tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkpoints folder with an evaluated and a fresh checkpoint."""
    monkeypatch.setattr(artifacts, "CHECKPOINTS", tmp_path)
    for name in ("tiny", "fresh"):
        shutil.copytree(tiny_checkpoint, tmp_path / name)
    known = {"training": TRAINING, "data": {"faces": 28709}}
    without_twins = EVALUATION | {"n": 3301, "accuracy": 0.684, "accuracy_interval": [0.6679, 0.6997]}
    metrics = dict.fromkeys(("PublicTest", "PrivateTest"), EVALUATION) | {"PrivateTest deduplicated": without_twins}
    artifacts.update_card(tmp_path / "tiny", metrics=metrics, **known)
    artifacts.update_card(tmp_path / "fresh", name="fresh", **known)
    return tmp_path


@pytest.mark.usefixtures("shipped")
def test_every_checkpoint_is_listed_with_its_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    checkpoints.checkpoints(as_json=True)
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(rows) == {"tiny", "fresh"}
    assert rows["tiny"]["model"] == "vgg_se"
    assert rows["tiny"]["metrics"]["PrivateTest"]["accuracy"] == 0.7012
    assert rows["fresh"]["metrics"] == {}


@pytest.mark.usefixtures("shipped")
def test_people_get_a_line_a_checkpoint(capsys: pytest.CaptureFixture[str]) -> None:
    checkpoints.checkpoints()
    output = capsys.readouterr().out
    assert "70.1% on PrivateTest" in output
    assert "not evaluated" in output


def test_an_empty_folder_says_how_to_fill_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(artifacts, "CHECKPOINTS", tmp_path)
    checkpoints.checkpoints()
    assert "scripts.train" in capsys.readouterr().out


@pytest.mark.usefixtures("shipped")
def test_the_best_checkpoint_heads_the_table_with_its_interval() -> None:
    lines = _tables.results_table().splitlines()
    cells = [cell.strip() for cell in lines[2].strip("|").split("|")]
    assert cells[0] == "`tiny`"
    assert cells[1] == "FER2013"
    assert cells[2] == "70.1 % (68.6 to 71.6)"
    assert cells[3] == "68.4 % (66.8 to 70.0)"
    assert cells[4:6] == ["0.679", "0.021"]
    assert cells[8] == "PublicTest macro F1"
    assert lines[3].startswith("| `fresh` |")


@pytest.mark.usefixtures("shipped")
def test_the_checkpoint_page_adds_where_and_how_long() -> None:
    assert "| CPU | 90 min |" in _tables.checkpoint_page()


def test_every_checkpoint_has_a_page_of_its_own(shipped: Path) -> None:
    pages = document.pages()
    assert pages[shipped / "tiny" / "README.md"].startswith("# tiny\n")
    assert shipped / "fresh" / "README.md" in pages


def test_a_table_is_replaced_between_its_markers_only() -> None:
    text = "before\n<!-- table: models -->\nold\n<!-- end of table -->\nafter\n"
    fresh = _tables.with_tables(text)
    assert fresh.startswith("before\n<!-- table: models -->\n\n| model |")
    assert fresh.endswith("<!-- end of table -->\nafter\n")
    assert "old" not in fresh
    assert _tables.with_tables(fresh) == fresh


def test_an_unknown_table_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"no table 'modells'; there are .*results, protocols, models"):
        _tables.with_tables("<!-- table: modells -->\n<!-- end of table -->\n")


def test_check_fails_on_a_stale_page_and_leaves_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(document, "ROOT", tmp_path)
    monkeypatch.setattr(artifacts, "CHECKPOINTS", tmp_path / "checkpoints")
    (tmp_path / "README.md").write_text("<!-- table: models -->\n<!-- end of table -->\n")
    with pytest.raises(SystemExit) as end:
        document.document(check=True)
    assert end.value.code == document.STALE
    assert (
        "README.md, checkpoints/README.md, checkpoints/leaderboard/README.md no longer fit" in capsys.readouterr().err
    )
    assert "vgg_se" not in (tmp_path / "README.md").read_text()
    document.document()
    assert "`vgg_se`" in (tmp_path / "README.md").read_text()
    document.document(check=True)
    assert "up to date" in capsys.readouterr().out
