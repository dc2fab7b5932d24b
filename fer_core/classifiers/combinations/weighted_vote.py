"""A weighted mean of the members' probabilities, with the weights that make PublicTest's labels likeliest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fer_core.classifiers.base import TINY
from fer_core.classifiers.combination import Arrays, Combination, register_combination
from fer_core.classifiers.combinations.soft_vote import weighted_mean

STEPS, ENOUGH = 2000, 1e-7


@register_combination
class WeightedVote(Combination):
    """The members as a mixture whose weights maximise the likelihood.

    The likelihood is concave in the weights, and expectation maximisation (Dempster et al. 1977) climbs it without ever
    leaving the simplex: a member's new weight is its mean share in the probability of the true class.
    """

    name = "weighted_vote"
    title = "Weighted voting"
    paper = "https://doi.org/10.1111/j.2517-6161.1977.tb01600.x"
    description = "A weighted mean of the members' probabilities; the weights were fitted on PublicTest."
    learns = True

    def fit(self, members: np.ndarray, labels: np.ndarray, **options: Any) -> Arrays:
        likelihood = np.maximum(members[:, np.arange(len(labels)), labels].astype(np.float64), TINY)  # (M, N)
        return {"weights": mixture_weights(likelihood)}

    def shares(self, learnt: Mapping[str, np.ndarray]) -> np.ndarray:
        return learnt["weights"]

    def apply(self, members: np.ndarray, learnt: Mapping[str, np.ndarray]) -> np.ndarray:
        return weighted_mean(members, learnt["weights"])


def mixture_weights(likelihood: np.ndarray) -> np.ndarray:
    """float64 (M,), none negative, sum 1: the mixture of `likelihood` (M, N) rows that is likeliest."""
    weights = np.full(len(likelihood), 1 / len(likelihood))
    for _ in range(STEPS):
        shares = weights[:, None] * likelihood
        fresh = (shares / shares.sum(0)).mean(1)
        done = np.abs(fresh - weights).max() < ENOUGH
        weights = fresh
        if done:
            break
    scaled: np.ndarray = weights / weights.sum()
    return scaled
