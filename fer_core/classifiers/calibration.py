"""Temperature scaling (Guo et al. 2017, https://arxiv.org/abs/1706.04599)."""

from __future__ import annotations

import numpy as np

from fer_core.classifiers.base import softmax

BOUNDS = (0.02, 5.0)
"""A vote of AdaBoost needs a small one: its scores differ by less than 1 / (C - 1)."""


def fit_temperature(
    logits: np.ndarray, labels: np.ndarray, bounds: tuple[float, float] = BOUNDS, digits: int = 3
) -> float:
    """The divisor of the logits (N, C) that makes the labels (N,) likeliest, within `bounds`, to so many decimals."""
    from scipy.optimize import minimize_scalar

    def loss(temperature: float) -> float:
        chosen = softmax(logits, temperature)[np.arange(len(labels)), labels]
        return float(-np.log(np.maximum(chosen, 1e-12)).mean())

    return round(float(minimize_scalar(loss, bounds=bounds, method="bounded").x), digits)
