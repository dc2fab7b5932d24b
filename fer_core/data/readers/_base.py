"""What a reader is, and the registry of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fer_core.data.source import Source
from fer_core.data.table import FaceDataset
from fer_core.errors import Rejection
from fer_core.registry import Registry

Progress = Callable[[int, int], None]
"""Called now and then with (steps done, steps in all); a step is a byte or a picture."""


@dataclass(frozen=True)
class ReadResult:
    """The good rows of a source, and the broken ones by name.

    Attributes:
        dataset: every row that is right.
        rejected: every row that is not, and why.
        total: the rows of the source, good and broken.
    """

    dataset: FaceDataset
    rejected: tuple[Rejection, ...]
    total: int


@dataclass(frozen=True)
class Reader:
    """One raw form.

    Attributes:
        name: public name, kept as the dataset's `source_format`.
        looks_like: what tells the form, for people: its header or its layout.
        rank: where a source fits several forms, the lowest rank reads it.
        fits: whether a source is in this form.
        read: reads a source that fits.
        numbered: how its row numbers relate to `fer2013.csv`, for joining FER+ votes: "order" (row i is row i),
            "name" (picture names carry row numbers) or "none".
    """

    name: str
    looks_like: str
    rank: int
    fits: Callable[[Source], bool]
    read: Callable[[Source, Progress | None], ReadResult]
    numbered: str = "none"


READERS: Registry[Reader] = Registry("raw form")


def face_table(row: np.ndarray, split: list[str], label: np.ndarray) -> pd.DataFrame:
    """The three columns that every face table has."""
    return pd.DataFrame(
        {
            "row": np.asarray(row, np.int64),
            "split": pd.Series(split, dtype="str"),
            "label": np.asarray(label, np.int64),
        }
    )
