"""Mixup: faces and targets blended in pairs (Zhang et al. 2018, https://arxiv.org/abs/1710.09412)."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from fer_core.errors import ConfigError
from fer_core.training.step import STEPS, Batch, Setting
from fer_core.training.voting import VotingStep


def draw_share(alpha: float) -> float:
    """One number in 0..1 from Beta(alpha, alpha)."""
    return float(torch.distributions.Beta(torch.tensor(alpha), torch.tensor(alpha)).sample())


class BlendStep(VotingStep):
    """Base of the methods that blend each face with another of its batch; `blend` says how."""

    def __init__(self, setting: Setting, alpha: float) -> None:
        super().__init__(setting)
        if alpha <= 0:
            raise ConfigError(f"method_options: alpha ({alpha}) must be above 0")
        self.alpha = alpha

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """A batch -> the loss against both targets, each by its share in the faces, and the logits."""
        partner = torch.randperm(len(batch.labels)).to(batch.faces.device)
        faces, share = self.blend(batch.faces, batch.faces[partner], draw_share(self.alpha))
        answers = self.answer(faces)
        return {"loss": self.blended_loss(answers, batch, partner, share), "logits": answers.logits}

    @abstractmethod
    def blend(self, faces: Tensor, others: Tensor, share: float) -> tuple[Tensor, float]:
        """Two batches and the share of the first -> their blend, and the share that the first really has in it."""


@STEPS.register("mixup")
class MixupStep(BlendStep):
    """Weighted means of two faces.

    Args:
        setting: the run's.
        alpha: how even the shares are; small values leave most faces almost as they are.
    """

    def __init__(self, setting: Setting, alpha: float = 0.2) -> None:
        super().__init__(setting, alpha)

    def blend(self, faces: Tensor, others: Tensor, share: float) -> tuple[Tensor, float]:
        return faces.lerp(others, 1 - share), share
