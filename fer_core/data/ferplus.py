"""FER+: ten crowd votes a face, joined to the rows that they belong to.

Barsoum et al., "Training Deep Networks for Facial Expression Recognition with Crowd-Sourced Label Distribution"
(2016), https://arxiv.org/abs/1608.01041. Row i of `fer2013new.csv` belongs to row i of `fer2013.csv`. A blank
`Image name` marks a row that FER+ leaves out because it is no face; such rows keep their votes (ten for "not a face").

Votes become targets by one of the paper's schemes, as its published code applies them. A single vote for a class is
noise and struck out first. What is left decides:

- `majority`: the emotion with more than half of the votes. Two that share the lead never have that, so a tie, like
  any other lack of a majority, drops the face.
- `multi_label`: every emotion with at least 30 % of the votes; the face is dropped where the classes with so many have
  half of the votes or less between them. Tied emotions are all accepted.
- `soft`: the emotions from the most votes down, until they have 75 % of the votes or are three; tied emotions enter
  together, and "unknown" and "not a face" end the walk. The face is dropped where these emotions have half of the votes
  or less, or a tie makes them more than three. Targets are shares of the votes that entered. Label drawing uses the
  same shares.

No scheme keeps a face whose leading class is "unknown" or "not a face".
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

import numpy as np

from fer_core.data.source import open_source
from fer_core.data.table import FaceDataset
from fer_core.errors import DataError, FormatError, Rejection
from fer_core.labels import FERPLUS_COLUMNS, FERPLUS_EMOTIONS, UNLABELLED, VOTE_COLUMNS

if TYPE_CHECKING:  # the readers import this module
    from fer_core.data.readers._base import ReadResult

FILE_NAME: Final = "fer2013new.csv"
"""As FER+'s makers call it."""

VOTE_ORDER: Final = (
    "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF"
)  # fmt: skip
"""FER+'s columns in its own order."""

_PROJECT_ORDER: Final = [
    [f"votes_{FERPLUS_COLUMNS[name]}" for name in VOTE_ORDER].index(column) for column in VOTE_COLUMNS
]


@dataclass(frozen=True)
class Votes:
    """The content of `fer2013new.csv`.

    Attributes:
        votes: int64 (N, 10) in FER+'s order; zero where the row is broken.
        usage: the split of each row as the file says it, "" where it has no such column.
        named: bool (N,), whether FER+ gives the row an image name.
        rejected: the broken rows.
    """

    votes: np.ndarray
    usage: np.ndarray
    named: np.ndarray
    rejected: tuple[Rejection, ...]

    def __len__(self) -> int:
        return len(self.votes)


def parse_votes(cells: Sequence[str]) -> list[int]:
    """Ten cells -> ten counts.

    Raises:
        ValueError: there are not ten, or one is no whole number from 0 up.
    """
    if len(cells) != len(VOTE_ORDER):
        raise ValueError(f"{len(cells)} votes instead of {len(VOTE_ORDER)}")
    for name, cell in zip(VOTE_ORDER, cells, strict=True):
        text = cell.strip()
        if not (text.isascii() and text.isdecimal() and len(text) < 10):
            raise ValueError(f"the votes for {name} are {text[:20]!r}, not a whole number from 0 up")
    return [int(cell) for cell in cells]


def plurality_label(votes: np.ndarray) -> np.ndarray:
    """int64 (N, 10) in FER+'s order -> int64 (N,): the plurality, the emotion (0..7) of most votes.

    -1 where two emotions share the most, or "unknown" or "not a face" has more than any emotion: no label is better
    than a wrong one. Unlike the scheme `majority` (`--targets ferplus_majority`) it asks for no more than half of the
    votes, and strikes out no single ones: 4 of 10 votes are enough where no other emotion has as many.
    """
    ordered = votes[:, _PROJECT_ORDER]
    emotions, others = ordered[:, : len(FERPLUS_EMOTIONS)], ordered[:, len(FERPLUS_EMOTIONS) :]
    most = emotions.max(axis=1)
    clear = ((emotions == most[:, None]).sum(axis=1) == 1) & (most >= others.max(axis=1))
    return np.where(clear, emotions.argmax(axis=1), UNLABELLED).astype(np.int64)


NOISE, ACCEPTED, COVERED, MOST_EMOTIONS = 1, 0.3, 0.75, 3
"""Votes that count as noise; least share of an accepted label; share and number of emotions that a soft target has."""


def vote_targets(votes: np.ndarray, scheme: str = "majority") -> np.ndarray:
    """Votes as targets over the eight emotions (see the module's docstring for the schemes).

    Args:
        votes: int (N, 10) in the project's order (`VOTE_COLUMNS`).
        scheme: majority, multi_label or soft.

    Returns:
        float32 (N, 8): rows sum to 1, for `multi_label` each accepted emotion is 1; all 0 where the face is dropped.
    """
    rows, where = np.unique(votes, axis=0, return_inverse=True)
    rows = np.where(rows > NOISE, rows, 0)
    targets = np.array([_SCHEMES[scheme](row) for row in rows], np.float32).reshape(-1, len(FERPLUS_EMOTIONS))
    return targets[where.reshape(-1)]


def as_ferplus(dataset: FaceDataset, scheme: str = "majority") -> FaceDataset:
    """The faces that FER+ keeps, labelled 0..7 by their votes; of a soft or multi-label target the first of most votes.

    Raises:
        DataError: the dataset has no votes, or none that decide.
    """
    if not dataset.has_votes:
        raise DataError("the dataset has no FER+ votes; prepare it again with --ferplus fer2013new.csv")
    votes = dataset.table[list(VOTE_COLUMNS)].to_numpy()
    kept = vote_targets(votes, scheme).sum(axis=1) > 0
    if not kept.any():
        raise DataError("no face has FER+ votes that agree on an emotion")
    labels = votes[:, : len(FERPLUS_EMOTIONS)].argmax(axis=1)
    relabelled = replace(dataset, table=dataset.table.assign(label=labels.astype(np.int64)), fingerprint="")
    return relabelled.select(kept)


def _majority(votes: np.ndarray) -> np.ndarray:
    """int (10,) without noise -> (8,)."""
    return (votes > votes.sum() / 2)[: len(FERPLUS_EMOTIONS)].astype(float)


def _multi_label(votes: np.ndarray) -> np.ndarray:
    accepted = (votes >= ACCEPTED * votes.sum()) & (votes > 0)
    leads_to_emotion = votes.argmax() < len(FERPLUS_EMOTIONS)
    enough = votes[accepted].sum() > votes.sum() / 2
    return (accepted & leads_to_emotion & enough)[: len(FERPLUS_EMOTIONS)].astype(float)


def _soft(votes: np.ndarray) -> np.ndarray:
    emotions, others = votes[: len(FERPLUS_EMOTIONS)], votes[len(FERPLUS_EMOTIONS) :]
    taken = np.zeros(len(emotions), bool)
    for level in sorted(set(votes[votes > 0].tolist()), reverse=True):
        if emotions[taken].sum() >= COVERED * votes.sum() or taken.sum() >= MOST_EMOTIONS:
            break
        taken |= emotions == level
        if (others == level).any():
            break
    enough = 2 * emotions[taken].sum() > votes.sum() and taken.sum() <= MOST_EMOTIONS
    return np.where(taken & enough, emotions / max(1, emotions[taken].sum()), 0.0)


_SCHEMES: Final[dict[str, Callable[[np.ndarray], np.ndarray]]] = {
    "majority": _majority, "multi_label": _multi_label, "soft": _soft
}  # fmt: skip


def vote_columns(votes: np.ndarray) -> dict[str, np.ndarray]:
    """int64 (N, 10) in FER+'s order -> the face table's ten columns."""
    ordered = votes.reshape(-1, len(VOTE_ORDER))[:, _PROJECT_ORDER]
    return {column: ordered[:, index] for index, column in enumerate(VOTE_COLUMNS)}


def read_votes(path: Path) -> Votes:
    """Reads `fer2013new.csv`, plain or compressed.

    Raises:
        FormatError: it has another header, or no rows.
    """
    with open_source(path) as source:
        named = [name for name in source.members if PurePosixPath(name).name.lower() == FILE_NAME]
        members = named or source.members
        if len(members) != 1:
            raise FormatError(f"{path.name} holds {len(members)} files; name FER+'s {FILE_NAME} itself")
        text = b"".join(source.blocks(members[0])).decode("utf-8-sig", "replace")
    lines = csv.reader(text.splitlines())
    try:
        header = [name.strip().lower() for name in next(lines, [])]
        places = _places(header, path)
        rows = [cells for cells in lines if cells]
    except csv.Error as error:
        raise FormatError(
            f"{path.name} is no CSV file in line {lines.line_num} ({error}); get the file again"
        ) from None
    if not rows:
        raise FormatError(f"{path.name} has a header and no votes; get the file again")
    return _parse(rows, header, places)


def join(result: ReadResult, path: Path, *, numbered: str) -> ReadResult:
    """The faces with the votes of their rows; faces whose votes are broken are rejected.

    Args:
        result: what a reader gave.
        path: FER+'s `fer2013new.csv`.
        numbered: `Reader.numbered` of that reader.

    Raises:
        FormatError: votes and faces cannot belong together.
    """
    if result.dataset.has_votes:
        raise FormatError("the source carries its FER+ votes already; leave out --ferplus")
    votes = read_votes(path)
    _require_fit(result, votes, path.name, numbered)
    broken = {rejection.row for rejection in votes.rejected}
    good = ~result.dataset.table["row"].isin(broken).to_numpy()
    dataset = result.dataset.select(good) if broken else result.dataset
    table = dataset.table.assign(**vote_columns(votes.votes[dataset.table["row"].to_numpy()]))
    known = {rejection.row for rejection in result.rejected}
    rejected = result.rejected + tuple(r for r in votes.rejected if r.row not in known)
    return replace(result, dataset=replace(dataset, table=table), rejected=rejected)


def _places(header: list[str], path: Path) -> list[int]:
    """Where the ten vote columns stand, in FER+'s order."""
    missing = [name for name in VOTE_ORDER if name.lower() not in header]
    if missing:
        raise FormatError(
            f"{path.name} is no file of FER+ votes (no column {', '.join(missing[:3])}); "
            "give `fer2013new.csv`, whose first line is `Usage,Image name,neutral,happiness,...`"
        )
    return [header.index(name.lower()) for name in VOTE_ORDER]


def _parse(rows: list[list[str]], header: list[str], places: list[int]) -> Votes:
    votes = np.zeros((len(rows), len(VOTE_ORDER)), np.int64)
    rejected = []
    for number, cells in enumerate(rows):
        try:
            if len(cells) != len(header):
                raise ValueError(f"{len(cells)} columns instead of {len(header)}")
            votes[number] = parse_votes([cells[place] for place in places])
        except ValueError as error:
            rejected.append(Rejection(number, f"FER+ votes: {error}"))
    usage, names = _column(rows, header, "usage"), _column(rows, header, "image name")
    return Votes(votes, usage, names != "", tuple(rejected))


def _column(rows: list[list[str]], header: list[str], name: str) -> np.ndarray:
    """One column as an array of stripped strings; empty strings where it or a cell is missing."""
    place = header.index(name) if name in header else len(header)
    return np.array([cells[place].strip() if place < len(cells) else "" for cells in rows])


def _require_fit(result: ReadResult, votes: Votes, name: str, numbered: str) -> None:
    """Raises FormatError unless row i of the faces can be row i of the votes."""
    table = result.dataset.table
    if numbered == "none":
        raise FormatError(f"the rows of a {result.dataset.source_format} are not those of {name}; leave out --ferplus")
    if numbered == "name" and result.unnumbered:
        raise FormatError(
            f"{result.unnumbered} has no row number of its own in its name, so it cannot be told which row of {name} "
            "is whose; give every picture its number, or leave out --ferplus"
        )
    if numbered == "order" and result.total != len(votes):
        raise FormatError(
            f"{name} has {len(votes):,} rows and the source {result.total:,}: row i of the one belongs to row i "
            "of the other, so take both files whole"
        )
    if len(table) and int(table["row"].max()) >= len(votes):
        raise FormatError(f"the pictures' numbers go beyond the {len(votes):,} rows of {name}; leave out --ferplus")
    _require_same_splits(result, votes, name)


def _require_same_splits(result: ReadResult, votes: Votes, name: str) -> None:
    """Splits that differ betray another order; a copy that was split anew (`row_folders`) has its own."""
    table = result.dataset.table
    usage = votes.usage[table["row"].to_numpy()]
    differ = (usage != "") & (usage != table["split"].to_numpy(str))
    if result.dataset.source_format != "row_folders" and differ.any():
        first = int(np.flatnonzero(differ)[0])
        row, split = table["row"].iloc[first], table["split"].iloc[first]
        raise FormatError(
            f"row {row} is {split} in the source and {usage[first]} in {name}, so their orders differ; "
            "take the `fer2013.csv` that the votes were made for"
        )
