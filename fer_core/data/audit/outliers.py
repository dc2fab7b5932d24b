"""Pictures that are unlike the rest: blank, blown out, blurred, or no face.

Each face is measured in four ways; each measure (contrast by its logarithm) becomes a robust z-score, the distance from
the median in units of 1.4826 median absolute deviations, and a face's score is its largest one. Above 3.5 it is called
an outlier, as Iglewicz & Hoaglin (1993) recommend: in FER2013 one face in sixty, mostly text, drawings, pictures that
were not available, and very blurred or dark faces. Constant pictures get the highest score there is; among fewer
than ten faces nothing else is an outlier.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

THRESHOLD: Final = 3.5
CAP: Final = 99.0
"""Score of a constant picture, and the highest that any face gets."""

MEASURES: Final = ("brightness", "contrast", "sharpness", "strangeness")

_COMPONENTS = 50
_FACES_PER_COMPONENT = 10  # fewer, and the components would learn each face by heart
_FEWEST = 10  # faces below which nothing can be called usual
_UNSURE = 20  # faces whose spread is known to a half only: few faces widen it
_LEAST_SPREAD = np.array([1.0, 0.02, 0.05, 0.02])  # by measure: below this, differences mean nothing
_CHUNK = 1024


def measure(pixels: np.ndarray) -> pd.DataFrame:
    """uint8 (N, H, W) -> one row a face.

    Columns: brightness (mean, 0..255), contrast (standard deviation, 0..127.5), sharpness (log of 1 + the variance of
    the Laplacian), strangeness (log of 1 + the squared distance from the main components of all faces, at most 50,
    after each is brought to the same brightness and contrast).
    """
    parts = [_measure(pixels[start : start + _CHUNK]) for start in range(0, len(pixels), _CHUNK)]
    plain = np.concatenate(parts) if parts else np.zeros((0, 3))
    table = pd.DataFrame(plain, columns=list(MEASURES[:3]))
    return table.assign(strangeness=np.log1p(_residual(_standard(pixels))))


def scores(measures: pd.DataFrame) -> np.ndarray:
    """float64 (N,): each face's largest robust z-score over the columns of `measure`, at most 99."""
    worst = _distances(measures).max(axis=1, initial=0.0)
    return np.where(measures["contrast"] == 0, CAP, np.minimum(worst, CAP))


def reasons(measures: pd.DataFrame) -> np.ndarray:
    """str (N,): the measure that makes a face an outlier, `constant`, or nothing for a face that is none."""
    if measures.empty:
        return np.zeros(0, dtype=object)
    names = np.array(MEASURES, dtype=object)[_distances(measures).argmax(axis=1)]
    names[scores(measures) <= THRESHOLD] = ""
    names[(measures["contrast"] == 0).to_numpy()] = "constant"
    return names


def _distances(measures: pd.DataFrame) -> np.ndarray:
    """Robust z-scores (N, 4)."""
    table = measures[list(MEASURES)].assign(contrast=np.log1p(measures["contrast"]))
    values = table.to_numpy(np.float64)
    if len(values) < _FEWEST:
        return np.zeros_like(values)
    distance = np.abs(values - np.median(values, axis=0))
    spread = 1.4826 * np.median(distance, axis=0)
    mean = 1.2533 * distance.mean(axis=0)  # where more than half of the faces are the same
    spread = np.where(spread > 0, spread, mean) * (1 + _UNSURE / len(values))
    z: np.ndarray = distance / np.maximum(spread, _LEAST_SPREAD)
    return z


def _measure(faces: np.ndarray) -> np.ndarray:
    """Brightness, contrast and sharpness (n, 3)."""
    n = len(faces)
    grey = np.asarray(faces, np.float32)
    inner = grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1] + grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:] - 4 * grey[:, 1:-1, 1:-1]
    flat = grey.reshape(n, -1)
    sharpness = np.log1p(inner.reshape(n, -1).var(axis=1))
    constant = flat.min(axis=1) == flat.max(axis=1)  # rounding must not give a constant face a contrast
    return np.stack([flat.mean(axis=1), np.where(constant, 0, flat.std(axis=1)), sharpness], axis=1)


def _standard(pixels: np.ndarray) -> np.ndarray:
    """float32 (N, H/2 * W/2): half the resolution, mean 0, standard deviation 1."""
    parts = []
    for start in range(0, len(pixels), _CHUNK):
        part = np.asarray(pixels[start : start + _CHUNK], np.float32)
        even = part[:, : part.shape[1] // 2 * 2, : part.shape[2] // 2 * 2]
        small = even[:, ::2, ::2] + even[:, 1::2, ::2] + even[:, ::2, 1::2] + even[:, 1::2, 1::2]
        flat = small.reshape(len(part), -1)
        flat -= flat.mean(1, keepdims=True)
        parts.append(flat / np.maximum(flat.std(1, keepdims=True), 4))
    return np.concatenate(parts) if parts else np.zeros((0, 1), np.float32)


def _residual(flat: np.ndarray) -> np.ndarray:
    """Mean squared distance (N,) from the subspace of the main components."""
    if not len(flat):
        return np.zeros(0)
    flat = flat - flat.mean(0)
    total = np.einsum("ni,ni->n", flat, flat)
    if kept := min(_COMPONENTS, len(flat) // _FACES_PER_COMPONENT):
        # eigenvectors of the small covariance matrix instead of an SVD of all faces
        _, vectors = np.linalg.eigh(flat.T @ flat)
        along = flat @ vectors[:, -kept:]
        total = total - np.einsum("nk,nk->n", along, along)
    residual: np.ndarray = np.maximum(total, 0) / flat.shape[1]
    return residual
