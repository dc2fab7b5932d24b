"""ResNet (He et al. 2016, https://arxiv.org/abs/1512.03385) through timm, from scratch or pretrained on ImageNet.

The trunks are timm's, stems and all; faces are enlarged to `side` pixels, as a stem that divides by four and stages
that divide by eight would leave 2x2 of 48. The head is dropout, batch norm and a linear layer.
"""

from __future__ import annotations

from typing import Any

from torch import nn

from fer_core.models.base import register_model
from fer_core.models.layers.pretrained import PretrainedModel, build_trunk, check_unscaled
from fer_core.models.layers.width import scaled, stage_depths

STAGES = (64, 128, 256, 512)
PAPER = "https://arxiv.org/abs/1512.03385"
SMALL = {"width": 0.125, "depths": (1, 1, 1, 1), "side": 48}


def _register(name: str, title: str) -> None:
    @register_model(name, title=title, paper=PAPER, small=SMALL)
    def build(
        num_classes: int = 7,
        pretrained: bool = False,
        side: int = 96,
        dropout: float = 0.3,
        width: float = 1.0,
        depths: tuple[int, ...] | None = None,
    ) -> PretrainedModel:
        """`width` scales 64-128-256-512, `depths` replaces the number of blocks of each stage."""
        check_unscaled(name, pretrained, width=width == 1, depths=depths is None)
        return PretrainedModel(_trunk(name, pretrained, width, depths), side, num_classes, dropout)


def _trunk(name: str, pretrained: bool, width: float, depths: tuple[int, ...] | None) -> nn.Module:
    from timm.models import resnet

    shape: dict[str, Any] = {"channels": scaled(STAGES, width)}
    if depths is not None:
        shape["layers"] = stage_depths(depths)
    return build_trunk(getattr(resnet, name), name, pretrained=pretrained, **shape)


for _name, _title in {
    "resnet18": "ResNet-18, eight basic blocks",
    "resnet34": "ResNet-34, sixteen basic blocks",
    "resnet50": "ResNet-50, sixteen bottleneck blocks",
    "resnet101": "ResNet-101, thirty-three bottleneck blocks",
}.items():
    _register(_name, _title)
