"""A split as tensors, and its batches: every epoch's order is a function of (seed, epoch), so that a run can resume."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from fer_core.data.table import FaceDataset
from fer_core.data.transforms import Normalisation
from fer_core.errors import DataError
from fer_core.labels import FERPLUS_EMOTIONS


@dataclass(frozen=True)
class Faces:
    """A split in memory.

    Attributes:
        pixels: uint8 (N, 48, 48).
        labels: int64 (N,), class ids.
        shares: float32 (N, 8), FER+'s votes as shares, or none.
        targets: float32 (N, C), what to learn where that is more than the class ids, or none.
    """

    pixels: Tensor
    labels: Tensor
    shares: Tensor | None
    targets: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device) -> Faces:
        """The same on another device."""
        return self._each(lambda tensor: tensor.to(device))

    def select(self, index: Tensor) -> Faces:
        """The faces at these places, in their order."""
        return self._each(lambda tensor: tensor[index])

    def targets_for(self, classes: int) -> Tensor:
        """float32 (N, C): the targets, or the class ids one-hot."""
        return functional.one_hot(self.labels, classes).float() if self.targets is None else self.targets

    def _each(self, change: Callable[[Tensor], Tensor]) -> Faces:
        values = (self.pixels, self.labels, self.shares, self.targets)
        return Faces(*(None if value is None else change(value) for value in values))  # type: ignore[arg-type]


def to_faces(dataset: FaceDataset) -> Faces:
    """Copies a dataset's labelled faces into tensors; raises DataError where there is none."""
    dataset = dataset.select(dataset.labels >= 0)
    if not len(dataset):
        raise DataError("the dataset has no labelled face to learn from")
    shares = torch.from_numpy(vote_shares(dataset)) if dataset.has_votes else None
    pixels = torch.from_numpy(np.array(dataset.pixels))
    return Faces(pixels, torch.from_numpy(dataset.labels.astype(np.int64)), shares)


def vote_shares(dataset: FaceDataset) -> np.ndarray:
    """float32 (N, 8): each face's votes for the eight FER+ emotions as shares; all 0 where nobody voted for one."""
    votes = dataset.table[[f"votes_{name}" for name in FERPLUS_EMOTIONS]].to_numpy(np.float32)
    total = votes.sum(1, keepdims=True)
    return np.divide(votes, total, out=np.zeros_like(votes), where=total > 0)


def measure_normalisation(faces: Faces) -> Normalisation:
    """Mean and standard deviation of all pixels, in [0, 1] units, to six decimals."""
    histogram = torch.bincount(faces.pixels.flatten(), minlength=256).double()
    values = torch.arange(256, dtype=torch.float64, device=histogram.device) / 255
    mean = (histogram * values).sum() / histogram.sum()
    variance = (histogram * (values - mean) ** 2).sum() / histogram.sum()
    std = variance.sqrt().item() or 1.0
    return Normalisation(round(mean.item(), 6), round(std, 6))


def epoch_order(labels: Tensor, *, sampler: str, seed: int, epoch: int) -> Tensor:
    """Indices (N,) of an epoch: draws that give every class the same chance for `balanced`, else a permutation."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
    if sampler != "balanced":
        return torch.randperm(len(labels), generator=generator)
    per_class = torch.bincount(labels.cpu()).double()
    weights = 1 / per_class[labels.cpu()]
    return torch.multinomial(weights, len(labels), replacement=True, generator=generator)


def batches(order: Tensor, batch_size: int, *, rank: int = 0, world: int = 1) -> Iterator[Tensor]:
    """The index batches of one process; a short last batch is left out, unless it is the only one."""
    steps = max(1, len(order) // batch_size)
    for step in range(steps):
        yield order[step * batch_size : (step + 1) * batch_size][rank::world]
