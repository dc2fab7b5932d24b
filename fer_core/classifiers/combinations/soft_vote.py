"""The mean of the members' probabilities, plain and over the snapshots of one run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fer_core.classifiers.combination import Arrays, Combination, register_combination


@register_combination
class SoftVote(Combination):
    """Every member's probabilities count alike (Kittler et al. 1998, the sum rule)."""

    name = "soft_vote"
    title = "Soft voting"
    paper = "https://doi.org/10.1109/34.667881"
    description = "The mean of the members' probabilities."

    def fit(self, members: np.ndarray, labels: np.ndarray, **options: Any) -> Arrays:
        return {"weights": np.full(len(members), 1 / len(members))}

    def shares(self, learnt: Mapping[str, np.ndarray]) -> np.ndarray:
        return learnt["weights"]

    def apply(self, members: np.ndarray, learnt: Mapping[str, np.ndarray]) -> np.ndarray:
        return weighted_mean(members, learnt["weights"])


@register_combination
class Snapshot(SoftVote):
    """Soft voting over the networks that one run reached at the end of each cycle of its learning rate."""

    name = "snapshot"
    title = "Snapshot ensemble"
    paper = "https://arxiv.org/abs/1704.00109"
    description = "The mean of the probabilities of one run's networks, one from the end of each cycle."


def weighted_mean(members: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(M, N, C) and (M,) that sum to 1 -> float64 (N, C)."""
    mean: np.ndarray = np.einsum("m,mnc->nc", weights, members, dtype=np.float64)
    return mean
