"""Learning from FER+'s votes beside the labels: a second head on the same features, where a method can use one."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from fer_core.errors import ConfigError
from fer_core.labels import FERPLUS_EMOTIONS
from fer_core.losses import soft_cross_entropy
from fer_core.training.step import Batch, Setting, Step, pooled


class Answers(NamedTuple):
    """What a batch was answered: float32 logits (B, C), and those of the votes (B, 8) where there is a second head."""

    logits: Tensor
    votes: Tensor | None

    def first(self, faces: int) -> Answers:
        """The answers of the first `faces` of the batch."""
        return Answers(self.logits[:faces], None if self.votes is None else self.votes[:faces])


class VotingStep(Step):
    """Base of the methods that can learn, with `ferplus_weight`, how FER+'s ten voters were divided.

    The votes (Barsoum et al. 2016, https://arxiv.org/abs/1608.01041) are labels of the same training images. Their head
    is linear on the features that the model's own head sees, and is left behind when training ends.
    """

    takes_votes = True

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.vote_weight = setting.config.ferplus_weight
        if not self.vote_weight:
            return
        if setting.training is None or setting.training.shares is None:
            raise ConfigError("ferplus_weight needs FER+ votes; prepare the dataset with --ferplus fer2013new.csv")
        self.vote_head = nn.Linear(setting.model.feature_width, len(FERPLUS_EMOTIONS))

    def answer(self, faces: Tensor) -> Answers:
        """(B, 1, h, w) -> what both heads say, from one pass."""
        if not self.vote_weight:
            return Answers(self.logits(faces), None)
        features = self.model.features(faces)
        return Answers(self.model.head(features).float(), self.vote_head(pooled(features)).float())

    def loss(self, answers: Answers, targets: Tensor, shares: Tensor | None) -> Tensor:
        """The criterion on the logits, and the weighted cross-entropy of the votes.

        Args:
            answers: of B faces.
            targets: float32 (B, C).
            shares: float32 (B, 8), FER+'s votes as shares; not looked at without a second head.
        """
        loss = self.criterion(answers.logits, targets)
        if answers.votes is None:
            return loss
        assert shares is not None
        return loss + self.vote_weight * soft_cross_entropy(answers.votes, shares)

    def loss_of(self, answers: Answers, batch: Batch) -> Tensor:
        """The loss of a batch's own faces."""
        return self.loss(answers, batch.targets, batch.shares)

    def blended_loss(self, answers: Answers, batch: Batch, partner: Tensor, share: float) -> Tensor:
        """The loss of faces that were blended with those of `partner` (B,), each target by its share in the faces."""
        theirs = None if batch.shares is None else batch.shares[partner]
        own, others = self.loss_of(answers, batch), self.loss(answers, batch.targets[partner], theirs)
        return share * own + (1 - share) * others
