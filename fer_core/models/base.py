"""What a model is, and the registry of them.

A model is an `nn.Module` that maps normalised faces (B, 1, H, W) to logits (B, C), with H = W = 48. It offers two more
names that training and explanation rely on:

- `features(x) -> (B, D)` or a map (B, D, h, w), and `head(features) -> (B, C)`, with `forward(x) = head(features(x))`
  and `feature_width = D`;
- `cam_layer`: the last module with a map of height and width above one, where Grad-CAM looks.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from fer_core.config import check_types
from fer_core.errors import ConfigError
from fer_core.labels import labels_for
from fer_core.registry import Registry


class FerModel(nn.Module):
    """Base of every architecture: features, then a head."""

    feature_width: int
    head: nn.Module
    field: int | None = None
    """Side in pixels of the centre of a face that the network looks at; None: all of it."""

    def features(self, x: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, D) or (B, D, h, w), what the head judges."""
        raise TypeError(f"{type(self).__name__} does not say what its features are")

    @property
    def cam_layer(self) -> nn.Module:
        """The module whose output (B, K, h, w) Grad-CAM weighs."""
        raise TypeError(f"{type(self).__name__} does not say where Grad-CAM looks")

    @property
    def cam_layers(self) -> tuple[nn.Module, ...]:
        """All modules at whose output Grad-CAM looks; more than one where networks answer together."""
        return (self.cam_layer,)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 1, H, W) normalised faces -> (B, C) logits."""
        logits: Tensor = self.head(self.features(self.centre(x)))
        return logits

    def centre(self, x: Tensor) -> Tensor:
        """(B, 1, H, W) -> the part of larger faces that the network looks at."""
        if self.field is None or x.shape[-1] <= self.field:
            return x
        start = (x.shape[-1] - self.field) // 2
        return x[..., start : start + self.field, start : start + self.field]


class Cnn(FerModel):
    """Convolutions to a map, a neck that makes one vector of it, a linear head: the shape of most classic networks.

    Args:
        maps: (B, 1, H, W) -> (B, K, h, w), where Grad-CAM looks.
        neck: (B, K, h, w) -> (B, width).
        width: numbers of a face that the head judges.
        num_classes: outputs.
    """

    def __init__(self, maps: nn.Module, neck: nn.Module, width: int, num_classes: int) -> None:
        super().__init__()
        self.maps, self.neck = maps, neck
        self.feature_width = width
        self.head = nn.Linear(width, num_classes)

    def features(self, x: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, width)."""
        features: Tensor = self.neck(self.maps(x))
        return features

    @property
    def cam_layer(self) -> nn.Module:
        return self.maps


@dataclass(frozen=True)
class ModelSpec:
    """An architecture as the registry knows it.

    Attributes:
        name: public name.
        title: one line for people.
        paper: address of the publication that it follows.
        build: (num_classes, **options) -> FerModel; its keyword arguments are the model's options.
        small: options of a variant that trains in moments, for tests and for the `smoke` budget.
        training: fields of `TrainConfig` that its paper sets otherwise than their defaults; `scripts.train` starts from
            them.
    """

    name: str
    title: str
    paper: str
    build: Callable[..., FerModel]
    small: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)

    @property
    def options(self) -> dict[str, Any]:
        """Option names and defaults."""
        parameters = inspect.signature(self.build).parameters
        return {name: p.default for name, p in parameters.items() if name != "num_classes"}


IMPOSSIBLE = (TypeError, ValueError, RuntimeError, ArithmeticError, LookupError, AssertionError)
"""What PyTorch and Python raise for sizes that no layer can have."""

MODELS: Registry[ModelSpec] = Registry("model", package="fer_core.models.zoo")


def register_model(
    name: str,
    *,
    title: str,
    paper: str,
    small: dict[str, Any] | None = None,
    training: dict[str, Any] | None = None,
) -> Callable[..., Any]:
    """Registers a builder `(num_classes, **options) -> FerModel` under its public name; see `ModelSpec`."""

    def add(build: Callable[..., FerModel]) -> Callable[..., FerModel]:
        MODELS.add(name, ModelSpec(name, title, paper, build, dict(small or {}), dict(training or {})))
        return build

    return add


def create_model(
    name: str, num_classes: int = 7, *, field: int | None = None, initialise: bool = True, **options: Any
) -> FerModel:
    """Builds a registered architecture with fresh weights.

    Args:
        name: its public name.
        num_classes: 7 or 8.
        field: side of the centre of larger faces that it looks at. A network that was trained on crops is thrown off by
            the larger maps of whole faces, even where it takes them.
        initialise: False where weights are about to be loaded: an option `pretrained` is then left aside, so that
            nothing is fetched or read only to be overwritten.
        options: the architecture's own.

    Raises:
        UnknownNameError: no such model.
        ConfigError: a class count other than 7 or 8, an option that the model does not have or a value that it cannot
            take, or pretrained weights that cannot be had.
    """
    spec = MODELS[name]
    labels_for(num_classes)
    if unknown := sorted(set(options) - set(spec.options)):
        known = ", ".join(spec.options) or "none"
        raise ConfigError(f"the model {name!r} has no option {unknown[0]!r}; it has: {known}")
    check_types("model_options", spec.build, options)
    if not 0 <= (dropout := options.get("dropout", 0.0)) < 1:
        raise ConfigError(f"dropout ({dropout}) must be at least 0 and below 1")
    if not initialise and "pretrained" in spec.options:
        options["pretrained"] = False
    try:
        model = spec.build(num_classes=num_classes, **options)
    except IMPOSSIBLE as error:
        if not options:
            raise
        raise ConfigError(f"the model {name!r} cannot be built with the options {options} ({error})") from error
    model.field = field
    return model


def parameter_count(model: nn.Module) -> int:
    """Trainable parameters."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
