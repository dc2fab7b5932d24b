"""The predictions table: one row per judged face, without its pixels.

| column | type | meaning |
| --- | --- | --- |
| row | int64 | number of the row in the dataset's source |
| split | str | PublicTest or PrivateTest (Training where asked for) |
| label | int64 | true class id |
| p_angry ... | float32 | probability of each class, in the order of the labels |
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

KEYS: Final = ("row", "split", "label")
"""What a predictions table says of a face, as the face table has it."""
PREFIX: Final = "p_"


def predictions_table(faces: pd.DataFrame, labels: Sequence[str], probabilities: np.ndarray) -> pd.DataFrame:
    """The predictions of faces.

    Args:
        faces: a face table, or another predictions table, of N faces.
        labels: C class names.
        probabilities: float (N, C).
    """
    columns = {f"{PREFIX}{name}": probabilities[:, i].astype(np.float32) for i, name in enumerate(labels)}
    return faces[list(KEYS)].assign(**columns)


def probability_columns(table: pd.DataFrame) -> list[str]:
    """The columns of a predictions table with probabilities, in their order."""
    return [str(name) for name in table.columns if str(name).startswith(PREFIX)]


def classes_of(table: pd.DataFrame) -> tuple[str, ...]:
    """The classes that a predictions table has probabilities of, in the order of its columns."""
    return tuple(name.removeprefix(PREFIX) for name in probability_columns(table))


def probabilities_of(table: pd.DataFrame, labels: Sequence[str] | None = None) -> np.ndarray:
    """float32 (N, C) of a predictions table, in the order of `labels`, or of its columns."""
    return table[[f"{PREFIX}{name}" for name in labels or classes_of(table)]].to_numpy(np.float32)
