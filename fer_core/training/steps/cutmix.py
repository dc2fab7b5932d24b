"""CutMix: a rectangle of each face comes from another (Yun et al. 2019, https://arxiv.org/abs/1905.04899)."""

from __future__ import annotations

import torch
from torch import Tensor

from fer_core.training.step import STEPS, Setting
from fer_core.training.steps.mixup import BlendStep


@STEPS.register("cutmix")
class CutmixStep(BlendStep):
    """One rectangle a batch, of the face's proportions.

    Args:
        setting: the run's.
        alpha: how even the shares are; 1 draws them uniformly.
    """

    def __init__(self, setting: Setting, alpha: float = 1.0) -> None:
        super().__init__(setting, alpha)

    def blend(self, faces: Tensor, others: Tensor, share: float) -> tuple[Tensor, float]:
        side = faces.shape[-1]
        top, bottom = _span(side, (1 - share) ** 0.5)
        left, right = _span(side, (1 - share) ** 0.5)
        mixed = faces.clone()
        mixed[..., top:bottom, left:right] = others[..., top:bottom, left:right]
        return mixed, 1 - (bottom - top) * (right - left) / side**2


def _span(side: int, length: float) -> tuple[int, int]:
    """Where a stretch of this share of the side begins and ends, around a random middle; the face's edge cuts it."""
    middle, half = float(torch.rand(())) * side, length * side / 2
    return max(0, round(middle - half)), min(side, round(middle + half))
