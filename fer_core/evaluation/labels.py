"""Which labels a model is judged against, and which faces it cannot be judged on."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from fer_core.data.ferplus import as_ferplus
from fer_core.data.table import FaceDataset
from fer_core.errors import ConfigError, DataError
from fer_core.labels import FERPLUS_EMOTIONS, TESTS, UNLABELLED

KINDS: Final = ("auto", "fer2013", "ferplus")
"""`auto`: a model of eight classes is judged against FER+'s majorities where the dataset has votes."""

NO_MAJORITY: Final = "no FER+ majority"
"""Name under which faces are left out whose votes decide for no emotion."""


def uses_ferplus(dataset: FaceDataset, labels: tuple[str, ...], kind: str = "auto") -> bool:
    """Whether a model with these classes is judged against FER+'s votes; raises ConfigError for an unknown kind."""
    if kind not in KINDS:
        raise ConfigError(f"labels must be one of {', '.join(KINDS)}, not {kind!r}")
    return kind == "ferplus" or (kind == "auto" and dataset.has_votes and len(labels) == len(FERPLUS_EMOTIONS))


def labelled_for(dataset: FaceDataset, labels: tuple[str, ...], kind: str = "auto") -> FaceDataset:
    """The dataset with the labels that a model is judged against; faces without a majority stay, without a label.

    Args:
        dataset: any dataset.
        labels: the model's classes.
        kind: one of `KINDS`.

    Raises:
        ConfigError: no such kind.
        DataError: FER+'s labels are asked for, and the dataset has no votes.
    """
    if not uses_ferplus(dataset, labels, kind):
        return dataset
    decided = as_ferplus(dataset).table.set_index("row")["label"]
    found = decided.reindex(dataset.table["row"]).to_numpy()
    words = pd.Series(np.where(np.isnan(found), NO_MAJORITY, ""), index=dataset.table.index, dtype="str")
    table = dataset.table.assign(label=np.nan_to_num(found, nan=UNLABELLED).astype(np.int64), source_label=words)
    return replace(dataset, table=table, fingerprint="")


def of_tests(dataset: FaceDataset) -> FaceDataset:
    """The faces of PublicTest and PrivateTest."""
    return dataset.select(dataset.table["split"].isin(TESTS).to_numpy())


def known_faces(dataset: FaceDataset, labels: tuple[str, ...]) -> FaceDataset:
    """The faces with a label among a model's classes; raises DataError where there is none."""
    known = dataset.known_to(labels)
    if not len(known):
        raise DataError("there is no face with a label that this model knows, so there is nothing to evaluate")
    return known


def left_out(dataset: FaceDataset, labels: tuple[str, ...]) -> dict[str, int]:
    """{label that is none of the model's classes, by the dataset's name for it: faces with it}."""
    counts: dict[str, int] = {}
    for index in range(len(labels), len(FERPLUS_EMOTIONS)):
        counts[FERPLUS_EMOTIONS[index]] = int((dataset.labels == index).sum())
    unlabelled = dataset.table[dataset.labels == UNLABELLED]
    names = unlabelled["source_label"] if "source_label" in unlabelled else np.full(len(unlabelled), "")
    for name in names:
        counts[str(name) or "unlabelled"] = counts.get(str(name) or "unlabelled", 0) + 1
    return {name: faces for name, faces in counts.items() if faces}
