"""CSV files of faces, whatever their columns: header and rows -> arrays, broken rows by name."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import PurePosixPath
from typing import Final

import numpy as np

from fer_core.data.readers._base import Progress, ReadOptions, ReadResult, face_table
from fer_core.data.readers._names import label_of_cell, split_of_usage
from fer_core.data.readers._pixel_text import PIXELS, parse_block, parse_row
from fer_core.data.source import Source, TruncatedError, ahead
from fer_core.data.table import SIDE, FaceDataset
from fer_core.errors import FormatError, Rejection
from fer_core.labels import EMOTIONS, UNLABELLED

LONGEST_LINE: Final = 1 << 20
"""Bytes; a row of a face has at most 9,300, so a longer line is no row and the file no dataset."""

INDEX_COLUMNS: Final = ("", "id", "index", "row", "unnamed: 0")
"""Columns that a spreadsheet or pandas adds; where a form lacks a column, any other one might be it, misspelt."""

_QUOTES: Final = b" \"'\t\r"


@dataclass(frozen=True)
class Layout:
    """How a CSV file's rows are to be understood.

    Attributes:
        width: columns in a row.
        pixels: where the pixels stand.
        emotion: where the label stands, or None.
        usage: where the usage stands, or None.
        split: the split of every row where there is no usage.
        may_lack_labels: whether a blank or -1 as emotion means "not labelled".
        classes: labels that there are, 7 or 8.
    """

    width: int
    pixels: int
    emotion: int | None
    usage: int | None
    split: str = ""
    may_lack_labels: bool = False
    classes: int = len(EMOTIONS)

    @classmethod
    def of(cls, header: tuple[str, ...], form: CsvForm) -> Layout:
        """The layout of a header that has at least `pixels`."""
        names = plain(header)
        places = {name: names.index(name) for name in ("emotion", "usage") if name in names}
        columns = (len(names), names.index("pixels"), places.get("emotion"), places.get("usage"))
        return cls(*columns, form.split, form.may_lack_labels, form.classes)


@dataclass
class CsvFaces:
    """What was read so far.

    Attributes:
        rows: how many rows there were, good and broken.
        numbers, labels, splits: one each a good row.
        pixels: uint8 (n, 2304) each, the good rows in pieces.
        rejected: the broken rows.
        open_end: whether the last line has no end, as when a file is cut off.
    """

    rows: int = 0
    numbers: list[int] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    splits: list[str] = field(default_factory=list)
    pixels: list[np.ndarray] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    open_end: bool = False

    def result(self, source_format: str) -> ReadResult:
        """The good rows as a dataset, the broken ones beside it."""
        table = face_table(np.array(self.numbers, np.int64), self.splits, np.array(self.labels, np.int64))
        pixels = np.concatenate([np.empty((0, PIXELS), np.uint8), *self.pixels]).reshape(-1, SIDE, SIDE)
        return ReadResult(FaceDataset(table, pixels, source_format), tuple(self.rejected), self.rows)


@dataclass(slots=True)
class _Row:
    number: int
    label: int
    split: str
    text: bytes
    problem: str = ""


def plain(header: tuple[str, ...]) -> tuple[str, ...]:
    """Column names without blanks, quotes and capitals."""
    return tuple(name.strip(" \t\"'").lower() for name in header)


def csv_members(source: Source) -> list[str]:
    """The members that may be CSV files: those called so, and a source that is one file whatever its name."""
    if len(source.members) == 1 and "/" not in source.members[0]:
        return list(source.members)
    return [name for name in source.members if name.lower().endswith((".csv", ".csv.gz"))]


def header_of(source: Source, member: str) -> tuple[str, ...]:
    """The column names in a member's first line, with their blanks."""
    return tuple(source.first_line(member).split(","))


@dataclass(frozen=True)
class CsvForm:
    """A raw form that is one CSV file, alone or among others in a folder or archive.

    Attributes:
        name: public name of the form.
        matches: (file name without folders, plain column names) -> whether a CSV file is in this form.
        split: the split of every row where the form has no usage.
        may_lack_labels: see `Layout`.
        classes: see `Layout`.
    """

    name: str
    matches: Callable[[str, tuple[str, ...]], bool]
    split: str = ""
    may_lack_labels: bool = False
    classes: int = len(EMOTIONS)

    def member(self, source: Source) -> str | None:
        """The one member in this form, or None.

        Raises:
            FormatError: several are.
        """
        found = [name for name in csv_members(source) if self._holds(source, name)]
        if len(found) > 1:
            raise FormatError(f"{source.label} holds several datasets ({', '.join(found[:3])}); name one of them")
        return found[0] if found else None

    def fits(self, source: Source) -> bool:
        """Whether a member is in this form."""
        return self.member(source) is not None

    def faces(self, source: Source, progress: Progress | None) -> CsvFaces:
        """Reads the member in this form."""
        member = self.member(source)
        assert member is not None, "a reader is called only where it fits"
        return read_faces(source, member, Layout.of(header_of(source, member), self), progress)

    def read(self, source: Source, options: ReadOptions) -> ReadResult:
        """`faces` as a dataset."""
        return self.faces(source, options.progress).result(self.name)

    def _holds(self, source: Source, member: str) -> bool:
        return self.matches(PurePosixPath(member).name.lower(), plain(header_of(source, member)))


def read_faces(source: Source, member: str, layout: Layout, progress: Progress | None = None) -> CsvFaces:
    """Reads all rows of a CSV member.

    Raises:
        FormatError: it is no text of lines, or has no row.
    """
    faces = CsvFaces()
    total = source.size(member)
    for lines in _lines(source, member, faces):
        _add(faces, lines, layout)
        if progress:
            progress(min(source.position(), total), total)
    if not faces.rows:
        raise FormatError(f"{member} has a header and no row; get the file again")
    if faces.open_end and faces.rejected and faces.rejected[-1].row == faces.rows - 1:
        last = faces.rejected.pop()
        faces.rejected.append(Rejection(last.row, f"{last.reason} (the file ends inside this row: is it cut off?)"))
    return faces


def _lines(source: Source, member: str, faces: CsvFaces) -> Iterator[list[bytes]]:
    """Whole lines after the header, some at a time; where the source breaks off, notes the row that is lost."""
    rest, first = b"", 1  # the header is skipped once
    try:
        for block in ahead(source.blocks(member)):
            head, newline, tail = block.rpartition(b"\n")
            if len(rest) + len(tail) > LONGEST_LINE:
                raise FormatError(f"{member} has a line of over {LONGEST_LINE:,} bytes, so it is no CSV file of faces")
            if newline:
                yield (rest + head).split(b"\n")[first:]
                rest, first = b"", 0
            rest += tail
    except TruncatedError:
        if first:
            raise
        faces.rejected.append(Rejection(faces.rows, "the file is cut off in or before this row"))
        faces.rows += 1
        return
    faces.open_end = bool(rest)
    if rest:
        yield [rest][first:]


def _add(faces: CsvFaces, lines: list[bytes], layout: Layout) -> None:
    """Parses lines and adds their rows; blank lines are no rows."""
    filled = [line for line in lines if line and not line.isspace()]
    rows = [_parse_cells(line, number, layout) for number, line in enumerate(filled, faces.rows)]
    faces.rows += len(rows)
    if not rows:
        return
    block = None if any(row.problem for row in rows) else parse_block([row.text for row in rows])
    if block is None:
        rows, block = _parse_slowly(rows, faces.rejected)
    faces.numbers += [row.number for row in rows]
    faces.labels += [row.label for row in rows]
    faces.splits += [row.split for row in rows]
    faces.pixels.append(block)


def _parse_slowly(rows: list[_Row], rejected: list[Rejection]) -> tuple[list[_Row], np.ndarray]:
    """The good rows with their pixels, uint8 (N, 2304); the broken ones are added to `rejected`."""
    good, pixels = [], []
    for row in rows:
        try:
            face = parse_row(row.text) if row.text or not row.problem else None
        except ValueError as error:
            row.problem = f"{row.problem}; {error}" if row.problem else str(error)
        if row.problem:
            rejected.append(Rejection(row.number, row.problem))
        else:
            good.append(row)
            pixels.append(face)
    return good, np.array(pixels, np.uint8).reshape(len(good), PIXELS)


def _parse_cells(line: bytes, number: int, layout: Layout) -> _Row:
    """A row whose pixels are still text."""
    cells = line.split(b",")
    row = _Row(number, UNLABELLED, layout.split, b"")
    try:
        if len(cells) != layout.width and b'"' in line:
            cells = [cell.encode() for cell in next(csv.reader([line.decode("utf-8", "replace")]))]
        if len(cells) != layout.width:
            raise ValueError(f"{len(cells)} columns instead of {layout.width}")
        row.text = cells[layout.pixels].strip(_QUOTES)
        if layout.emotion is not None:
            row.label = _label(cells[layout.emotion], layout.may_lack_labels, layout.classes)
        if layout.usage is not None:
            row.split = _split(cells[layout.usage])
    except (ValueError, csv.Error) as error:
        row.problem = str(error)
    return row


@cache
def _label(cell: bytes, may_be_missing: bool, classes: int) -> int:
    text = cell.strip(_QUOTES).decode("utf-8", "backslashreplace")
    return UNLABELLED if may_be_missing and text in ("", "-1") else label_of_cell(text, classes)


@cache
def _split(cell: bytes) -> str:
    return split_of_usage(cell.strip(_QUOTES).decode("utf-8", "backslashreplace"))
