"""CK+ as Kaggle gives it in FER2013's form: `ckextended.csv`, `emotion,pixels,Usage`, label 7 for contempt.

Lucey et al. 2010, https://doi.org/10.1109/CVPRW.2010.5543262. The header is that of `fer2013.csv`, so the file's name
has to begin with `ck`, too.
"""

from __future__ import annotations

from fer_core.data.readers._base import READERS, Reader
from fer_core.data.readers._csv import CsvForm
from fer_core.labels import FERPLUS_EMOTIONS


def _matches(name: str, columns: tuple[str, ...]) -> bool:
    return name.startswith("ck") and {"emotion", "pixels", "usage"} <= set(columns)


FORM = CsvForm("ck_csv", _matches, classes=len(FERPLUS_EMOTIONS))

READERS.add(FORM.name, Reader(FORM.name, "a CSV file `ck*.csv` of `emotion,pixels,Usage`", 5, FORM.fits, FORM.read))
