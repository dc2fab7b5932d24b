"""Judging an ensemble from what its members were recorded to say, without running a network.

The tables are predictions tables (see `fer_core/data/predictions.py`). Whatever is fitted is fitted on the rows of
PublicTest; the other splits are only judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from fer_core.classifiers.base import log_probabilities, softmax
from fer_core.classifiers.calibration import fit_temperature
from fer_core.classifiers.combination import COMBINATIONS, Arrays, cross_fits
from fer_core.data.predictions import KEYS, classes_of, predictions_table, probabilities_of
from fer_core.errors import DataError

FITTED_ON = "PublicTest"


def combine(
    tables: Sequence[pd.DataFrame], method: str, *, calibrate: bool = True, held_out: bool = False, **options: Any
) -> pd.DataFrame:
    """The predictions table of an ensemble from those of its members.

    Args:
        tables: one predictions table a member, of the same faces and classes, in any order of rows.
        method: a name in COMBINATIONS.
        calibrate: whether to divide the answer's logits by a temperature fitted on PublicTest; it changes confidence,
            not the answer.
        held_out: whether each face of PublicTest is answered by a fit that did not see it, so that PublicTest can be
            compared with that of models that were not fitted on it.
        options: the method's own.

    Returns:
        A predictions table in the order of the first member's rows.

    Raises:
        DataError: the tables are of different faces or classes, or have no face of PublicTest to fit on.
        ConfigError: as the method's `fit`.
    """
    tables = aligned(tables)
    members = np.stack([probabilities_of(table) for table in tables])  # (M, N, C)
    labels = tables[0]["label"].to_numpy()
    public = (tables[0]["split"] == FITTED_ON).to_numpy() & (labels >= 0)
    answer = answers(method, learn(tables, method, **options), members)
    if held_out:
        answer[public] = _held_out(members[:, public], labels[public], method, options)
    temperature = fit_temperature(log_probabilities(answer[public]), labels[public]) if calibrate else 1.0
    softened = softmax(log_probabilities(answer), temperature)
    return predictions_table(tables[0], classes_of(tables[0]), softened)


def learn(tables: Sequence[pd.DataFrame], method: str, **options: Any) -> Arrays:
    """What the method fits on the faces of PublicTest; arguments and errors as of `combine`."""
    tables = aligned(tables)
    labels = tables[0]["label"].to_numpy()
    public = (tables[0]["split"] == FITTED_ON).to_numpy() & (labels >= 0)
    if not public.any():
        raise DataError(f"the predictions hold no labelled face of {FITTED_ON} to fit the ensemble on")
    members = np.stack([probabilities_of(table)[public] for table in tables])  # (M, N, C)
    return COMBINATIONS[method].fit(members, labels[public], **options)


def _held_out(members: np.ndarray, labels: np.ndarray, method: str, options: dict[str, Any]) -> np.ndarray:
    """float64 (N, C): every fifth of the faces by what the other four fifths taught."""
    found = np.zeros(members.shape[1:])
    for held_out, learnt in cross_fits(COMBINATIONS[method], members, labels, **options):
        found[held_out] = answers(method, learnt, members[:, held_out])
    return found


def answers(method: str, learnt: Arrays, members: np.ndarray) -> np.ndarray:
    """(M, N, C) -> float64 (N, C), before any temperature."""
    return COMBINATIONS[method].apply(members, learnt)


def aligned(tables: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """The tables with their rows in the first one's order; raises DataError where they do not fit together."""
    if not tables:
        raise DataError("an ensemble needs the predictions of at least one member")
    first = tables[0].reset_index(drop=True)
    return [first, *(_in_order_of(first, table) for table in tables[1:])]


def _in_order_of(first: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    if classes_of(table) != classes_of(first):
        raise DataError("the members' predictions know different classes; combine models of the same classes")
    keys = list(KEYS)
    same = len(table) == len(first) and table["row"].is_unique and set(table["row"]) == set(first["row"])
    if same:
        table = table.set_index("row", drop=False).loc[first["row"]].reset_index(drop=True)
    if not same or not (table[keys].to_numpy() == first[keys].to_numpy()).all():
        raise DataError("the members' predictions are of different faces or labels; evaluate all on one dataset")
    return table
