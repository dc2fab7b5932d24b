"""Members that vote with the weights of AdaBoost SAMME (Zhu et al. 2009)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fer_core.classifiers.base import softmax
from fer_core.classifiers.combination import Arrays, Combination, register_combination
from fer_core.errors import ConfigError


@register_combination
class Boosting(Combination):
    """Each member votes for one emotion with its weight; see `fer_core/classifiers/samme.py` for where it comes from.

    The logit of a class is the share of the weight that votes for it, less 1 / (C - 1) of the rest, over C - 1: the
    decision function and the probabilities of scikit-learn's AdaBoostClassifier.
    """

    name = "boosting"
    title = "AdaBoost (SAMME)"
    paper = "https://doi.org/10.4310/SII.2009.v2.n3.a8"
    description = "Each member was trained on faces that those before it got wrong, and votes with its boosting weight."

    def fit(self, members: np.ndarray, labels: np.ndarray, **options: Any) -> Arrays:
        weights = np.asarray(options.get("weights", ()), np.float64)
        if weights.shape != (len(members),) or not (weights > 0).all():
            raise ConfigError(f"boosting needs a weight above 0 from each of its {len(members)} rounds")
        return {"weights": weights}

    def apply(self, members: np.ndarray, learnt: Mapping[str, np.ndarray]) -> np.ndarray:
        classes = members.shape[2]
        votes = np.eye(classes)[members.argmax(2)]  # (M, N, C)
        share = np.tensordot(learnt["weights"] / learnt["weights"].sum(), votes, 1)
        decision = share - (1 - share) / (classes - 1)
        return softmax(decision / (classes - 1)).astype(np.float64)
