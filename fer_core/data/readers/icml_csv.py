"""`icml_face_data.csv`: `emotion, Usage, pixels`, with blanks in the column names and the pixels last."""

from __future__ import annotations

from fer_core.data.readers._base import READERS, Reader
from fer_core.data.readers._csv import CsvForm


def _matches(name: str, columns: tuple[str, ...]) -> bool:
    complete = {"emotion", "pixels", "usage"} <= set(columns)
    return complete and columns.index("usage") < columns.index("pixels")


FORM = CsvForm("icml_csv", _matches)

READERS.add(FORM.name, Reader(FORM.name, "a CSV file `emotion, Usage, pixels`", 20, FORM.fits, FORM.read, "order"))
