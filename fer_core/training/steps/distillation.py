"""Distillation: the answers of trained networks as soft targets (Hinton et al. 2015, https://arxiv.org/abs/1503.02531)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from fer_core.artifacts import NETWORK, find_checkpoint, load_card
from fer_core.classifiers.network import load_network
from fer_core.config import Part
from fer_core.data.loaders import Faces
from fer_core.data.parts import in_part, learnt_part
from fer_core.data.table import SIDE
from fer_core.data.transforms import Normalisation
from fer_core.errors import ConfigError
from fer_core.models.base import FerModel
from fer_core.training.step import STEPS, Batch, Setting, require_share
from fer_core.training.steps.mixup import draw_share
from fer_core.training.voting import VotingStep


@dataclass
class Teacher:
    """A trained network with what its faces went through.

    Attributes:
        name: the checkpoint's.
        sha256: its weights'.
        labels: its class names.
        model: the network, in eval mode.
        normalisation: the faces' one.
        side: least side in pixels of the faces that it was trained on.
        part: of Training that it has learnt; None for the whole.
    """

    name: str
    sha256: str
    labels: tuple[str, ...]
    model: FerModel
    normalisation: Normalisation
    side: int
    part: Part | None = None

    def __call__(self, unit: Tensor) -> Tensor:
        """(B, 1, h, w) in [0, 1] -> logits (B, C); smaller faces than it knows are enlarged."""
        if unit.shape[-1] < self.side:
            unit = functional.interpolate(unit, self.side, mode="bilinear", align_corners=False)
        logits: Tensor = self.model.to(unit.device)(self.normalisation(unit)).float()
        return logits

    def is_new_to(self, training: Faces) -> Tensor:
        """bool (N,): the training faces that it may be asked about: those outside its part, or all with the whole."""
        if self.part is None:
            return torch.ones(len(training), dtype=torch.bool)
        return ~torch.from_numpy(in_part(training.pixels.cpu().numpy(), self.part))


def load_teacher(name: str) -> Teacher:
    """A checkpoint as a teacher.

    Raises:
        CheckpointError: there is none, or its weights do not fit.
        ConfigError: it is not a single network.
    """
    folder = find_checkpoint(name)
    card = load_card(folder)
    if card.kind != NETWORK:
        raise ConfigError(
            f"the teacher {card.name} is not a single network; name networks, such as the members of an ensemble: the "
            "mean of all teachers is learnt"
        )
    model = load_network(folder).requires_grad_(False).to(memory_format=torch.channels_last)
    normalisation = Normalisation(card.input["mean"], card.input["std"])
    side = card.input.get("field") or card.input.get("side", SIDE)
    return Teacher(card.name, card.weights_sha256, card.labels, model, normalisation, side, learnt_part(card))


@STEPS.register("distillation")
class DistillationStep(VotingStep):
    """The loss, and the divergence from the teachers' mean answer on the same augmented faces.

    Teachers may take turns, so that many cost a step no more than one (Fukuda et al. 2017,
    https://doi.org/10.21437/Interspeech.2017-614): the divergence is linear in what is taught but for a term that the
    network cannot change, so its gradient is on average that of the mean of all. Faces may be blended in pairs: of
    those, teachers know no label by heart (Beyer et al. 2022, https://arxiv.org/abs/2106.05237).

    Args:
        setting: the run's.
        teachers: checkpoints, names or folders.
        temperature: by which both logits are divided before the softmax.
        weight: share of the divergence in the loss, which is scaled by the temperature's square.
        turns: teachers that are asked about a face, drawn anew for each step; 0 asks all that may be asked.
        mixup: how even the shares of blended faces are, as `alpha` of mixup; 0 blends none.
    """

    def __init__(
        self,
        setting: Setting,
        teachers: Sequence[str] = (),
        temperature: float = 4.0,
        weight: float = 0.7,
        turns: int = 0,
        mixup: float = 0.0,
    ) -> None:
        super().__init__(setting)
        if isinstance(teachers, str) or not teachers:
            raise ConfigError('distillation needs teachers, such as --method-options \'{"teachers": ["vgg_se"]}\'')
        if temperature <= 0:
            raise ConfigError(f"method_options: temperature ({temperature}) must be above 0")
        if not 0 <= turns <= len(teachers):
            raise ConfigError(f"method_options: turns ({turns}) must be between 0 and the {len(teachers)} teachers")
        if mixup < 0:
            raise ConfigError(f"method_options: mixup ({mixup}) must be at least 0")
        if setting.config.part:
            raise ConfigError(
                f"a run of part {setting.config.part} cannot be taught: teachers either know faces of other parts, or "
                "know all of this part's by heart; leave out --part, or distillation"
            )
        self.temperature, self.weight = temperature, require_share("weight", weight)
        self.turns, self.mixup = turns, mixup
        self.normalisation = setting.normalisation
        self.teachers = tuple(load_teacher(name) for name in teachers)  # a tuple: neither trained nor saved
        for teacher in self.teachers:
            if teacher.labels != setting.labels:
                raise ConfigError(f"the teacher {teacher.name} knows {len(teacher.labels)} emotions, not the run's")
        self.may_ask = self._may_ask(setting.training)
        self.facts = {"teachers": _hashes(teachers, self.teachers)}

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """A batch -> loss and logits."""
        faces, loss = batch.faces, self.loss_of
        if self.mixup:
            partner = torch.randperm(len(batch.labels)).to(batch.faces.device)
            share = draw_share(self.mixup)
            faces, loss = (
                faces.lerp(faces[partner], 1 - share),
                partial(self.blended_loss, partner=partner, share=share),
            )
        answers = self.answer(faces)
        softened = (answers.logits / self.temperature).log_softmax(1)
        divergence = functional.kl_div(softened, self.taught(faces, batch.places), reduction="batchmean")
        total = (1 - self.weight) * loss(answers, batch) + self.weight * self.temperature**2 * divergence
        return {"loss": total, "logits": answers.logits}

    @torch.no_grad()
    def taught(self, faces: Tensor, places: Tensor) -> Tensor:
        """Normalised faces (B, 1, h, w) and where they stand in Training (B,) -> softened probabilities (B, C).

        Each face's are the mean over the teachers that are asked about it.
        """
        unit = faces * self.normalisation.std + self.normalisation.mean
        asked = self.asked(places)
        total = faces.new_zeros(len(faces), len(self.teachers[0].labels), dtype=torch.float32)
        for teacher, about in zip(self.teachers, asked, strict=True):
            if about.any():
                total[about] += (teacher(unit[about]) / self.temperature).softmax(1)
        return total / asked.sum(0).unsqueeze(1)

    def asked(self, places: Tensor) -> Tensor:
        """int64 (B,) -> bool (teachers, B): who is asked about which face in one step."""
        may = torch.ones(len(self.teachers), len(places), dtype=torch.bool, device=places.device)
        if self.may_ask is not None:
            may = self.may_ask.to(places.device)[:, places]
        if not self.turns:
            return may
        order = torch.randperm(len(self.teachers)).to(places.device)
        queue = may[order]
        return (queue & (queue.cumsum(0) <= self.turns))[order.argsort()]

    def _may_ask(self, training: Faces | None) -> Tensor | None:
        """bool (teachers, N): who may be asked about which training face; None where everybody may about every face."""
        if training is None or all(teacher.part is None for teacher in self.teachers):
            return None
        if self.mixup:
            raise ConfigError(
                "method_options: mixup blends faces of different parts of Training, which nobody who learnt a part may "
                "be asked about; leave one out, mixup or the teachers that learnt a part"
            )
        may = torch.stack([teacher.is_new_to(training) for teacher in self.teachers])
        if orphans := int((~may.any(0)).sum()):
            raise ConfigError(
                f"{orphans} training faces were learnt by every teacher, so nobody may be asked about them; add a "
                "teacher that learnt another part"
            )
        return may


def _hashes(given: Sequence[str], teachers: Sequence[Teacher]) -> dict[str, str]:
    """{name: hash of the weights}; a name that several have, as checkpoints of runs do, gives way to what was given."""
    names = [teacher.name for teacher in teachers]
    keys = [own if names.count(own) == 1 else told for own, told in zip(names, given, strict=True)]
    return {key: teacher.sha256 for key, teacher in zip(keys, teachers, strict=True)}
