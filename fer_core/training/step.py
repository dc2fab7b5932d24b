"""What happens to one batch: a step is a module that holds the network and whatever else it learns.

`forward(batch)` returns {"loss": scalar, "logits": (B, C)}. The loop trains the step's parameters, keeps its whole
state, and hands on `step.model` alone. A step draws its random numbers from PyTorch's global generator, which the loop
seeds for each epoch, and keeps what it remembers in buffers: so a run that stops goes on exactly.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, NamedTuple

from torch import Tensor, nn

from fer_core.config import TrainConfig, check_types
from fer_core.data.balance import class_weights
from fer_core.data.loaders import Faces
from fer_core.data.transforms import Normalisation
from fer_core.errors import ConfigError
from fer_core.labels import EMOTIONS
from fer_core.losses import Criterion, any_accepted, build_loss
from fer_core.models import create_model
from fer_core.models.base import FerModel
from fer_core.registry import Registry


class Batch(NamedTuple):
    """Faces of one step; a tuple, so that it passes through Fabric's and DDP's wrappers.

    Attributes:
        faces: (B, 1, h, w), augmented and normalised.
        labels: int64 (B,).
        targets: float32 (B, C); rows sum to 1, or name what is accepted in multi-label learning.
        places: int64 (B,), where the faces stand in Training.
        shares: float32 (B, 8), FER+'s votes as shares, where the dataset has them.
        epoch: epochs done, with the part of the one under way: 1.5 in the middle of the second.
    """

    faces: Tensor
    labels: Tensor
    targets: Tensor
    places: Tensor
    shares: Tensor | None = None
    epoch: float = 0.0


@dataclass(frozen=True)
class Setting:
    """What a step may need to know when it is built.

    Attributes:
        model: the network that is trained and saved.
        config: the run's.
        labels: class names in the order of the outputs.
        normalisation: what faces went through before the network.
        training: the faces to learn from; None where a step is only timed.
    """

    model: FerModel
    config: TrainConfig
    labels: tuple[str, ...] = EMOTIONS
    normalisation: Normalisation = Normalisation()  # noqa: RUF009 (frozen)
    training: Faces | None = None

    def criterion(self) -> Criterion:
        """The config's loss, smoothing and class weights."""
        config = self.config
        if config.targets == "ferplus_multi_label":
            if config.loss != "cross_entropy":
                raise ConfigError("ferplus_multi_label brings its own form of cross_entropy; leave out --loss")
            if config.class_weights != "none":
                raise ConfigError("ferplus_multi_label has no class to weigh a face by; leave out --class-weights")
            return Criterion(any_accepted)
        weights = None
        if self.training is not None:
            weights = class_weights(self.training.labels, len(self.labels), config.class_weights)
        return Criterion(build_loss(config.loss, **config.loss_options), config.label_smoothing, weights)

    def another_model(self) -> FerModel:
        """A second network of the same architecture with fresh weights."""
        config = self.config
        return create_model(config.model, len(self.labels), field=config.crop, **config.model_options)


class Step(nn.Module, ABC):
    """Base of every training method.

    Attributes:
        model: the network that is saved.
        facts: what the card must say of the method beyond its options.
        takes_votes: whether `ferplus_weight` goes with it.
    """

    takes_votes: bool = False

    def __init__(self, setting: Setting) -> None:
        super().__init__()
        self.model = setting.model
        self.criterion = setting.criterion()
        self.facts: dict[str, Any] = {}

    @abstractmethod
    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """A batch -> its loss, and the logits that the loop compares with the labels."""

    def logits(self, faces: Tensor) -> Tensor:
        """(B, 1, h, w) -> float32 (B, C)."""
        logits: Tensor = self.model(faces).float()
        return logits


LATEST = 0.25
"""Share of a run after which a method that waits some epochs for its later part has waited long enough."""

STEPS: Registry[type[Step]] = Registry("training method", package="fer_core.training.steps")


def build_step(setting: Setting) -> Step:
    """The step that a config asks for.

    Raises:
        UnknownNameError: no such method.
        ConfigError: an option that it does not have, a value of another kind than it takes, or one that does not go
            with the model or the dataset.
    """
    config = setting.config
    step = STEPS[config.method]
    known = [name for name in inspect.signature(step).parameters if name != "setting"]
    if unknown := sorted(set(config.method_options) - set(known)):
        has = ", ".join(known) or "none"
        raise ConfigError(f"the method {config.method!r} has no option {unknown[0]!r}; it has: {has}")
    check_types("method_options", step, config.method_options)
    if config.ferplus_weight and not step.takes_votes:
        able = ", ".join(name for name, other in STEPS.items() if other.takes_votes)
        raise ConfigError(f"ferplus_weight does not go with the method {config.method}, but with {able}")
    return step(setting, **config.method_options)


def pooled(features: Tensor) -> Tensor:
    """(B, D) or (B, D, h, w) -> (B, D)."""
    return features if features.ndim == 2 else features.flatten(2).mean(2)


def within_run(epochs: float, config: TrainConfig) -> float:
    """Epochs that a method waits: the option's, or a quarter of the run where that is less, even if within an epoch."""
    return min(float(epochs), LATEST * config.epochs)


def require_share(name: str, value: float) -> float:
    """`value` where it lies in 0..1; ConfigError otherwise."""
    if not 0 <= value <= 1:
        raise ConfigError(f"method_options: {name} ({value}) must be between 0 and 1")
    return value
