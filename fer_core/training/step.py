"""What happens to one batch: a step is a module that holds the network and whatever else it learns.

`forward(faces, labels, shares)` returns {"loss": scalar, "logits": (B, C)}. The loop trains the step's parameters and
saves only `step.model`.
"""

from __future__ import annotations

from torch import Tensor, nn

from fer_core.config import TrainConfig
from fer_core.errors import ConfigError
from fer_core.labels import FERPLUS_EMOTIONS
from fer_core.losses import LOSSES, soft_cross_entropy
from fer_core.models.base import FerModel


class PlainStep(nn.Module):
    """One forward pass, one loss on class ids."""

    def __init__(self, model: FerModel, loss: str, smoothing: float) -> None:
        super().__init__()
        self.model = model
        self.loss = LOSSES[loss]
        self.smoothing = smoothing

    def forward(self, faces: Tensor, labels: Tensor, shares: Tensor | None = None) -> dict[str, Tensor]:
        """(B, 1, H, W), (B,), ignored -> loss and logits."""
        logits = self.model(faces).float()
        return {"loss": self.loss(logits, labels, self.smoothing), "logits": logits}


class FerPlusStep(PlainStep):
    """A second linear head on the same features learns how FER+'s ten voters were divided.

    The votes (Barsoum et al. 2016, https://arxiv.org/abs/1608.01041) are labels of the same training images; the head
    is left behind when training ends.
    """

    def __init__(self, model: FerModel, loss: str, smoothing: float, weight: float) -> None:
        super().__init__(model, loss, smoothing)
        self.weight = weight
        self.vote_head = nn.Linear(model.feature_width, len(FERPLUS_EMOTIONS))

    def forward(self, faces: Tensor, labels: Tensor, shares: Tensor | None = None) -> dict[str, Tensor]:
        """(B, 1, H, W), (B,), (B, 8) -> loss and logits."""
        assert shares is not None
        features = self.model.features(faces)
        logits = self.model.head(features).float()
        votes = self.vote_head(features if features.ndim == 2 else features.mean((2, 3))).float()
        loss = self.loss(logits, labels, self.smoothing) + self.weight * soft_cross_entropy(votes, shares)
        return {"loss": loss, "logits": logits}


def build_step(model: FerModel, config: TrainConfig, *, has_votes: bool) -> PlainStep:
    """The step that a config asks for; raises ConfigError where it needs votes that the dataset lacks."""
    if config.ferplus_weight == 0:
        return PlainStep(model, config.loss, config.label_smoothing)
    if not has_votes:
        raise ConfigError("ferplus_weight needs FER+ votes; prepare the dataset with --ferplus fer2013new.csv")
    return FerPlusStep(model, config.loss, config.label_smoothing, config.ferplus_weight)
