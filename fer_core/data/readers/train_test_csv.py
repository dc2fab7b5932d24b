"""The competition's folder or archive with `train.csv` and `test.csv`; the test rows are numbered after the others."""

from __future__ import annotations

from fer_core.data.readers import test_csv, train_csv
from fer_core.data.readers._base import READERS, Reader, ReadOptions, ReadResult
from fer_core.data.readers._csv import CsvFaces
from fer_core.data.source import Source
from fer_core.errors import Rejection

NAME = "train_test_csv"


def _fits(source: Source) -> bool:
    return train_csv.FORM.fits(source) and test_csv.FORM.fits(source)


def _read(source: Source, options: ReadOptions) -> ReadResult:
    train = train_csv.FORM.faces(source, options.progress)
    test = test_csv.FORM.faces(source, options.progress)
    both = CsvFaces(
        rows=train.rows + test.rows,
        numbers=train.numbers + [train.rows + number for number in test.numbers],
        labels=train.labels + test.labels,
        splits=train.splits + test.splits,
        pixels=train.pixels + test.pixels,
        rejected=_named("train.csv", train) + _named("test.csv", test),
    )
    return both.result(NAME)


def _named(file: str, faces: CsvFaces) -> list[Rejection]:
    """Rejections whose row says which of the two files it counts in."""
    return [Rejection(f"{file}:{rejection.row}", rejection.reason) for rejection in faces.rejected]


READERS.add(NAME, Reader(NAME, "a folder with `train.csv` and `test.csv`", 30, _fits, _read))
