"""Does the heat point at what the model uses? Deletion and insertion (Petsiuk et al. 2018, https://arxiv.org/abs/1806.07421).

The pixels are removed, or shown, from the hottest to the coldest, and the target's probability is followed. A faithful
heatmap loses it early when pixels go (deletion near 0) and wins it early when they come (insertion near 1). Both only
mean something beside another method or a random order on the same face.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fer_core.explain.baselines import BLUR_SIGMA

Predict = Callable[[np.ndarray], np.ndarray]
"""uint8 (N, 48, 48) -> float32 (N, C) probabilities; a classifier's `predict_proba`."""

STEPS = 24


@dataclass(frozen=True)
class Faithfulness:
    """Areas under the two curves in [0, 1].

    Attributes:
        deletion: area under the target's probability as pixels go; lower is better.
        insertion: area under it as pixels come; higher is better.
    """

    deletion: float
    insertion: float

    def to_dict(self) -> dict[str, float]:
        """The two areas."""
        return {"deletion": self.deletion, "insertion": self.insertion}


def measure(
    predict: Predict, crop: np.ndarray, heatmap: np.ndarray, target: int, *, steps: int = STEPS
) -> Faithfulness:
    """Follows the target's probability in one batch of 2 * (steps + 1) faces.

    Args:
        predict: uint8 (N, H, W) -> (N, C) probabilities.
        crop: uint8 (H, W).
        heatmap: (H, W); of a signed one, what speaks for the target comes first and what speaks against it last.
        target: class index.
        steps: how many equal parts the pixels go in.
    """
    ranks = _ranks(heatmap)
    shares = np.linspace(0.0, 1.0, steps + 1)
    chosen = ranks[None] < (shares * ranks.size)[:, None, None]  # (S + 1, H, W), the hottest pixels
    deleted = np.where(chosen, _mean_grey(crop), crop)
    inserted = np.where(chosen, crop, _blurred(crop))
    batch = np.concatenate([deleted, inserted]).astype(np.uint8)
    removal, arrival = predict(batch)[:, target].astype(np.float64).reshape(2, -1)
    return Faithfulness(_area(removal), _area(arrival))


def _ranks(heatmap: np.ndarray) -> np.ndarray:
    """Place of each pixel from the hottest (0); equal pixels in a random, fixed order, not row by row."""
    flat = np.asarray(heatmap, dtype=np.float64).ravel()
    order = np.lexsort((np.random.default_rng(0).random(flat.size), -flat))
    ranks = np.empty(flat.size, dtype=np.int64)
    ranks[order] = np.arange(flat.size)
    return ranks.reshape(heatmap.shape)


def _mean_grey(crop: np.ndarray) -> int:
    return round(float(crop.mean()))


def _blurred(crop: np.ndarray) -> np.ndarray:
    """The face from which insertion starts, blurred so far that no feature is left, as in the paper."""
    from scipy.ndimage import gaussian_filter

    blurred: np.ndarray = gaussian_filter(crop.astype(np.float32), BLUR_SIGMA, mode="nearest").round()
    return blurred


def _area(curve: np.ndarray) -> float:
    return float(np.trapezoid(curve, dx=1.0 / (len(curve) - 1)))
