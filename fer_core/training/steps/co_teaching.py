"""Co-teaching: two networks that pick each other's faces (Han et al. 2018, https://arxiv.org/abs/1804.06872)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from fer_core.errors import ConfigError
from fer_core.training.step import STEPS, Batch, Setting, Step, require_share, within_run


@STEPS.register("co_teaching")
class CoTeachingStep(Step):
    """Each network learns from the faces of a batch on which the other's loss is smallest; the first one is saved.

    The share that is left out grows in `ramp` equal stages. In a run of at least four times `ramp` epochs a stage is an
    epoch, as in the paper; in a shorter one the stages are shorter, parts of an epoch if need be, so that the last
    begins after a quarter of the run.

    Args:
        setting: the run's.
        noise: share of labels taken for wrong, and so of each batch that is left out in the end.
        ramp: epochs until that share is reached, at most a quarter of the run.
    """

    def __init__(self, setting: Setting, noise: float = 0.2, ramp: int = 10) -> None:
        super().__init__(setting)
        config = setting.config
        if config.init or config.freeze_epochs or config.backbone_learning_rate != 1:
            raise ConfigError(
                "co_teaching needs two networks that start apart; leave out --init, --freeze-epochs and "
                "--backbone-learning-rate"
            )
        if require_share("noise", noise) == 1 or ramp < 1:
            raise ConfigError(f"method_options: noise ({noise}) must be below 1 and ramp ({ramp}) at least 1")
        self.noise, self.ramp = noise, ramp
        self.facts["ramp_epochs"] = within_run(ramp, config)
        self.stage = within_run(ramp, config) / ramp  # in epochs
        self.peer = setting.another_model()

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """A batch -> the sum of both losses, and the first network's logits."""
        logits, peer_logits = self.logits(batch.faces), self.peer(batch.faces).float()
        mine = self._easiest(peer_logits, batch)
        theirs = self._easiest(logits, batch)
        loss = self.criterion(logits[mine], batch.targets[mine])
        return {"loss": loss + self.criterion(peer_logits[theirs], batch.targets[theirs]), "logits": logits}

    def kept(self, batch_size: int, epoch: float) -> int:
        """Faces of a batch that are learnt after that many epochs (1.5: in the middle of the second); at least one."""
        left_out = self.noise * min(math.floor(epoch / self.stage) / self.ramp, 1.0)
        return max(1, round((1 - left_out) * batch_size))

    @torch.no_grad()
    def _easiest(self, logits: Tensor, batch: Batch) -> Tensor:
        """Places in the batch where the loss is smallest."""
        losses = self.criterion.each(logits, batch.targets)
        return losses.argsort()[: self.kept(len(losses), batch.epoch)]
