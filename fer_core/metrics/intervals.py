"""Confidence intervals of a share."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

import numpy as np


def wilson_interval(successes: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval (1927) of `successes` out of `n`, as (low, high) in [0, 1].

    Both may be fractions of a count, as where copies are weighed (`effective_count`).

    Raises:
        ValueError: `n` is not above 0, or `successes` not between 0 and `n`.
    """
    if n <= 0 or not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is no share")
    z, share = NormalDist().inv_cdf(0.5 + confidence / 2), successes / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    low, high = centre - half, centre + half
    return max(0.0, low) if successes else 0.0, min(1.0, high) if successes < n else 1.0


def effective_count(items: np.ndarray) -> float:
    """How many different items say as much about a mean as these (n,), some of which occur more than once.

    n^2 / sum of k^2 over the different items that occur k times each (Kish 1965, Survey Sampling): n where all differ,
    and never more than their number.
    """
    copies = np.unique(np.asarray(items), return_counts=True)[1]
    return float(copies.sum() ** 2 / (copies.astype(np.float64) ** 2).sum())
