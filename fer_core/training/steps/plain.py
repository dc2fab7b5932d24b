"""One forward pass, one loss."""

from __future__ import annotations

from torch import Tensor

from fer_core.training.step import STEPS, Batch
from fer_core.training.voting import VotingStep


@STEPS.register("plain")
class PlainStep(VotingStep):
    """The loss of the logits; with `ferplus_weight`, plus that of the second head."""

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """A batch -> loss and logits."""
        answers = self.answer(batch.faces)
        return {"loss": self.loss(answers, batch.targets, batch.shares), "logits": answers.logits}
