"""Cross-entropy and what grew out of it; all take soft targets."""

from __future__ import annotations

from torch import Tensor

from fer_core.errors import ConfigError
from fer_core.losses.base import LOSSES

TINY = 1e-6


@LOSSES.register("cross_entropy")
def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """-sum_k t_k log p_k; against FER+'s vote shares this is Barsoum et al.'s cross-entropy loss."""
    return -(targets * logits.log_softmax(1)).sum(1)


@LOSSES.register("focal")
def focal(logits: Tensor, targets: Tensor, gamma: float = 2.0) -> Tensor:
    """-sum_k t_k (1 - p_k)^gamma log p_k (Lin et al. 2017, https://arxiv.org/abs/1708.02002)."""
    if not gamma >= 0:
        raise ConfigError(f"loss_options: gamma ({gamma}) must be at least 0")
    log_p = logits.log_softmax(1)
    doubt = (1 - log_p.exp()).clamp(min=TINY)  # a root of 0 has no slope
    return -(targets * doubt**gamma * log_p).sum(1)


def soft_cross_entropy(logits: Tensor, shares: Tensor) -> Tensor:
    """Mean cross-entropy against shares (B, C) that sum to 1; faces whose shares are all 0 do not count.

    As in Barsoum et al. 2016, https://arxiv.org/abs/1608.01041, for FER+'s votes.
    """
    losses = cross_entropy(logits, shares)  # (B,), 0 where nothing is shared out
    counted = (shares.sum(1) > 0).sum().clamp(min=1)
    return losses.sum() / counted


def any_accepted(logits: Tensor, accepted: Tensor) -> Tensor:
    """-max_k log p_k over the accepted emotions (B, C), each 1: the network may settle for any of them.

    Multi-label learning in Barsoum et al. 2016, https://arxiv.org/abs/1608.01041.
    """
    return -logits.log_softmax(1).masked_fill(accepted <= 0, float("-inf")).amax(1)
