"""What a loss is, the registry, and how losses of faces become the loss of a batch."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor

from fer_core.config import check_types
from fer_core.errors import ConfigError
from fer_core.registry import Registry

Loss = Callable[..., Tensor]
"""(logits (B, C), targets (B, C) whose rows sum to 1, **options) -> (B,), one loss a face."""

LOSSES: Registry[Loss] = Registry("loss")


def build_loss(name: str, **options: Any) -> Loss:
    """A registered loss with its options bound.

    Raises:
        UnknownNameError: no such loss.
        ConfigError: an option that it does not have, or a value that is no number.
    """
    loss = LOSSES[name]
    known = list(inspect.signature(loss).parameters)[2:]
    if unknown := sorted(set(options) - set(known)):
        raise ConfigError(f"the loss {name!r} has no option {unknown[0]!r}; it has: {', '.join(known) or 'none'}")
    check_types("loss_options", loss, options)
    return partial(loss, **options)


def smooth(targets: Tensor, smoothing: float) -> Tensor:
    """Takes a share of each target and spreads it evenly (Szegedy et al. 2016, https://arxiv.org/abs/1512.00567)."""
    return targets * (1 - smoothing) + smoothing / targets.shape[1]


@dataclass(frozen=True)
class Criterion:
    """A loss with what a run adds to it.

    Attributes:
        loss: one loss a face.
        smoothing: share of each target that is spread over all classes.
        weights: (C,) weight of each class, or none.
    """

    loss: Loss
    smoothing: float = 0.0
    weights: Tensor | None = None

    def each(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, C), (B, C) -> (B,), without class weights."""
        return self.loss(logits, smooth(targets, self.smoothing) if self.smoothing else targets)

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, C), (B, C) -> their mean, in which a face counts as much as its classes weigh."""
        losses = self.each(logits, targets)
        if self.weights is None:
            return losses.mean()
        weights = targets @ self.weights.to(targets)  # (B,)
        return (losses * weights).sum() / weights.sum()
