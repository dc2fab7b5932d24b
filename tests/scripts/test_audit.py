"""`python -m scripts.audit` and `make_profile`: one document, tables to go on with, errors in one line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from fer_core.data.profiles import load_profile
from fer_core.data.table import FaceDataset
from tests import factories

ROOT = Path(__file__).resolve().parents[2]
PROMISED = {
    "rows": int,
    "exact_duplicates": {"groups", "extra_rows", "conflicting_groups", "conflicting_rows"},
    "near_duplicates": {"groups", "extra_rows"},
    "leakage": {"PublicTest", "PrivateTest"},
    "constant_images": int,
    "outliers": int,
    "seconds": float,
}


def call(command: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", f"scripts.{command}", *map(str, arguments)]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)


def test_json_is_one_document_with_the_promised_keys(prepared: Path, dataset: FaceDataset) -> None:
    done = call("audit", prepared, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    for key, promise in PROMISED.items():
        if isinstance(promise, type):
            assert isinstance(document[key], promise)
        else:
            assert promise <= set(document[key])
    assert document["rows"] == len(dataset)
    assert done.stdout.count("\n") == 1


def test_people_get_a_table_and_a_folder_to_go_on_with(prepared: Path, dataset: FaceDataset, tmp_path: Path) -> None:
    out = tmp_path / "new" / "audit"
    done = call("audit", prepared, "--out", out)
    assert done.returncode == 0, done.stderr
    assert all(word in done.stdout for word in ("angry", "PrivateTest", "exact duplicates", "FER+ voters", str(out)))
    assert sorted(path.name for path in out.iterdir()) == [
        "audit.json",
        "faces.csv",
        "near_pairs.csv",
        "vote_doubts.csv",
    ]
    faces = pd.read_csv(out / "faces.csv")
    assert faces["row"].tolist() == dataset.table["row"].tolist()
    assert {"pixel_hash", "near_group", "outlier_score", "outlier_reason"} <= set(faces)
    assert json.loads((out / "audit.json").read_text())["rows"] == len(dataset)


def test_a_raw_source_and_a_checkpoint_s_answers(
    dataset: FaceDataset, tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FER_CACHE", str(tmp_path / "cache"))
    source = factories.write_csv(dataset, tmp_path / "fer2013.csv")
    done = call("audit", source, "--predictions", tiny_checkpoint, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert 0 <= document["model_doubts"] <= len(dataset)
    assert "vote_doubts" not in document


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "nowhere"),
        (["{prepared}", "--predictions", "vgg_sr_none"], "no checkpoint"),
        (["{prepared}", "--out", "README.md"], "wants a folder"),
    ],
)
def test_errors_are_one_line(arguments: list[str], words: str, prepared: Path) -> None:
    done = call("audit", *(part.format(prepared=prepared) for part in arguments))
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_profile_is_made_by_command(prepared: Path, dataset: FaceDataset, tmp_path: Path) -> None:
    done = call("make_profile", prepared, "--name", "drawn", "--out", tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"] == len(dataset)
    assert len(load_profile("drawn", folder=tmp_path).rows) == len(dataset)
