"""The squared hinge of a support vector machine, one class against the rest."""

from __future__ import annotations

from torch import Tensor

from fer_core.losses.base import LOSSES


@LOSSES.register("l2_svm")
def l2_svm(logits: Tensor, targets: Tensor) -> Tensor:
    """sum_k max(0, 1 - y_k z_k)^2 with y_k = 2 t_k - 1 (Tang 2013, https://arxiv.org/abs/1306.0239).

    The norm of the weights, the other half of the paper's objective, is the optimiser's weight decay.
    """
    return (1 - (2 * targets - 1) * logits).clamp(min=0).square().sum(1)
