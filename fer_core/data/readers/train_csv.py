"""The competition's `train.csv`: `emotion,pixels` and no usage; every row is Training."""

from __future__ import annotations

from fer_core.data.readers._base import READERS, Reader
from fer_core.data.readers._csv import INDEX_COLUMNS, CsvForm


def _matches(name: str, columns: tuple[str, ...]) -> bool:
    return set(columns) - {*INDEX_COLUMNS} == {"emotion", "pixels"} and not name.startswith("test")


FORM = CsvForm("train_csv", _matches, split="Training")

READERS.add(FORM.name, Reader(FORM.name, "a CSV file `emotion,pixels`", 40, FORM.fits, FORM.read, "order"))
