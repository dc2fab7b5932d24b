"""`python -m scripts.prepare_data`: one JSON document, one line of error, a table for people."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fer_core.data import store
from fer_core.data.table import FaceDataset
from fer_core.labels import EMOTIONS, SPLITS
from tests import factories

ROOT = Path(__file__).resolve().parents[2]


def call(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scripts.prepare_data", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture
def source(dataset: FaceDataset, tmp_path: Path) -> Path:
    return factories.write_csv(dataset, tmp_path / "fer2013.csv.gz")


def test_json_is_one_document_with_the_promised_keys(dataset: FaceDataset, source: Path, tmp_path: Path) -> None:
    votes = factories.write_votes(dataset, tmp_path / "fer2013new.csv")
    done = call(source, "--ferplus", votes, "--out", tmp_path / "out", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["rows"] == len(dataset)
    assert document["splits"] == {split: dict.fromkeys(EMOTIONS, 4) for split in SPLITS}
    assert document["source_format"] == "kaggle_csv"
    assert document["seconds"] > 0
    assert document["rejected"] == []
    assert store.load(tmp_path / "out").has_votes


def test_people_get_a_table(source: Path, tmp_path: Path) -> None:
    done = call(source, "--out", tmp_path / "out")
    assert done.returncode == 0
    assert "84 faces from kaggle_csv" in done.stdout
    assert [line.split() for line in done.stdout.splitlines() if line.startswith("happy")] == [["happy", "4", "4", "4"]]
    assert done.stderr == ""


def test_broken_rows_are_one_line_of_error_and_all_of_them_in_json(source: Path, tmp_path: Path) -> None:
    raw = tmp_path / "broken.csv"
    raw.write_text("emotion,pixels,Usage\n" + "0,1 2 3,Training\n" * 7 + "0," + "1 " * 2304 + ",Training\n")
    done = call(raw, "--out", tmp_path / "out", "--json")
    assert done.returncode == 2
    assert [entry["row"] for entry in json.loads(done.stdout)["rejected"]] == list(range(7))
    assert "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if "error:" in line]
    assert len(errors) == 1
    assert "7 of 8 rows cannot be used (row 0: 3 pixel values instead of 2304" in errors[0]
    assert not (tmp_path / "out").exists()

    skipped = call(raw, "--out", tmp_path / "out", "--json", "--skip-broken")
    assert skipped.returncode == 0
    assert json.loads(skipped.stdout)["rows"] == 1
    assert len(json.loads(skipped.stdout)["rejected"]) == 7


def test_a_file_in_no_form_is_one_line_of_error(tmp_path: Path) -> None:
    raw = tmp_path / "notes.csv"
    raw.write_text("a,b\n1,2\n")
    done = call(raw, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith("error: notes.csv is in no form that is known")
    assert "Traceback" not in done.stderr
