"""The competition's `train.csv`: `emotion,pixels` and no usage; every row is Training."""

from __future__ import annotations

from fer_core.data.readers._base import READERS, Reader
from fer_core.data.readers._csv import CsvForm


def _matches(name: str, columns: tuple[str, ...]) -> bool:
    return {"emotion", "pixels"} <= set(columns) and "usage" not in columns and not name.startswith("test")


FORM = CsvForm("train_csv", _matches, split="Training")

READERS.add(FORM.name, Reader(FORM.name, "a CSV file `emotion,pixels`", 40, FORM.fits, FORM.read, "order"))
