"""From a raw source to a prepared dataset: all of it or nothing, and only once."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from fer_core.data import prepare as module
from fer_core.data import store
from fer_core.data.prepare import open_or_prepare, prepare
from fer_core.data.table import FaceDataset
from fer_core.errors import DataError, FormatError, RowsError
from fer_core.labels import EMOTIONS, SPLITS
from tests import factories


@pytest.fixture
def source(dataset: FaceDataset, tmp_path: Path) -> Path:
    return factories.write_csv(dataset, tmp_path / "fer2013.csv")


@pytest.fixture
def broken(dataset: FaceDataset, tmp_path: Path) -> Path:
    """Rows 1 to 5 have unknown labels."""
    lines = factories.csv_text(dataset).splitlines()
    for row in range(1, 6):
        lines[row + 1] = f"9{lines[row + 1][1:]}"
    path = tmp_path / "broken.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_report_says_what_was_prepared(dataset: FaceDataset, source: Path, tmp_path: Path) -> None:
    votes = factories.write_votes(dataset, tmp_path / "votes.csv")
    report = prepare(source, tmp_path / "out", ferplus=votes)
    assert report.rows == len(dataset)
    assert report.splits == {split: dict.fromkeys(EMOTIONS, 4) for split in SPLITS}
    assert (report.source_format, report.has_votes, report.rejected) == ("kaggle_csv", True, ())
    assert report.fingerprint == store.fingerprint(dataset.table, dataset.pixels)
    assert {"rows", "splits", "source_format", "seconds", "rejected"} <= set(report.to_dict())
    assert store.load(tmp_path / "out").has_votes


def test_the_same_faces_have_the_same_fingerprint_whatever_their_form(
    dataset: FaceDataset, source: Path, tmp_path: Path
) -> None:
    folder = factories.write_kaggle_folders(dataset, tmp_path / "faces")
    first, second = prepare(source, tmp_path / "a"), prepare(folder, tmp_path / "b")
    assert first.fingerprint == second.fingerprint


def test_broken_rows_are_refused_with_a_word_on_how_to_mend_them(
    broken: Path, source: Path, dataset: FaceDataset, tmp_path: Path
) -> None:
    prepare(source, tmp_path / "out")
    with pytest.raises(
        RowsError, match=r"^5 of 84 rows cannot be used \(row 1: .*; and 2 more\).*--skip-broken"
    ) as caught:
        prepare(broken, tmp_path / "out")
    assert [rejection.row for rejection in caught.value.rejected] == [1, 2, 3, 4, 5]
    assert np.array_equal(store.load(tmp_path / "out").pixels, dataset.pixels)
    with pytest.raises(RowsError):
        prepare(broken, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_broken_rows_can_be_left_out(broken: Path, dataset: FaceDataset, tmp_path: Path) -> None:
    report = prepare(broken, tmp_path / "out", skip_broken=True)
    assert report.rows == len(dataset) - 5
    assert [entry["row"] for entry in report.to_dict()["rejected"]] == [1, 2, 3, 4, 5]
    assert store.load(tmp_path / "out").table["row"].tolist() == [0, *range(6, len(dataset))]


def test_nothing_but_broken_rows_is_refused_all_the_same(tmp_path: Path) -> None:
    source = tmp_path / "fer.csv"
    source.write_text("emotion,pixels,Usage\n9,1 2 3,Training\n")
    with pytest.raises(RowsError, match="no row is left"):
        prepare(source, tmp_path / "out", skip_broken=True)


def test_a_bad_place_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "holiday.jpg").write_bytes(b"x")
    with pytest.raises(DataError, match="holds other files"):
        prepare(tmp_path / "nowhere.csv", tmp_path / "full")


def test_a_prepared_folder_is_opened_as_it_is(prepared: Path, dataset: FaceDataset, cache: Path) -> None:
    assert np.array_equal(open_or_prepare(prepared).pixels, dataset.pixels)
    assert not cache.exists()


def test_a_raw_source_is_prepared_once(
    source: Path, dataset: FaceDataset, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = open_or_prepare(source)
    assert np.array_equal(first.pixels, dataset.pixels)

    def refuse(*args: object, **options: object) -> None:
        raise AssertionError("it was prepared before")

    monkeypatch.setattr(module, "prepare", refuse)
    assert open_or_prepare(source).fingerprint == first.fingerprint
    assert len(list(cache.iterdir())) == 1


def test_a_source_that_changed_is_prepared_anew(source: Path, dataset: FaceDataset, cache: Path) -> None:
    open_or_prepare(source)
    factories.write_csv(dataset.split("Training"), source)
    assert len(open_or_prepare(source)) == 28
    stat = source.stat()
    source.write_text(source.read_text().replace("\n0,", "\n1,"))
    os.utime(source, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert set(open_or_prepare(source).labels) == {1, 2, 3, 4, 5, 6}
    assert len(list(cache.iterdir())) == 1


def test_a_folder_of_pictures_is_prepared_on_the_way(dataset: FaceDataset, tmp_path: Path) -> None:
    folder = factories.write_kaggle_folders(dataset, tmp_path / "faces")
    assert len(open_or_prepare(folder)) == len(dataset)
    next(folder.rglob("*.png")).unlink()
    assert len(open_or_prepare(folder)) == len(dataset) - 1


def test_a_source_that_is_not_there_leaves_no_trace(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(FormatError, match="does not exist"):
        open_or_prepare(tmp_path / "nowhere")
    assert not cache.exists()


def test_the_cache_is_the_users_own_unless_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("FER_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    assert module.cache_folder() == tmp_path / "fer"
