"""Pictures that are unlike the rest: blank, blown out, blurred, or no face.

Each face is measured in four ways; each measure becomes a robust z-score (distance from the median in units of 1.4826
median absolute deviations), and a face's score is its largest one. Above 3.5 it is called an outlier, as Iglewicz &
Hoaglin (1993) recommend; in FER2013 that marks one face in a hundred.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

THRESHOLD = 3.5
CAP = 99.0
"""Score of a constant picture, and the highest that any face gets."""

_COMPONENTS = 50


def measure(pixels: np.ndarray) -> pd.DataFrame:
    """uint8 (N, H, W) -> one row a face.

    Columns: brightness (mean, 0..255), contrast (standard deviation, 0..127.5), sharpness (log of 1 + the variance of
    the Laplacian), strangeness (log of 1 + the squared distance from the 50 main components of all faces).
    """
    return pd.DataFrame(
        {
            "brightness": pixels.mean(axis=(1, 2)),
            "contrast": pixels.std(axis=(1, 2)),
            "sharpness": np.log1p(_laplacian_variance(pixels)),
            "strangeness": np.log1p(_residual(pixels)),
        }
    )


def scores(measures: pd.DataFrame) -> np.ndarray:
    """float64 (N,): each face's largest robust z-score over the columns of `measure`, at most 99."""
    if measures.empty:
        return np.zeros(0)
    values = measures.to_numpy(np.float64)
    distance = np.abs(values - np.median(values, axis=0))
    spread = 1.4826 * np.median(distance, axis=0)
    worst = (distance / np.where(spread > 0, spread, np.inf)).max(axis=1)
    return np.where(measures["contrast"] == 0, CAP, np.minimum(worst, CAP))


def _laplacian_variance(pixels: np.ndarray) -> np.ndarray:
    variances = []
    for start in range(0, len(pixels), 4096):
        part = pixels[start : start + 4096].astype(np.int16)
        inner = part[:, 1:-1, 1:-1] * np.int16(-4)
        inner += part[:, :-2, 1:-1] + part[:, 2:, 1:-1] + part[:, 1:-1, :-2] + part[:, 1:-1, 2:]
        variances.append(inner.astype(np.float32).var(axis=(1, 2)))
    return np.concatenate(variances) if variances else np.zeros(0)


def _residual(pixels: np.ndarray) -> np.ndarray:
    n, height, width = pixels.shape
    small = (
        pixels[:, : height // 2 * 2, : width // 2 * 2]
        .reshape(n, height // 2, 2, width // 2, 2)
        .mean((2, 4), np.float32)
    )
    flat = small.reshape(n, -1)
    flat -= flat.mean(0)
    # eigenvectors of the small covariance matrix instead of an SVD of all faces
    _, vectors = np.linalg.eigh(flat.T @ flat)
    main = vectors[:, -_COMPONENTS:]
    squared: np.ndarray = (flat**2).sum(1) - ((flat @ main) ** 2).sum(1)
    return np.maximum(squared, 0) / flat.shape[1]
