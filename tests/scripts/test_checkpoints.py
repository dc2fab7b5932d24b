"""scripts.checkpoints lists what ships, and the documents tell the same."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_core import artifacts
from fer_core.errors import CheckpointError, ConfigError
from fer_core.evaluation.predictions import save_predictions
from fer_core.labels import EMOTIONS
from scripts import _tables, checkpoints, document
from webapp.demo.models import offered_checkpoints

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


def answers(folder: Path, right: int) -> None:
    """Leaves predictions of ten faces of PrivateTest, of which the first `right` are read rightly."""
    scores = np.eye(len(EMOTIONS), dtype=np.float32)[[0] * right + [1] * (10 - right)]
    table = pd.DataFrame({"row": range(10), "split": "PrivateTest", "label": 0})
    save_predictions(folder, table.assign(**{f"p_{name}": scores[:, place] for place, name in enumerate(EMOTIONS)}))


def test_each_is_compared_with_one_on_the_same_faces(shipped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers(shipped / "tiny", 4)
    answers(shipped / "fresh", 9)
    checkpoints.checkpoints(against="tiny", as_json=True)
    rows = {row["name"]: row["compared"] for row in json.loads(capsys.readouterr().out)}
    assert rows["tiny"] is None
    found = rows["fresh"]
    assert (found["against"], found["split"], found["n"]) == ("tiny", "PrivateTest", 10)
    assert (found["only_first"], found["only_second"]) == (5, 0)
    assert found["difference"] == pytest.approx(0.5)
    assert found["p_value"] == pytest.approx(2 / 2**5)
    checkpoints.checkpoints(against=str(shipped / "tiny"))
    lines = capsys.readouterr().out.splitlines()
    assert "+50.0 points to tiny on 10 faces of PrivateTest (95 % interval " in lines[0]
    assert "points to" not in lines[1]


def test_without_predictions_nothing_is_compared(shipped: Path) -> None:
    with pytest.raises(CheckpointError, match="carries no predictions"):
        checkpoints.checkpoints(against="tiny")
    answers(shipped / "tiny", 4)
    with pytest.raises(ConfigError, match="no predictions of 'Training' ship; there are those of PublicTest and"):
        checkpoints.checkpoints(against="tiny", split="Training")


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
    assert cells[2] == "FER2013's labels"
    assert cells[3:5] == ["70.1 % (68.6 to 71.6)"] * 2
    assert cells[5] == "68.4 % (66.8 to 70.0)"
    assert cells[6:8] == ["0.679", "0.021"]
    assert cells[10:] == ["-", "PublicTest macro F1"]  # its speed was not measured
    assert lines[3].startswith("| `fresh` |")


def test_public_test_orders_the_rows(shipped: Path) -> None:
    better = {"PublicTest": EVALUATION | {"accuracy": 0.71}, "PrivateTest": EVALUATION | {"accuracy": 0.2}}
    artifacts.update_card(shipped / "fresh", metrics=better)
    assert _tables.results_table().splitlines()[2].startswith("| `fresh` |")
    assert [folder.name for folder in offered_checkpoints(artifacts.DEFAULT_CHECKPOINT)] == ["fresh", "tiny"]
    assert [folder.name for folder in offered_checkpoints("tiny")] == ["tiny", "fresh"]


def test_the_time_of_a_run_that_does_not_ship_is_told_after_what_began_with_it(shipped: Path) -> None:
    begun = {"seconds": 600.0, "init": {"checkpoint": "long_run", "seconds": 7200.0}}
    artifacts.update_card(shipped / "tiny", training=begun)
    assert "| 10 min, after `long_run`'s 120 |" in _tables.checkpoint_page()


def test_the_speed_of_other_weights_is_not_told(shipped: Path) -> None:
    artifacts.save_record(shipped / "tiny", artifacts.SPEED, {"median_ms": 1.26, "processor": "A quick one"})
    assert "| 1.3 | PublicTest macro F1 |" in _tables.results_table()
    assert "on one core of A quick one (" in _tables.checkpoint_page()
    artifacts.update_card(shipped / "tiny", weights_sha256="of others")
    assert "1.3" not in _tables.results_table().splitlines()[2]


def test_labels_and_time_of_an_ensemble_are_those_of_its_members(shipped: Path) -> None:
    shutil.copytree(shipped / "tiny", shipped / "both")
    members = [{"name": name, "folder": "", "weights_sha256": ""} for name in ("tiny", "fresh")]
    artifacts.update_card(shipped / "both", name="both", kind="ensemble", members=members, training={"seconds": 60})
    artifacts.update_card(shipped / "fresh", training=TRAINING | {"labels": "FER2013 labels and FER+ votes"})
    line = next(line for line in _tables.checkpoint_page().splitlines() if line.startswith("| `both`"))
    assert "| FER2013's labels; FER2013, FER+ votes |" in line
    assert line.endswith("| 181 min with its members |")


def test_time_of_a_training_that_began_with_weights_names_theirs(shipped: Path) -> None:
    begun = TRAINING | {"seconds": 600, "init": {"checkpoint": "tiny"}}
    artifacts.update_card(shipped / "fresh", training=begun)
    line = next(line for line in _tables.checkpoint_page().splitlines() if line.startswith("| `fresh`"))
    assert "| FER2013's labels, after `tiny` |" in line
    assert line.endswith("| 10 min, after `tiny`'s 90 |")
    artifacts.update_card(shipped / "fresh", training=begun | {"init": {"checkpoint": "/runs/gone"}})
    assert "| 10 min |" in _tables.checkpoint_page()


def test_runs_that_differ_in_their_seed_alone_are_told_together(shipped: Path) -> None:
    def ship(name: str, accuracy: float, **config: object) -> None:
        if not (shipped / name).is_dir():
            shutil.copytree(shipped / "tiny", shipped / name)
        training = TRAINING | {"config": {"model": "vgg_se", "epochs": 2, **config}}
        training |= {"devices": 1} if name == "third" else {}
        metrics = dict.fromkeys(("PublicTest", "PrivateTest"), EVALUATION | {"accuracy": accuracy})
        artifacts.update_card(shipped / name, name=name, training=training, metrics=metrics)

    ship("tiny", 0.70, seed=0)
    ship("second", 0.71, seed=1, label_smoothing=0.1)  # the default, told by a card that is younger
    assert _tables.seeds_table() == "No recipe ships with three seeds."
    ship("third", 0.72, seed=2)
    ship("longer", 0.9, seed=3, epochs=3)
    lines = _tables.seeds_table().splitlines()
    names, accuracy = "`tiny`, `second`, `third`", "71.0 ± 1.0 %"
    told = f"| {names} | 0, 1, 2 | ?, ?, 1 | {accuracy} | {accuracy} | - | 0.679 ± 0.000 | 0.021 ± 0.000 |"
    assert lines[2:] == [told]
    assert told in _tables.checkpoint_page()


def test_runs_that_go_on_from_runs_of_other_seeds_are_told_together(shipped: Path) -> None:
    def ship(seed: int, epochs: int = 2) -> None:
        name = f"second_stage_{seed}"
        shutil.copytree(shipped / "tiny", shipped / name)
        begun = {"checkpoint": f"first_{seed}", "config": {"model": "vgg_se", "epochs": epochs, "seed": seed}}
        told = {"model": "vgg_se", "epochs": 1, "seed": 10 + seed, "init": f"runs/first_{seed}"}
        artifacts.update_card(shipped / name, name=name, training=TRAINING | {"config": told, "init": begun})

    ship(0)
    ship(1)
    ship(2, epochs=3)
    assert _tables.seeds_table() == "No recipe ships with three seeds."
    ship(3)
    names = "`second_stage_0`, `second_stage_1`, `second_stage_3`"
    assert [line.split(" | ")[:2] for line in _tables.seeds_table().splitlines()[2:]] == [[f"| {names}", "10, 11, 13"]]


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
    with pytest.raises(ConfigError, match=r"no table 'modells'; there are .*results, seeds, protocols, models"):
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
