"""At most so many of many, the same ones for the same seed."""

from __future__ import annotations

import numpy as np


def at_most(limit: int | None, items: np.ndarray, seed: int) -> np.ndarray:
    """Of the items (N,), `limit` drawn without replacement and sorted; all, as they lie, where there are no more."""
    if limit is None or limit >= len(items):
        return items
    return np.sort(np.random.default_rng(seed).choice(items, limit, replace=False))
