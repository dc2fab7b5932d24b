"""The competition's `test.csv`: `pixels` alone, or with an `emotion` that may be blank or -1.

Its rows are put into PrivateTest: nothing is known of them, so nothing may be chosen by them.
"""

from __future__ import annotations

from fer_core.data.readers._base import READERS, Reader
from fer_core.data.readers._csv import INDEX_COLUMNS, CsvForm


def _matches(name: str, columns: tuple[str, ...]) -> bool:
    real = set(columns) - {*INDEX_COLUMNS}
    return real == {"pixels"} or (real == {"emotion", "pixels"} and name.startswith("test"))


FORM = CsvForm("test_csv", _matches, split="PrivateTest", may_lack_labels=True)

READERS.add(FORM.name, Reader(FORM.name, "a CSV file `pixels` without labels", 50, FORM.fits, FORM.read))
