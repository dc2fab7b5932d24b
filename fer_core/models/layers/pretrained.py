"""Trunks that timm builds, with weights learnt on photographs where asked, and what faces go through in front of them.

timm is imported when such a network is built, not before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from fer_core.errors import ConfigError
from fer_core.models.base import FerModel

FACES = (0.508, 0.255)
"""Mean and deviation of FER2013's pixels, which turn normalised faces back into grey values in [0, 1]."""

IN_A_PACKAGE = ("efficientnet_lite0",)
"""Models whose pretrained weights come in a package that is installed anyway; the others' come from timm's hub."""


class AsPhotographs(nn.Module):
    """Turns normalised faces into what weights learnt on photographs expect: larger, in colour, on their scale.

    Args:
        side: height and width that the trunk sees.
        mean: of the three colours, in [0, 1], as the weights were trained.
        std: deviations of the three colours.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, side: int, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        if side < 32:
            raise ConfigError(f"side ({side}) must be 32 or more; 96 doubles the faces")
        self.side = side
        face_mean, face_std = FACES
        scale, shift = [face_std / s for s in std], [(face_mean - m) / s for m, s in zip(mean, std, strict=True)]
        self.register_buffer("scale", torch.tensor(scale).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("shift", torch.tensor(shift).view(1, -1, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, 3, side, side)."""
        size = (self.side, self.side)
        larger = functional.interpolate(x, size=size, mode="bilinear", align_corners=False)
        colours: Tensor = larger * self.scale + self.shift
        return colours


class PretrainedModel(FerModel):
    """A trunk of timm's behind `AsPhotographs`, the mean of its map, dropout, batch norm and a linear layer.

    Args:
        trunk: timm's network without its own pooling and classifier, (B, 3, side, side) -> (B, D, h, w).
        side: height and width that the trunk sees.
        num_classes: outputs.
        dropout: share of the trunk's D means that training leaves out.
    """

    def __init__(self, trunk: nn.Module, side: int, num_classes: int, dropout: float) -> None:
        super().__init__()
        expected: Any = trunk.pretrained_cfg
        self.photographs = AsPhotographs(side, expected["mean"], expected["std"])
        self.trunk = trunk
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        width: Any = trunk.num_features
        self.feature_width = width
        self.head = nn.Sequential(nn.Dropout(dropout), nn.BatchNorm1d(width), nn.Linear(width, num_classes))

    def features(self, x: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, D)."""
        features: Tensor = self.pool(self.trunk(self.photographs(x)))
        return features

    @property
    def cam_layer(self) -> nn.Module:
        return self.trunk


def build_trunk(build: Callable[..., nn.Module], name: str, *, pretrained: bool, **options: Any) -> nn.Module:
    """A network of timm's without pooling and classifier; its activations leave their inputs as they were.

    Args:
        build: one of timm's functions, which takes `pretrained` and `options`.
        name: the model's public name, for messages.
        pretrained: whether to fetch its weights from timm's hub, or from the cache of an earlier time.
        options: further arguments of `build`.

    Raises:
        ConfigError: the weights cannot be fetched.
    """
    try:
        trunk = build(pretrained=pretrained, num_classes=0, global_pool="", **options)
    except (OSError, RuntimeError) as error:  # huggingface_hub's and urllib's errors are OSErrors
        if not pretrained:
            raise
        raise ConfigError(
            f"the pretrained weights of {name} cannot be fetched ({type(error).__name__}); connect to the internet, "
            f"leave pretrained=True out, or take a model whose weights come in a package: {', '.join(IN_A_PACKAGE)}"
        ) from error
    for module in trunk.modules():  # in-place activations spoil DeepLIFT and guided backprop
        if getattr(module, "inplace", False):
            module.inplace = False  # type: ignore[assignment]
    return trunk


def check_unscaled(name: str, pretrained: bool, **options: bool) -> None:
    """Refuses pretrained weights for a network of another shape.

    Args:
        name: the model's public name.
        pretrained: whether pretrained weights are asked for.
        options: for each option that shapes the network, whether it was left as it is.

    Raises:
        ConfigError: an option was changed.
    """
    changed = [option for option, kept in options.items() if not kept]
    if pretrained and changed:
        raise ConfigError(
            f"the pretrained weights of {name} fit the whole network only; leave out {' and '.join(changed)}"
        )
