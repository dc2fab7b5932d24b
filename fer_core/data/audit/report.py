"""All audits of a dataset in one call."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from fer_core.data.audit import outliers
from fer_core.data.audit.duplicates import conflicting, exact_groups, pixel_hashes, shortened, summarise
from fer_core.data.audit.imbalance import class_balance, class_counts, imbalance_ratios
from fer_core.data.audit.label_noise import check_predictions, model_doubts, vote_doubts, vote_summary
from fer_core.data.audit.leakage import in_training, leakage_by_split
from fer_core.data.audit.near_duplicates import join, near_pairs, one_of_each
from fer_core.data.progress import Progress, unshown
from fer_core.data.table import FaceDataset
from fer_core.errors import DataError

ALMOST_CONSTANT = 1.0
"""Standard deviation in grey levels below which a picture is almost constant."""


@dataclass(frozen=True)
class AuditReport:
    """What the audit found.

    Attributes:
        rows: one row a face: the face table's columns, pixel_hash (first 16 hex digits), exact_group and near_group
            (-1: none; near groups hold exact copies too), constant, outlier_score, outlier_reason, twin_in_training
            and near_twin_in_training (bool: a face outside Training whose exact or near group reaches into it),
            conflicting (bool: its exact group has more than one label), and the measures of `outliers.measure`.
        balance: `imbalance.class_balance`.
        near_pairs: the links behind the near groups: row, other_row (numbers of rows), bits, correlation, mirrored;
            of faces with exact copies only the first takes part.
        vote_doubts: `label_noise.vote_doubts`, empty without FER+ votes.
        model_doubts: `label_noise.model_doubts`, None without predictions.
        stages: seconds by stage.
    """

    rows: pd.DataFrame
    balance: pd.DataFrame
    near_pairs: pd.DataFrame
    vote_doubts: pd.DataFrame
    model_doubts: pd.DataFrame | None = None
    stages: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The JSON document of `scripts.audit`."""
        rows = self.rows
        exact, near = rows["exact_group"].to_numpy(), rows["near_group"].to_numpy()
        document: dict[str, Any] = {
            "rows": len(rows),
            "balance": self._balance(),
            "imbalance_ratio": imbalance_ratios(class_counts(rows)).dropna().round(2).to_dict(),
            "exact_duplicates": summarise(exact) | self._conflicts(),
            "near_duplicates": summarise(near) | self._beyond_exact(),
            "leakage": leakage_by_split(rows)["twins"].to_dict(),
            "near_leakage": leakage_by_split(rows, "near_twin_in_training")["twins"].to_dict(),
            "constant_images": int(rows["constant"].sum()),
            "almost_constant_images": int((~rows["constant"] & (rows["contrast"] < ALMOST_CONSTANT)).sum()),
            "outliers": int((rows["outlier_score"] > outliers.THRESHOLD).sum()),
            "outlier_threshold": outliers.THRESHOLD,
            "seconds": round(sum(self.stages.values()), 3),
            "stages": {name: round(seconds, 3) for name, seconds in self.stages.items()},
        }
        if len(self.vote_doubts):
            document["vote_doubts"] = vote_summary(self.vote_doubts)
        if self.model_doubts is not None:
            document["model_doubts"] = len(self.model_doubts)
        return document

    def _balance(self) -> dict[str, dict[str, int]]:
        return {
            str(name): dict(zip(part["emotion"], part["faces"].tolist(), strict=True))
            for name, part in self.balance.groupby("split", sort=False)
        }

    def _conflicts(self) -> dict[str, int]:
        clashing = self.rows.loc[self.rows["conflicting"], "exact_group"]
        return {"conflicting_groups": clashing.nunique(), "conflicting_rows": len(clashing)}

    def _beyond_exact(self) -> dict[str, int]:
        """Near groups of more than one picture, and the pairs that link them."""
        members = self.rows[self.rows["near_group"] >= 0]
        pictures = members.groupby("near_group")["pixel_hash"].nunique()
        return {
            "groups_beyond_exact": int((pictures > 1).sum()),
            "pairs": len(self.near_pairs),
            "mirrored_pairs": int(self.near_pairs["mirrored"].sum()),
        }


def audit(
    dataset: FaceDataset, *, predictions: pd.DataFrame | None = None, progress: Progress = unshown
) -> AuditReport:
    """Audits a dataset of any size.

    Args:
        dataset: the faces.
        predictions: a predictions table of faces that its model was not trained on, for label noise.
        progress: wraps the long comparison of all faces.

    Raises:
        DataError: the dataset is empty, or the predictions are of other faces.
    """
    if not len(dataset):
        raise DataError("the dataset has no face to audit")
    if predictions is not None:
        check_predictions(predictions, dataset.table)
    clock = _Clock()
    pixels, split = np.asarray(dataset.pixels), dataset.table["split"].to_numpy()
    hashes = pixel_hashes(pixels)
    exact = exact_groups(hashes)
    clock.lap("exact duplicates")
    measures = outliers.measure(pixels)
    score, reason = outliers.scores(measures), outliers.reasons(measures)
    clock.lap("outliers")
    pairs = _near_pairs(pixels, exact, (measures["contrast"] < ALMOST_CONSTANT).to_numpy(), progress)
    near = join(exact, pairs["left"].to_numpy(), pairs["right"].to_numpy())
    clock.lap("near duplicates")
    rows = dataset.table.assign(
        pixel_hash=shortened(hashes),
        exact_group=exact,
        near_group=near,
        constant=(measures["contrast"] == 0).to_numpy(),
        outlier_score=score,
        outlier_reason=reason,
        twin_in_training=in_training(exact, split),
        near_twin_in_training=in_training(near, split),
        conflicting=conflicting(exact, dataset.labels),
        **{name: measures[name].to_numpy() for name in measures},
    )
    by_votes = vote_doubts(dataset.table) if dataset.has_votes else pd.DataFrame()
    by_model = model_doubts(predictions) if predictions is not None else None
    balance = class_balance(dataset.table)
    clock.lap("balance and label noise")
    return AuditReport(rows, balance, _named(pairs, dataset.table), by_votes, by_model, clock.laps)


def _near_pairs(pixels: np.ndarray, exact: np.ndarray, constant: np.ndarray, progress: Progress) -> pd.DataFrame:
    """`near_pairs` with positions in the whole dataset."""
    compared = one_of_each(exact, constant)
    pairs = near_pairs(pixels[compared], progress=progress)
    return pairs.assign(left=compared[pairs["left"]], right=compared[pairs["right"]])


def _named(pairs: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Pairs of positions as pairs of row numbers."""
    numbers = table["row"].to_numpy()
    named = pairs.assign(row=numbers[pairs["left"]], other_row=numbers[pairs["right"]])
    return named[["row", "other_row", "bits", "correlation", "mirrored"]]


class _Clock:
    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = now - self._last
        self._last = now
