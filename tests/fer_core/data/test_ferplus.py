"""FER+ votes: joined by row, checked against the source, broken ones named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fer_core.data import ferplus
from fer_core.data.ferplus import VOTE_ORDER, read_votes
from fer_core.data.readers import read_source
from fer_core.data.table import FaceDataset
from fer_core.errors import DataError, FormatError
from fer_core.labels import FERPLUS_EMOTIONS, VOTE_COLUMNS
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
    assert ferplus.plurality_label(votes).tolist() == [3, -1, -1, 7, 2]


def test_a_plurality_is_not_the_papers_majority() -> None:
    votes = np.zeros((2, 10), int)
    votes[:, ferplus.VOTE_ORDER.index("sadness")] = 4, 6
    votes[:, [ferplus.VOTE_ORDER.index(name) for name in ("anger", "fear")]] = [[3, 3], [2, 2]]
    ordered = np.stack(list(ferplus.vote_columns(votes).values()), axis=1)
    assert (ferplus.plurality_label(votes) == FERPLUS_EMOTIONS.index("sad")).all()
    assert ferplus.vote_targets(ordered, "majority").sum(axis=1).tolist() == [0, 1]


def _votes(**counts: int) -> list[int]:
    """A face's votes in the project's order."""
    return [counts.get(column.removeprefix("votes_"), 0) for column in VOTE_COLUMNS]


def _target(scheme: str, **counts: int) -> dict[str, float]:
    """{emotion: target} where the target is not 0."""
    (row,) = ferplus.vote_targets(np.array([_votes(**counts)]), scheme)
    return {name: pytest.approx(float(share)) for name, share in zip(FERPLUS_EMOTIONS, row, strict=True) if share}


@pytest.mark.parametrize(
    ("counts", "majority", "multi_label", "soft"),
    [
        ({"happy": 6, "neutral": 4}, {"happy": 1}, {"happy": 1, "neutral": 1}, {"happy": 0.6, "neutral": 0.4}),
        # single votes are noise: the eight that are left count
        ({"sad": 8, "fear": 1, "angry": 1}, {"sad": 1}, {"sad": 1}, {"sad": 1}),
        # a tie is no majority; the softer schemes keep both
        ({"angry": 5, "disgust": 5}, {}, {"angry": 1, "disgust": 1}, {"angry": 0.5, "disgust": 0.5}),
        # less than 30 % of the votes is no label of its own, and too few for the other
        ({"fear": 5, "surprise": 2, "sad": 3}, {}, {"fear": 1, "sad": 1}, {"fear": 0.625, "sad": 0.375}),
        # four that share the lead are too many
        ({"fear": 2, "surprise": 2, "sad": 2, "angry": 2}, {}, {}, {}),
        # nobody knows, or it is no face
        ({"unknown": 6, "happy": 4}, {}, {}, {}),
        ({"happy": 5, "unknown": 5}, {}, {"happy": 1}, {}),
        ({"not_a_face": 10}, {}, {}, {}),
        # "unknown" ends the walk before the third emotion
        ({"happy": 6, "unknown": 2, "sad": 2}, {"happy": 1}, {"happy": 1}, {"happy": 0.75, "sad": 0.25}),
        ({"happy": 5, "unknown": 3, "sad": 2}, {}, {"happy": 1}, {}),
        ({}, {}, {}, {}),
    ],
)
def test_targets_by_scheme(
    counts: dict[str, int], majority: dict[str, float], multi_label: dict[str, float], soft: dict[str, float]
) -> None:
    assert _target("majority", **counts) == majority
    assert _target("multi_label", **counts) == multi_label
    assert _target("soft", **counts) == soft


def test_relabelled_faces_are_those_that_ferplus_keeps(dataset: FaceDataset) -> None:
    votes = np.tile(_votes(happy=10), (len(dataset), 1))
    votes[0], votes[1], votes[2] = _votes(contempt=9), _votes(angry=5, sad=5), _votes(not_a_face=10)
    voted = replace(dataset, table=dataset.table.assign(**dict(zip(VOTE_COLUMNS, votes.T, strict=True))))
    relabelled = ferplus.as_ferplus(voted)
    assert relabelled.table["row"].tolist() == [0, *range(3, len(dataset))]
    assert relabelled.labels.tolist() == [7] + [3] * (len(dataset) - 3)
    assert (relabelled.pixels == dataset.pixels[relabelled.table["row"]]).all()
    assert len(ferplus.as_ferplus(voted, "soft")) == len(dataset) - 1
    assert voted.labels.tolist() == dataset.labels.tolist()


def test_relabelling_needs_votes_that_decide(dataset: FaceDataset) -> None:
    with pytest.raises(DataError, match="no FER\\+ votes; prepare it again"):
        ferplus.as_ferplus(FaceDataset(dataset.table[["row", "split", "label"]], dataset.pixels))
    undecided = dict.fromkeys(VOTE_COLUMNS, 1)
    with pytest.raises(DataError, match="no face has FER\\+ votes that agree"):
        ferplus.as_ferplus(replace(dataset, table=dataset.table.assign(**undecided)))


def test_a_folder_of_other_files_is_told(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="holds 0 files; name FER"):
        read_votes(tmp_path)
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("a,b\n")
    with pytest.raises(FormatError, match="holds 2 files; name FER"):
        read_votes(tmp_path)


def test_the_right_file_of_a_folder_is_taken(dataset: FaceDataset, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n")
    factories.write_votes(dataset, tmp_path / "fer2013new.csv")
    assert len(read_votes(tmp_path)) == len(dataset)


def test_a_quote_that_never_ends_is_told(tmp_path: Path) -> None:
    header = ",".join(("Usage", "Image name", *VOTE_ORDER))
    (tmp_path / "votes.csv").write_text(header + '\nTraining,"' + "x" * 200_000)
    with pytest.raises(FormatError, match="line 2"):
        read_votes(tmp_path / "votes.csv")


def test_votes_are_not_joined_where_a_picture_has_no_number_of_its_own(dataset: FaceDataset, tmp_path: Path) -> None:
    votes = factories.write_votes(dataset, tmp_path / "fer2013new.csv")
    folder = tmp_path / "images"
    factories.write_row_folders(dataset, folder)
    pictures = sorted(folder.rglob("*.png"))
    number = pictures[3].stem
    twin = pictures[4].with_name(f"0 ({number}).png")
    pictures[4].rename(twin)
    with pytest.raises(FormatError, match="no row number of its own"):
        read_source(folder, ferplus=votes)
