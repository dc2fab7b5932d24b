"""FER+ as its own script writes it: `FER2013Train|Valid|Test/fer0000000.png`, each folder with a `label.csv` of votes.

The label is the plurality, the emotion of most votes (see `ferplus.plurality_label`). That is not the majority of
`--targets ferplus_majority`, which asks for more than half of them. All ten votes are kept, so that either can be had.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

import numpy as np

from fer_core.data.ferplus import parse_votes, plurality_label, vote_columns
from fer_core.data.readers._base import READERS, Reader, ReadOptions, ReadResult
from fer_core.data.readers._names import parts_of, split_of_part
from fer_core.data.readers._pictures import Picture, read_pictures
from fer_core.data.source import Source
from fer_core.errors import FormatError, Rejection

NAME = "ferplus_folders"
LABELS = "label.csv"


def _label_files(source: Source) -> list[str]:
    """The `label.csv` of each folder that is a split's."""
    return [name for name in source.members if _is_labels(parts_of(name))]


def _is_labels(parts: tuple[str, ...]) -> bool:
    return len(parts) > 1 and parts[-1].lower() == LABELS and split_of_part(parts[-2]) is not None


def _read(source: Source, options: ReadOptions) -> ReadResult:
    votes: dict[str, list[int]] = {}
    rejected: list[Rejection] = []
    members = set(source.members)
    for path in _label_files(source):
        for name, cells in _rows(source, path):
            try:
                if name in votes:
                    raise ValueError(f"{LABELS} lists it twice")
                if name not in members:
                    raise ValueError(f"{LABELS} lists it, but there is no such file")
                votes[name] = parse_votes(cells)
            except ValueError as error:
                rejected.append(Rejection(name, str(error)))
    rejected += _unlisted(source, {*votes, *(str(rejection.row) for rejection in rejected)})

    def columns(names: Sequence[str]) -> dict[str, np.ndarray]:
        return vote_columns(np.array([votes[name] for name in names], np.int64))

    return read_pictures(source, _pictures(votes), rejected, NAME, options.progress, columns)


def _rows(source: Source, path: str) -> Iterator[tuple[str, list[str]]]:
    """(member name, vote cells) of each line of a `label.csv`: picture, box, ten votes; a header is passed over."""
    text = b"".join(source.blocks(path)).decode("utf-8-sig", "replace")
    folder = path[: -len(LABELS)]
    lines = csv.reader(text.splitlines())
    try:
        for cells in lines:
            if cells and "neutral" not in (cell.strip().lower() for cell in cells):
                yield folder + cells[0].strip(), cells[2:]
    except csv.Error as error:
        raise FormatError(f"{path}, line {lines.line_num}: {error}; get the file again") from None


def _pictures(votes: dict[str, list[int]]) -> list[Picture]:
    if not votes:
        return []
    labels = plurality_label(np.array(list(votes.values()), np.int64)).tolist()
    splits = [split_of_part(parts_of(name)[-2]) or "" for name in votes]
    return [Picture(name, split, label) for name, split, label in zip(votes, splits, labels, strict=True)]


def _unlisted(source: Source, listed: set[str]) -> list[Rejection]:
    """Pictures beside a `label.csv` that it does not list."""
    folders = {parts_of(path)[:-1] for path in _label_files(source)}
    beside = (name for name in source.members if parts_of(name)[:-1] in folders and name not in listed)
    return [Rejection(name, f"{LABELS} does not list it") for name in beside if name.lower().endswith(".png")]


READERS.add(
    NAME,
    Reader(NAME, "folders `FER2013Train/fer0000000.png` with `label.csv`", 60, lambda s: bool(_label_files(s)), _read),
)
