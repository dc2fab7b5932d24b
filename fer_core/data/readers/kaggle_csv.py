"""`fer2013.csv` as Kaggle gives it: `emotion,pixels,Usage`, a row a face."""

from __future__ import annotations

from fer_core.data.readers._base import READERS, Reader
from fer_core.data.readers._csv import CsvForm


def _matches(name: str, columns: tuple[str, ...]) -> bool:
    complete = {"emotion", "pixels", "usage"} <= set(columns)
    return complete and columns.index("pixels") < columns.index("usage")


FORM = CsvForm("kaggle_csv", _matches)

READERS.add(FORM.name, Reader(FORM.name, "a CSV file `emotion,pixels,Usage`", 10, FORM.fits, FORM.read, "order"))
