"""FER2013 and FER+ themselves: every count that is published; and what preparing them, or as many drawings, costs."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fer_core.data import ferplus, store
from fer_core.data.drawn import drawn_dataset
from fer_core.data.readers import read_source
from fer_core.data.table import FaceDataset, counts
from fer_core.labels import EMOTIONS, VOTE_COLUMNS
from tests import factories

ROOT = Path(__file__).resolve().parents[3]

PUBLISHED = {
    "Training": (3995, 436, 4097, 7215, 4830, 3171, 4965),
    "PublicTest": (467, 56, 496, 895, 653, 415, 607),
    "PrivateTest": (491, 55, 528, 879, 594, 416, 626),
}
FER2013_ROWS = 35_887

MEASURED = """
import json, resource, sys
from pathlib import Path
import pandas, pyarrow.parquet
from fer_core.data import prepare, store

def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime

source, out = Path(sys.argv[1]), Path(sys.argv[2])
start = cpu()
rows = prepare.prepare(source, out).rows
prepared = cpu()
store.load(out)
opened = cpu()
# not ru_maxrss, which counts the memory of the process that started this one, too
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
peak = int(status["VmHWM"].split()[0]) * 1024
print(json.dumps({"rows": rows, "prepare": prepared - start, "open": opened - prepared, "peak": peak}))
"""


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn faces in a file of FER2013's size, gzipped."""
    part = factories.csv_text(drawn_dataset(4, seed=1)).splitlines(keepends=True)
    rows = part[1:] * (FER2013_ROWS // len(part[1:]) + 1)
    path = tmp_path_factory.mktemp("big") / "fer2013.csv.gz"
    with gzip.open(path, "wt", compresslevel=1) as file:
        file.writelines([part[0], *rows[:FER2013_ROWS]])
    return path


@pytest.fixture(scope="module")
def drawn_plain(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, unpacked."""
    return unpacked(drawn, tmp_path_factory.mktemp("drawn_plain"))


@pytest.fixture(scope="module")
def real_plain(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """FER2013, unpacked."""
    return unpacked(real_data, tmp_path_factory.mktemp("real_plain"))


def unpacked(source: Path, folder: Path) -> Path:
    """A gzipped file's content as `fer2013.csv` in a folder."""
    path = folder / "fer2013.csv"
    with gzip.open(source, "rb") as packed, path.open("wb") as file:
        shutil.copyfileobj(packed, file, 1 << 22)
    return path


def test_faces_per_split_and_emotion_are_the_published_ones(real_dataset: FaceDataset) -> None:
    assert {split: tuple(faces.values()) for split, faces in counts(real_dataset.table).items()} == PUBLISHED
    assert real_dataset.table["row"].tolist() == list(range(FER2013_ROWS))
    assert real_dataset.table["split"].is_monotonic_decreasing  # Training, PublicTest, PrivateTest, as Kaggle has them


def test_pixels_are_those_of_the_text(real_data: Path, real_dataset: FaceDataset) -> None:
    with gzip.open(real_data, "rt") as file:
        next(file)
        for number, line in zip(range(1500), file, strict=False):
            values = np.array(line.split(",")[1].split(), int)
            assert np.array_equal(real_dataset.pixels[number].ravel(), values)


def test_votes_belong_to_the_rows(real_data: Path, real_dataset: FaceDataset) -> None:
    votes = real_dataset.table[list(VOTE_COLUMNS)].to_numpy()
    agreed = votes[:, : len(EMOTIONS)].argmax(axis=1) == real_dataset.labels
    assert agreed.mean() > 0.6  # the two labellings agree on most faces; a shift by one row leaves about a sixth
    shifted = votes[:, : len(EMOTIONS)].argmax(axis=1)[:-1] == real_dataset.labels[1:]
    assert shifted.mean() < 0.4
    read = ferplus.read_votes(real_data.with_name("fer2013new.csv"))
    assert len(read) == len(votes) == FER2013_ROWS
    assert int((~read.named).sum()) == 173
    assert read.rejected == ()
    assert real_dataset.table.loc[0, "votes_neutral"] == 4
    assert real_dataset.table.loc[0, "votes_angry"] == 3
    assert (real_dataset.table.loc[~read.named, "votes_not_a_face"] == 10).all()


@pytest.mark.parametrize(
    ("kind", "seconds"), [("drawn", 15.0), ("drawn_plain", 12.0), ("real_data", 15.0), ("real_plain", 12.0)]
)
def test_preparing_costs_little_time_and_memory(
    kind: str, seconds: float, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Processor seconds, for other work may run beside this; two idle cores need 6 s and 4 s of wall clock at most."""
    path: Path = request.getfixturevalue(kind)
    command = [sys.executable, "-c", MEASURED, str(path), str(tmp_path / "out")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    measured = json.loads(done.stdout)
    assert measured["rows"] == FER2013_ROWS
    assert measured["prepare"] < seconds
    assert measured["open"] < 0.5
    assert measured["peak"] < 1.5e9
    assert store.read_manifest(tmp_path / "out")["rows"] == FER2013_ROWS


@pytest.mark.parametrize("kind", ["drawn", "real_data"])
def test_a_cut_off_download_is_named_by_the_row_where_it_ends(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    source: Path = request.getfixturevalue(kind)
    cut = tmp_path / "fer2013.csv.gz"
    with source.open("rb") as file:
        cut.write_bytes(file.read(source.stat().st_size // 40))
    result = read_source(cut)
    (rejection,) = result.rejected
    assert "cut off" in rejection.reason
    assert rejection.row == len(result.dataset) > 100
