"""One forward pass, one loss; where the config says so, a second head learns FER+'s votes beside it."""

from __future__ import annotations

from torch import Tensor, nn

from fer_core.errors import ConfigError
from fer_core.labels import FERPLUS_EMOTIONS
from fer_core.losses import soft_cross_entropy
from fer_core.training.step import STEPS, Batch, Setting, Step, pooled


@STEPS.register("plain")
class PlainStep(Step):
    """The loss of the logits; with `ferplus_weight`, plus that of a second linear head on the same features.

    The head learns how FER+'s ten voters were divided (Barsoum et al. 2016, https://arxiv.org/abs/1608.01041), which
    are labels of the same training images; it is left behind when training ends.
    """

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.vote_weight = setting.config.ferplus_weight
        if not self.vote_weight:
            return
        if setting.training is None or setting.training.shares is None:
            raise ConfigError("ferplus_weight needs FER+ votes; prepare the dataset with --ferplus fer2013new.csv")
        self.vote_head = nn.Linear(setting.model.feature_width, len(FERPLUS_EMOTIONS))

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """A batch -> loss and logits."""
        if not self.vote_weight:
            logits = self.logits(batch.faces)
            return {"loss": self.criterion(logits, batch.targets), "logits": logits}
        assert batch.shares is not None
        features = self.model.features(batch.faces)
        logits = self.model.head(features).float()
        votes = self.vote_head(pooled(features)).float()
        loss = self.criterion(logits, batch.targets) + self.vote_weight * soft_cross_entropy(votes, batch.shares)
        return {"loss": loss, "logits": logits}
