"""Two models on the same faces: how far apart their accuracies are, and whether chance explains it."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np


@dataclass(frozen=True)
class PairedDifference:
    """Accuracy of a first model minus that of a second one, on the same faces.

    Attributes:
        n: faces.
        only_first: those that the first alone reads rightly; `only_second` those that the second alone does.
        difference: of the accuracies, in [-1, 1].
        interval: of the difference, 95 % unless told, in [-1, 1].
        p_value: how often two equally good models would differ on at least so many faces, in (0, 1].
    """

    n: int
    only_first: int
    only_second: int
    difference: float
    interval: tuple[float, float]
    p_value: float


def paired_difference(first: np.ndarray, second: np.ndarray, confidence: float = 0.95) -> PairedDifference:
    """Compares two models on the same faces; the faces on which both are right or both wrong say nothing of which is
    better, so two intervals of their own, which count them, may overlap where the models do differ.

    The interval is Agresti and Min's (2005, https://doi.org/10.1002/sim.1781): Wald's, after half a face was added to
    each cell of right and wrong. The p-value is McNemar's exact one (1947, https://doi.org/10.1007/BF02295996).

    Args:
        first: bool (N,), the faces that the first model reads rightly.
        second: bool (N,), the same of the second.
        confidence: of the interval.

    Raises:
        ValueError: there is no face, or not the same number of both.
    """
    if not len(first) or len(first) != len(second):
        raise ValueError(f"{len(first)} and {len(second)} answers are no pairs")
    ahead, behind = int((first & ~second).sum()), int((second & ~first).sum())
    n = len(first)
    return PairedDifference(
        n, ahead, behind, (ahead - behind) / n, _interval(ahead, behind, n, confidence), _mcnemar(ahead, behind)
    )


def _interval(ahead: int, behind: int, n: int, confidence: float) -> tuple[float, float]:
    z, total = NormalDist().inv_cdf(0.5 + confidence / 2), n + 2
    centre = (ahead - behind) / total
    half = z * sqrt(ahead + behind + 1 - (ahead - behind) ** 2 / total) / total
    return max(-1.0, centre - half), min(1.0, centre + half)


def _mcnemar(ahead: int, behind: int) -> float:
    """Two-sided binomial test of whether either model is as likely to be the right one where only one is."""
    from scipy.stats import binomtest

    return float(binomtest(ahead, ahead + behind).pvalue) if ahead + behind else 1.0
