"""How far confidence is from accuracy."""

from __future__ import annotations

import numpy as np

BINS = 15


def reliability_bins(true: np.ndarray, probabilities: np.ndarray, bins: int = BINS) -> dict[str, np.ndarray]:
    """Faces sorted by the confidence (0, 1] of their prediction into `bins` equal ranges.

    Returns:
        {"confidence", "accuracy": means of each bin, 0 where it is empty, "count"}, each (bins,).
    """
    confidence = probabilities.max(1)
    correct = probabilities.argmax(1) == true
    index = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    count = np.bincount(index, minlength=bins)
    share = np.maximum(count, 1)
    return {
        "confidence": np.bincount(index, confidence, bins) / share,
        "accuracy": np.bincount(index, correct, bins) / share,
        "count": count,
    }


def expected_calibration_error(true: np.ndarray, probabilities: np.ndarray, bins: int = BINS) -> float:
    """Mean distance between confidence and accuracy over equal-width bins, weighted by their faces, in [0, 1].

    Guo et al. 2017, https://arxiv.org/abs/1706.04599; 0 is perfectly calibrated.
    """
    parts = reliability_bins(true, probabilities, bins)
    return float((parts["count"] * np.abs(parts["confidence"] - parts["accuracy"])).sum() / len(true))


def chance_calibration_error(confidence: np.ndarray, bins: int = BINS, draws: int = 100) -> float:
    """The calibration error that so many faces show on average where every confidence is exactly right, in [0, 1].

    An estimate from few faces is never 0, since the share of right answers in a bin scatters (Nixon et al. 2019,
    https://arxiv.org/abs/1904.01685, on what biases it).

    Args:
        confidence: (N,) the probability of each answer.
        bins: of the calibration error.
        draws: how often right and wrong are drawn from the confidences; the first draws are always the same.
    """
    index = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    rng = np.random.default_rng(0)
    errors = [np.bincount(index, (rng.random(len(confidence)) < confidence) - confidence, bins) for _ in range(draws)]
    return float(np.abs(errors).sum(1).mean() / len(confidence))
