"""Functions of logits (B, C) and targets; `LOSSES` lists those that take class ids."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional

from fer_core.registry import Registry

Loss = Callable[[Tensor, Tensor, float], Tensor]
"""(logits (B, C), class ids (B,), label smoothing) -> scalar."""

LOSSES: Registry[Loss] = Registry("loss")


@LOSSES.register("cross_entropy")
def cross_entropy(logits: Tensor, targets: Tensor, smoothing: float = 0.0) -> Tensor:
    """Mean cross-entropy against smoothed one-hot targets (Szegedy et al. 2016, https://arxiv.org/abs/1512.00567)."""
    return functional.cross_entropy(logits, targets, label_smoothing=smoothing)


@LOSSES.register("focal")
def focal(logits: Tensor, targets: Tensor, smoothing: float = 0.0, gamma: float = 2.0) -> Tensor:
    """Mean of (1 - p)^gamma times the cross-entropy (Lin et al. 2017, https://arxiv.org/abs/1708.02002)."""
    probability = logits.softmax(1).gather(1, targets[:, None]).squeeze(1)
    losses = functional.cross_entropy(logits, targets, label_smoothing=smoothing, reduction="none")
    return ((1 - probability) ** gamma * losses).mean()


def soft_cross_entropy(logits: Tensor, shares: Tensor) -> Tensor:
    """Cross-entropy against shares (B, C) that sum to 1; faces whose shares are all 0 do not count.

    As in Barsoum et al. 2016, https://arxiv.org/abs/1608.01041, for FER+'s votes.
    """
    losses = -(shares * logits.log_softmax(1)).sum(1)  # (B,), 0 where nothing is shared out
    counted = (shares.sum(1) > 0).sum().clamp(min=1)
    return losses.sum() / counted


__all__ = ["LOSSES", "Loss", "cross_entropy", "focal", "soft_cross_entropy"]
