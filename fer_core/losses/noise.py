"""Losses that bear wrong labels."""

from __future__ import annotations

from torch import Tensor

from fer_core.errors import ConfigError
from fer_core.losses.base import LOSSES
from fer_core.losses.cross_entropy import cross_entropy


@LOSSES.register("generalised_cross_entropy")
def generalised_cross_entropy(logits: Tensor, targets: Tensor, q: float = 0.7) -> Tensor:
    """sum_k t_k (1 - p_k^q) / q, between cross-entropy (q to 0) and mean absolute error (q = 1).

    Zhang & Sabuncu 2018, https://arxiv.org/abs/1805.07836.
    """
    if not 0 < q <= 1:
        raise ConfigError(f"loss_options: q ({q}) must be above 0 and at most 1")
    return (targets * (1 - (q * logits.log_softmax(1)).exp()) / q).sum(1)


@LOSSES.register("symmetric_cross_entropy")
def symmetric_cross_entropy(
    logits: Tensor, targets: Tensor, alpha: float = 0.1, beta: float = 1.0, log_zero: float = -4.0
) -> Tensor:
    """alpha times the cross-entropy plus beta times its reverse, -sum_k p_k log t_k, where log 0 is `log_zero`.

    Wang et al. 2019, https://arxiv.org/abs/1908.06112.
    """
    log_t = targets.log().clamp(min=log_zero)
    reverse = -(logits.softmax(1) * log_t).sum(1)
    return alpha * cross_entropy(logits, targets) + beta * reverse
