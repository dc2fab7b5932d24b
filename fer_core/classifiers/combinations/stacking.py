"""A logistic regression on what the members say (Wolpert 1992, https://doi.org/10.1016/S0893-6080(05)80023-1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fer_core.classifiers.base import log_probabilities, softmax
from fer_core.classifiers.combination import FOLDS, Arrays, Combination, folds, register_combination
from fer_core.errors import ConfigError

STRENGTHS = (0.001, 0.01, 0.1, 1.0)
"""Inverse strengths of the L2 penalty that are tried."""
NEVER = -20.0
"""Score of a class that the fit saw no face of."""


@register_combination
class Stacking(Combination):
    """The logits of the answer are linear in the logarithms of all members' probabilities.

    How strongly the coefficients are held back is chosen by cross-fitting: each fifth of PublicTest is judged by a fit
    on the other four, and the strength with the likeliest labels over all fifths is taken for the fit on all of it.
    """

    name = "stacking"
    title = "Stacking"
    paper = "https://doi.org/10.1016/S0893-6080(05)80023-1"
    description = "A logistic regression on the members' log-probabilities, fitted on PublicTest."
    learns = True

    def fit(self, members: np.ndarray, labels: np.ndarray, **options: Any) -> Arrays:
        inputs, classes = _inputs(members), members.shape[2]
        if len(labels) < FOLDS or len(set(labels.tolist())) < 2:
            raise ConfigError("stacking needs at least five faces of at least two classes in PublicTest")
        chosen = min(STRENGTHS, key=lambda strength: _cross_fitted_loss(inputs, labels, classes, strength))
        coefficients, intercept = _regression(inputs, labels, classes, chosen)
        return {"coefficients": coefficients, "intercept": intercept, "strength": np.array([chosen])}

    def apply(self, members: np.ndarray, learnt: Mapping[str, np.ndarray]) -> np.ndarray:
        scores = _inputs(members) @ learnt["coefficients"].T + learnt["intercept"]
        return softmax(scores).astype(np.float64)


def _inputs(members: np.ndarray) -> np.ndarray:
    """(M, N, C) -> float64 (N, M * C)."""
    count, faces, classes = members.shape
    logs: np.ndarray = log_probabilities(members).transpose(1, 0, 2).reshape(faces, count * classes)
    return logs


def _cross_fitted_loss(inputs: np.ndarray, labels: np.ndarray, classes: int, strength: float) -> float:
    """Mean negative log-likelihood of each face under the fit that did not see it."""
    losses = []
    for fitted, held_out in folds(len(labels)):
        coefficients, intercept = _regression(inputs[fitted], labels[fitted], classes, strength)
        found = softmax(inputs[held_out] @ coefficients.T + intercept)
        losses.append(-np.log(np.maximum(found[np.arange(len(held_out)), labels[held_out]], 1e-12)))
    return float(np.concatenate(losses).mean())


def _regression(inputs: np.ndarray, labels: np.ndarray, classes: int, strength: float) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (C, M * C) and intercept (C,); a class without a face keeps coefficients of 0 and a low score."""
    from sklearn.linear_model import LogisticRegression

    known = np.unique(labels)
    coefficients, intercept = np.zeros((classes, inputs.shape[1])), np.full(classes, NEVER)
    if len(known) < 2:
        intercept[known] = 0.0
        return coefficients, intercept
    found = LogisticRegression(C=strength, solver="newton-cholesky", max_iter=200).fit(inputs, labels)
    coefficients[known], intercept[known] = _both(found.coef_), _both(found.intercept_)
    return coefficients, intercept


def _both(found: np.ndarray) -> np.ndarray:
    """scikit-learn keeps one row for two classes: the second's score against 0 for the first."""
    return np.concatenate([np.zeros_like(found), found]) if len(found) == 1 else found
