"""FER+ votes: joined by row, checked against the source, broken ones named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fer_core.data import ferplus
from fer_core.data.readers import read_source
from fer_core.data.table import FaceDataset
from fer_core.errors import FormatError
from fer_core.labels import VOTE_COLUMNS
from tests import factories


@pytest.fixture
def source(dataset: FaceDataset, tmp_path: Path) -> Path:
    return factories.write_csv(dataset, tmp_path / "fer2013.csv")


@pytest.fixture
def votes(dataset: FaceDataset, tmp_path: Path) -> Path:
    return factories.write_votes(dataset, tmp_path / "fer2013new.csv", nameless=[3, 8])


def _edit(path: Path, row: int, old: str, new: str) -> None:
    lines = path.read_text().splitlines()
    assert old in lines[row + 1]
    lines[row + 1] = lines[row + 1].replace(old, new, 1)
    path.write_text("\n".join(lines) + "\n")


def test_votes_are_joined_in_the_projects_order(dataset: FaceDataset, source: Path, votes: Path) -> None:
    joined = read_source(source, ferplus=votes).dataset
    assert joined.has_votes
    columns = list(VOTE_COLUMNS)
    assert joined.table[columns].to_numpy().tolist() == dataset.table[columns].to_numpy().tolist()
    assert (joined.labels == dataset.labels).all()


def test_compressed_votes_are_read(dataset: FaceDataset, source: Path, votes: Path) -> None:
    packed = factories.write_bytes(votes.read_bytes(), votes.with_suffix(".csv.gz"))
    assert read_source(source, ferplus=packed).dataset.has_votes


def test_rows_without_a_name_are_known(votes: Path) -> None:
    assert np.flatnonzero(~ferplus.read_votes(votes).named).tolist() == [3, 8]


def test_votes_follow_their_rows_past_broken_ones(dataset: FaceDataset, source: Path, votes: Path) -> None:
    lines = source.read_text().splitlines()
    lines[1] = "9" + lines[1][1:]
    source.write_text("\n".join(lines))
    joined = read_source(source, ferplus=votes)
    assert [rejection.row for rejection in joined.rejected] == [0]
    columns = list(VOTE_COLUMNS)
    assert joined.dataset.table[columns].to_numpy().tolist() == dataset.table[columns].to_numpy()[1:].tolist()


def test_pictures_are_joined_by_the_number_in_their_name(dataset: FaceDataset, votes: Path, tmp_path: Path) -> None:
    some = dataset.select(np.arange(len(dataset)) % 3 == 1)
    folder = factories.write_kaggle_folders(some, tmp_path / "faces")
    joined = read_source(folder, ferplus=votes).dataset
    columns = list(VOTE_COLUMNS)
    assert joined.table["row"].tolist() == some.table["row"].tolist()
    assert joined.table[columns].to_numpy().tolist() == some.table[columns].to_numpy().tolist()


@pytest.mark.parametrize("cell", ["-1", "1.5", "x", ""])
def test_a_broken_vote_is_named_and_its_row_left_out(
    cell: str, dataset: FaceDataset, source: Path, votes: Path
) -> None:
    lines = votes.read_text().splitlines()
    cells = lines[6].split(",")
    lines[6] = ",".join([*cells[:4], cell, *cells[5:]])
    votes.write_text("\n".join(lines) + "\n")
    joined = read_source(source, ferplus=votes)
    (rejection,) = joined.rejected
    assert rejection.row == 5
    assert f"surprise are {cell!r}" in rejection.reason
    assert len(joined.dataset) == len(dataset) - 1
    assert 5 not in joined.dataset.table["row"].tolist()


def test_a_vote_too_few_is_named(source: Path, votes: Path) -> None:
    lines = votes.read_text().splitlines()
    lines[2] = lines[2].rsplit(",", 1)[0]
    votes.write_text("\n".join(lines) + "\n")
    (rejection,) = read_source(source, ferplus=votes).rejected
    assert rejection.row == 1
    assert "11 columns instead of 12" in rejection.reason


def test_votes_of_another_length_are_refused(source: Path, votes: Path) -> None:
    votes.write_text("\n".join(votes.read_text().splitlines()[:-1]) + "\n")
    with pytest.raises(FormatError, match="has 83 rows and the source 84"):
        read_source(source, ferplus=votes)


def test_votes_in_another_order_are_refused(source: Path, votes: Path) -> None:
    lines = votes.read_text().splitlines()
    votes.write_text("\n".join([lines[0], *lines[:0:-1]]) + "\n")
    with pytest.raises(FormatError, match=r"row 0 is Training in the source and PrivateTest in fer2013new\.csv"):
        read_source(source, ferplus=votes)


def test_a_file_without_votes_is_refused(source: Path, votes: Path) -> None:
    with pytest.raises(FormatError, match="no file of FER\\+ votes"):
        read_source(source, ferplus=source)
    votes.write_text(votes.read_text().splitlines()[0] + "\n")
    with pytest.raises(FormatError, match="a header and no votes"):
        read_source(source, ferplus=votes)


def test_votes_that_cannot_belong_to_the_source_are_refused(dataset: FaceDataset, votes: Path, tmp_path: Path) -> None:
    folders = factories.write_ferplus_folders(dataset, tmp_path / "plus")
    with pytest.raises(FormatError, match="carries its FER\\+ votes already"):
        read_source(folders, ferplus=votes)
    test = factories.write_test_csv(dataset, tmp_path / "test.csv")
    with pytest.raises(FormatError, match="rows of a test_csv are not those"):
        read_source(test, ferplus=votes)
    far = factories.write_picture(dataset.pixels[0], tmp_path / "far" / "train" / "happy" / "Training_84.png")
    with pytest.raises(FormatError, match="beyond the 84 rows"):
        read_source(far.parents[2], ferplus=votes)


def test_the_majority_is_no_guess() -> None:
    order = {name: index for index, name in enumerate(ferplus.VOTE_ORDER)}

    def row(**counts: int) -> list[int]:
        return [counts.get(name, 0) for name in order]

    votes = np.array(
        [
            row(happiness=6, neutral=4),
            row(anger=5, disgust=5),
            row(NF=6, sadness=4),
            row(contempt=5, unknown=5),
            row(fear=2, surprise=1, unknown=1),
        ]
    )
    assert ferplus.majority_label(votes).tolist() == [3, -1, -1, 7, 2]
