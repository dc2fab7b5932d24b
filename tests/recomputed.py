"""Figures computed again from a predictions table that ships, and what they must be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from fer_core.artifacts import DEDUPLICATED
from fer_core.data.ferplus import vote_targets
from fer_core.data.profiles import Profile
from fer_core.evaluation.record import figures
from fer_core.labels import EMOTIONS, TESTS, VOTE_COLUMNS


def true_labels(rows: pd.DataFrame, labels: tuple[str, ...]) -> np.ndarray:
    """What a model with these classes is judged by, -1 where the voters of FER+ have no majority."""
    if len(labels) == len(EMOTIONS):
        return rows["label"].to_numpy()
    targets = vote_targets(rows[list(VOTE_COLUMNS)].to_numpy(), "majority")
    return np.where(targets.sum(axis=1) > 0, targets.argmax(axis=1), -1)


def check_figures(
    table: pd.DataFrame, labels: tuple[str, ...], metrics: dict[str, dict[str, Any]], profile: Profile
) -> None:
    """Every labelled test face of FER2013 is judged by its own label, and the figures are those of the answers."""
    truth = profile.rows.set_index("row").assign(label=lambda rows: true_labels(rows, labels))
    assert (truth.loc[table["row"], "label"].to_numpy() == table["label"]).all()
    assert (truth.loc[table["row"], "split"].to_numpy() == table["split"]).all()
    twin_free = profile.twin_free("PrivateTest")
    parts = {name: table["split"] == name for name in TESTS} | {DEDUPLICATED: table["row"].isin(twin_free)}
    judged = truth[truth["label"] >= 0]
    for name, part in parts.items():
        assert figures(table[part], labels) == metrics[name], name
        whole = judged.index.isin(twin_free) if name == DEDUPLICATED else judged["split"] == name
        assert metrics[name]["n"] == whole.sum(), name
