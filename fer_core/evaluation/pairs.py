"""Models against one of them, on the faces that both judged."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TypeVar

import pandas as pd

from fer_core.data.predictions import KEYS, classes_of, probabilities_of
from fer_core.metrics import PairedDifference, paired_difference

Model = TypeVar("Model", bound=Hashable)
"""Whatever names a model: its name, or its folder."""


def differences(tables: Mapping[Model, pd.DataFrame], against: Model) -> dict[Model, PairedDifference]:
    """Each model's accuracy minus that of `against`, over the faces that both judged.

    Args:
        tables: predictions tables by model; that of `against` is among them.
        against: the model that the others are compared with.

    Returns:
        By model, in the order of `tables`; without `against` itself, and without models that share no face with it or
        were judged by other labels.
    """
    base = tables[against]
    pairs = {name: _paired(table, base) for name, table in tables.items() if name != against}
    return {
        name: paired_difference(pair["right_x"].to_numpy(), pair["right_y"].to_numpy())
        for name, pair in pairs.items()
        if len(pair) and classes_of(tables[name]) == classes_of(base) and (pair["label_x"] == pair["label_y"]).all()
    }


def _paired(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """The faces of both tables: row, split, and of each (`_x`, `_y`) label and right (bool)."""
    return _judged(first).merge(_judged(second), on=["row", "split"])


def _judged(table: pd.DataFrame) -> pd.DataFrame:
    answers = probabilities_of(table).argmax(axis=1)
    return table[list(KEYS)].assign(right=answers == table["label"].to_numpy())
