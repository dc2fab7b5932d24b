"""Sharpness-aware minimisation (Foret et al. 2021, https://arxiv.org/abs/2010.01412).

Weights at which the loss stays low all around bear wrong labels better than those of a narrow valley. A few such epochs
at the end of a run bring most of what a whole run does (Zhou et al. 2024, https://arxiv.org/abs/2410.10373).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.func import functional_call

from fer_core.errors import ConfigError
from fer_core.training.step import STEPS, Batch, Setting
from fer_core.training.steps.plain import PlainStep


@STEPS.register("sam")
class SamStep(PlainStep):
    """The plain loss, not where the weights are but at the worst place nearby: two passes a step.

    The worst place is that of the first-order climb of length `radius`. Batch norms remember the first pass only, as
    they are judged where the weights are. Of several processes each climbs by its own share of the batch.

    Args:
        setting: the run's.
        radius: length of the climb in the space of all weights; the paper's 0.05.
    """

    def __init__(self, setting: Setting, radius: float = 0.05) -> None:
        super().__init__(setting)
        if radius <= 0:
            raise ConfigError(f"method_options: radius ({radius}) must be above 0")
        self.radius = radius

    def forward(self, batch: Batch, climb: bool = True) -> dict[str, Tensor]:
        """A batch -> the loss up there, and the logits of where the weights are."""
        here = super().forward(batch)
        if not (climb and self.training):
            return here
        scratch = {name: buffer.clone() for name, buffer in self.named_buffers()}
        there = functional_call(self, self.uphill(here["loss"]) | scratch, (batch,), {"climb": False})
        return {"loss": there["loss"], "logits": here["logits"].detach()}

    def uphill(self, loss: Tensor) -> dict[str, Tensor]:
        """{name: weight after the climb}; the way is a constant, so a gradient up there is one of the weights here."""
        weights = dict(self.named_parameters())
        slopes = torch.autograd.grad(loss, list(weights.values()), materialize_grads=True)
        steepness = torch.nn.utils.get_total_norm(slopes).clamp(min=1e-12)
        return {
            name: weight + self.radius / steepness * slope
            for (name, weight), slope in zip(weights.items(), slopes, strict=True)
        }
