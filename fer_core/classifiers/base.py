"""The surface of a classifier."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from fer_core.data.table import SIDE
from fer_core.errors import DataError


class Classifier(Protocol):
    """Judges faces.

    Attributes:
        labels: class names in the order of the columns.
        device: what it computes on, in words.
    """

    labels: tuple[str, ...]
    device: str

    def predict_proba(self, faces: np.ndarray) -> np.ndarray:
        """uint8 (N, 48, 48) -> float32 (N, C); rows sum to 1."""
        ...


def check_faces(faces: np.ndarray) -> np.ndarray:
    """Returns the faces if they are uint8 (N, 48, 48), and raises DataError otherwise."""
    if faces.dtype != np.uint8 or faces.ndim != 3 or faces.shape[1:] != (SIDE, SIDE):
        raise DataError(f"faces must be uint8 (N, {SIDE}, {SIDE}), not {faces.dtype} {faces.shape}")
    return faces


def softmax(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """float (..., C) logits -> float32 probabilities over the last axis."""
    scaled = logits.astype(np.float64) / temperature
    exponentials = np.exp(scaled - scaled.max(-1, keepdims=True))
    probabilities: np.ndarray = (exponentials / exponentials.sum(-1, keepdims=True)).astype(np.float32)
    return probabilities
