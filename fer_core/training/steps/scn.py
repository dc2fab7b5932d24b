"""Self-cure network (Wang et al. 2020, https://arxiv.org/abs/2002.10392).

A small branch says how much each face of a batch counts; the rest of the batch must count less than its better part,
and after some epochs (in short runs, after a quarter of them) faces in that rest whose label looks wrong get another.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from fer_core.errors import ConfigError
from fer_core.training.step import STEPS, Batch, Setting, Step, pooled, require_share, within_run

UNCHANGED = -1


@STEPS.register("scn")
class ScnStep(Step):
    """Importance weighting, rank regularisation and relabelling.

    Args:
        setting: the run's.
        better: share of a batch that must count more than the rest.
        margin: by how much, in the mean.
        rank_weight: share of the rank regularisation in the loss.
        relabel_after: epochs before the first relabelling, at most a quarter of the run: 10, as in the paper, from 40
            epochs on, half an epoch in a run of two.
        relabel_margin: by how much another class must be more probable than the label.
    """

    relabelled: Tensor

    def __init__(
        self,
        setting: Setting,
        better: float = 0.7,
        margin: float = 0.15,
        rank_weight: float = 0.5,
        relabel_after: int = 10,
        relabel_margin: float = 0.2,
    ) -> None:
        super().__init__(setting)
        if setting.config.targets == "ferplus_multi_label":
            raise ConfigError("scn relabels faces that have one label; take other --targets than ferplus_multi_label")
        self.better, self.margin = require_share("better", better), margin
        self.rank_weight = require_share("rank_weight", rank_weight)
        self.relabel_after, self.relabel_margin = within_run(relabel_after, setting.config), relabel_margin
        self.facts["relabel_after_epochs"] = self.relabel_after
        self.importance = nn.Linear(setting.model.feature_width, 1)
        faces = 1 if setting.training is None else len(setting.training)
        self.register_buffer("relabelled", torch.full((faces,), UNCHANGED))  # (N,), new labels

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """A batch -> loss and weighted logits."""
        features = self.model.features(batch.faces)
        importance = torch.sigmoid(self.importance(pooled(features)).float()).squeeze(1)  # (B,)
        logits = self.model.head(features).float() * importance[:, None]
        targets = self._targets(batch)
        order = importance.argsort(descending=True)
        split = min(max(1, int(self.better * len(order))), len(order) - 1) if len(order) > 1 else 1
        loss = (1 - self.rank_weight) * self.criterion(logits, targets)
        if split < len(order):
            loss = loss + self.rank_weight * self._disorder(importance[order], split)
            if self.training and batch.epoch >= self.relabel_after:
                self._relabel(batch.places, logits, targets, order[split:])
        return {"loss": loss, "logits": logits}

    def _targets(self, batch: Batch) -> Tensor:
        """The batch's targets, one-hot of the new label where there is one."""
        new = self.relabelled[batch.places]
        one_hot = functional.one_hot(new.clamp(min=0), batch.targets.shape[1]).to(batch.targets)
        return torch.where((new == UNCHANGED)[:, None], batch.targets, one_hot)

    def _disorder(self, ranked: Tensor, split: int) -> Tensor:
        """How far the better part's mean falls short of the rest's plus the margin."""
        return (self.margin - (ranked[:split].mean() - ranked[split:].mean())).clamp(min=0)

    @torch.no_grad()
    def _relabel(self, places: Tensor, logits: Tensor, targets: Tensor, rest: Tensor) -> None:
        """Gives faces of the rest the class that beats their label by the margin, from their next look on."""
        probabilities = logits.detach().softmax(1)[rest]
        highest, found = probabilities.max(1)
        given = probabilities.gather(1, targets[rest].argmax(1, keepdim=True)).squeeze(1)
        changed = highest > given + self.relabel_margin
        mine = places[rest][changed].tolist(), found[changed].tolist()
        for where, labels in _from_all_processes(mine):
            self.relabelled[where] = torch.tensor(labels, dtype=torch.long, device=self.relabelled.device)


def _from_all_processes(changes: Any) -> list[Any]:
    """This process's changes and those of the others, in the order of the processes."""
    distributed = torch.distributed
    if not (distributed.is_available() and distributed.is_initialized()):
        return [changes]
    everyone: list[Any] = [None] * distributed.get_world_size()
    distributed.all_gather_object(everyone, changes)
    return everyone
