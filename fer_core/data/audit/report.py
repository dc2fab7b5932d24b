"""All audits of a dataset in one call."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from fer_core.data.audit import outliers
from fer_core.data.audit.duplicates import (
    Progress,
    conflicting,
    exact_groups,
    near_groups,
    pixel_hashes,
    summarise,
)
from fer_core.data.audit.imbalance import class_balance, imbalance_ratios
from fer_core.data.audit.label_noise import model_doubts, vote_doubts, vote_summary
from fer_core.data.audit.leakage import in_training, leakage
from fer_core.data.table import FaceDataset
from fer_core.errors import DataError

ALMOST_CONSTANT = 1.0
"""Standard deviation in grey levels below which a picture is almost constant."""


@dataclass(frozen=True)
class AuditReport:
    """What the audit found.

    Attributes:
        rows: one row a face: the face table's columns, pixel_hash (first 16 hex digits), exact_group and near_group
            (-1: none), constant, outlier_score, twin_in_training, conflicting (bool: its exact group has more than one
            label), and the measures of `outliers.measure`.
        balance: `imbalance.class_balance`.
        vote_doubts: `label_noise.vote_doubts`, empty without FER+ votes.
        model_doubts: `label_noise.model_doubts`, empty without predictions.
        stages: seconds by stage.
    """

    rows: pd.DataFrame
    balance: pd.DataFrame
    vote_doubts: pd.DataFrame
    model_doubts: pd.DataFrame
    stages: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The JSON document of `scripts.audit`."""
        rows, split = self.rows, self.rows["split"].to_numpy()
        exact, near = rows["exact_group"].to_numpy(), rows["near_group"].to_numpy()
        clashing = rows["conflicting"].to_numpy()
        document: dict[str, Any] = {
            "rows": len(rows),
            "balance": {
                name: dict(zip(part["emotion"], part["faces"].tolist(), strict=True))
                for name, part in self.balance.groupby("split", sort=False)
            },
            "imbalance_ratio": imbalance_ratios(rows),
            "exact_duplicates": summarise(exact)
            | {"conflicting_groups": len(np.unique(exact[clashing])), "conflicting_rows": int(clashing.sum())},
            "near_duplicates": summarise(near),
            "leakage": leakage(exact, split),
            "near_leakage": leakage(near, split),
            "constant_images": int(rows["constant"].sum()),
            "almost_constant_images": int((rows["contrast"] < ALMOST_CONSTANT).sum()),
            "outliers": int((rows["outlier_score"] > outliers.THRESHOLD).sum()),
            "seconds": round(sum(self.stages.values()), 3),
            "stages": {name: round(seconds, 3) for name, seconds in self.stages.items()},
        }
        if len(self.vote_doubts):
            document["vote_doubts"] = vote_summary(self.vote_doubts)
        if len(self.model_doubts):
            document["model_doubts"] = len(self.model_doubts)
        return document


def audit(
    dataset: FaceDataset, *, predictions: pd.DataFrame | None = None, progress: Progress | None = None
) -> AuditReport:
    """Audits a dataset of any size.

    Args:
        dataset: the faces.
        predictions: a predictions table of faces that its model was not trained on, for label noise.
        progress: wraps the long comparison of all faces.

    Raises:
        DataError: the dataset is empty.
    """
    if not len(dataset):
        raise DataError("the dataset has no face to audit")
    clock = _Clock()
    pixels, table = np.asarray(dataset.pixels), dataset.table
    hashes = pixel_hashes(pixels)
    exact = exact_groups(hashes)
    clock.lap("exact duplicates")
    measures = outliers.measure(pixels)
    score = outliers.scores(measures)
    clock.lap("outliers")
    near = near_groups(pixels, exact, constant=(measures["contrast"] < ALMOST_CONSTANT).to_numpy(), progress=progress)
    clock.lap("near duplicates")
    rows = table.assign(
        pixel_hash=[name[:16] for name in hashes],
        exact_group=exact,
        near_group=near,
        constant=(measures["contrast"] == 0).to_numpy(),
        outlier_score=score,
        twin_in_training=in_training(exact, table["split"].to_numpy()),
        conflicting=conflicting(exact, dataset.labels),
        **{name: measures[name].to_numpy() for name in measures},
    )
    by_votes = vote_doubts(table) if dataset.has_votes else pd.DataFrame()
    by_model = model_doubts(predictions) if predictions is not None else pd.DataFrame()
    balance = class_balance(table)
    clock.lap("balance and label noise")
    return AuditReport(rows, balance, by_votes, by_model, clock.laps)


class _Clock:
    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = now - self._last
        self._last = now
