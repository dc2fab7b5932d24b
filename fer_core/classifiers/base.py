"""The surface of a classifier, and what all classifiers that are read from a checkpoint share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from fer_core.artifacts import Card, load_card
from fer_core.classifiers.folded_views import folded_view
from fer_core.data.table import SIDE
from fer_core.errors import DataError, UnsupportedError

if TYPE_CHECKING:
    from torch import Tensor

    from fer_core.models.base import FerModel

BATCH = 256
"""Faces that are judged in one call."""
TINY = 1e-7
"""Probabilities are taken for at least this before their logarithm."""


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


class CheckpointClassifier(ABC):
    """A checkpoint that answers: a network, an ensemble or a classical method.

    Args:
        folder: the checkpoint's folder.
        device: what it computes on, in words.
    """

    def __init__(self, folder: Path, device: str) -> None:
        self.folder, self.device = folder, device
        self.card: Card = load_card(folder)
        self.labels: tuple[str, ...] = self.card.labels
        self._views = folded_view(self.card).views

    @property
    def name(self) -> str:
        """The checkpoint's name."""
        return self.card.name

    def predict_proba(self, faces: np.ndarray) -> np.ndarray:
        """uint8 (N, 48, 48) -> float32 (N, C); rows sum to 1, softened by the card's temperature."""
        return softmax(self.predict_logits(faces), self.card.temperature)

    def predict_logits(self, faces: np.ndarray) -> np.ndarray:
        """uint8 (N, 48, 48) -> float32 (N, C), before temperature and softmax; the card's views are averaged."""
        check_faces(faces)
        if not len(faces):
            return np.zeros((0, len(self.labels)), np.float32)
        size = BATCH // len(self._views)
        return np.concatenate([self._judge(faces[start : start + size]) for start in range(0, len(faces), size)])

    @abstractmethod
    def forward(self, faces: np.ndarray) -> np.ndarray:
        """uint8 (N, 48, 48), at most BATCH of them -> float32 logits (N, C) of the faces as they are."""

    def torch_model(self) -> FerModel:
        """What there is to look into, in PyTorch: a network, or several as one; raises UnsupportedError elsewhere."""
        raise UnsupportedError(f"{self.name} is not one network, so there is nothing inside to look at")

    def normalise(self, faces: np.ndarray) -> Tensor:
        """uint8 (N, 48, 48) -> what `torch_model` takes, (N, 1, 48, 48)."""
        raise UnsupportedError(f"{self.name} is not one network, so it has no input of its own")

    def _judge(self, faces: np.ndarray) -> np.ndarray:
        """All views of the faces in one call."""
        views = np.concatenate([view(faces) for view in self._views])
        logits = self.forward(np.ascontiguousarray(views))
        return mean_over_views(logits.reshape(len(self._views), len(faces), -1))


def mean_over_views(logits: np.ndarray) -> np.ndarray:
    """(V, N, C) logits -> float32 (N, C): the logarithm of the mean probability, or the logits of the only view."""
    if len(logits) == 1:
        return np.asarray(logits[0], np.float32)
    return log_probabilities(softmax(logits).mean(0)).astype(np.float32)


def log_probabilities(probabilities: np.ndarray) -> np.ndarray:
    """float64 logarithms, finite where a probability is 0."""
    logs: np.ndarray = np.log(np.maximum(probabilities.astype(np.float64), TINY))
    return logs


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
