"""The three networks of Pramerdorfer & Kampel (2016, https://arxiv.org/abs/1612.02903), each trained from scratch.

In the paper's notation C is a convolution, I an inception module, R a residual block, P a pool and F fully connected:

- VGG `CCPCCPCCPCCPFF`, 10 layers, 1.8 million parameters: widths 32, 64, 128, 256, a hidden layer of 256;
- Inception `CIPIIPIIPIIPF`, 16 layers: the branches follow GoogLeNet's proportions for a number n that starts at 32
  and grows by 32 with every module, 1.2 million parameters as built here;
- ResNet `3R4R6R3RPF`, 33 layers, 5.3 million parameters: ResNet-34 at half width, without the convolution in front.

The paper is short on details. Ours: batch norm follows each convolution, the hidden layer of the VGG is sized to meet
the parameters stated, the Inception's first convolution has 64 channels, pools are 3x3 with stride 2 except in the
VGG, and dropout stands in front of the fully connected layers.
"""

from __future__ import annotations

from itertools import pairwise

from torch import nn

from fer_core.models.base import Cnn, register_model
from fer_core.models.layers.conv import conv_bn_relu, conv_stage, halve
from fer_core.models.layers.dense import dense_neck, pooled_neck
from fer_core.models.layers.inception import InceptionWidths, inceptions
from fer_core.models.layers.residual import residual_stage
from fer_core.models.layers.width import scaled, stage_depths

PAPER = "https://arxiv.org/abs/1612.02903"
STAGES = (32, 64, 128, 256)
INCEPTION_STEM, INCEPTION_STEP, INCEPTION_MODULES = 64, 32, 7
RESNET_DEPTHS = (3, 4, 6, 3)


@register_model(
    "pramerdorfer_vgg", title="VGG of Pramerdorfer & Kampel", paper=PAPER, small={"width": 0.25, "dense": 32}
)
def pramerdorfer_vgg(num_classes: int = 7, width: float = 1.0, dense: int = 256, dropout: float = 0.5) -> Cnn:
    """Eight convolutions for 48x48 faces; `width` scales 32-64-128-256."""
    widths = (1, *scaled(STAGES, width))
    stages = [nn.Sequential(*conv_stage(before, after, 2), halve(2)) for before, after in pairwise(widths)]
    neck = dense_neck(widths[-1] * 3 * 3, [dense], dropout)
    return Cnn(nn.Sequential(*stages), neck, dense, num_classes)


@register_model(
    "pramerdorfer_inception", title="Inception network of Pramerdorfer & Kampel", paper=PAPER, small={"width": 0.125}
)
def pramerdorfer_inception(num_classes: int = 7, width: float = 1.0, dropout: float = 0.2) -> Cnn:
    """Seven inception modules for 48x48 faces; `width` scales all channels."""
    widths = [_module(INCEPTION_STEP * (index + 1)).times(width) for index in range(INCEPTION_MODULES)]
    (stem,) = scaled((INCEPTION_STEM,), width)
    a, b, c, d, e, f, g = inceptions(stem, widths)
    maps = nn.Sequential(conv_bn_relu(1, stem), a, halve(), b, c, halve(), d, e, halve(), f, g)  # 6x6
    return Cnn(maps, pooled_neck(dropout), widths[-1].outputs, num_classes)


@register_model(
    "pramerdorfer_resnet",
    title="ResNet of Pramerdorfer & Kampel",
    paper=PAPER,
    small={"width": 0.25, "depths": (1, 1, 1, 1)},
)
def pramerdorfer_resnet(
    num_classes: int = 7, width: float = 1.0, depths: tuple[int, ...] = RESNET_DEPTHS, dropout: float = 0.2
) -> Cnn:
    """Sixteen residual blocks; `width` scales 32-64-128-256, `depths` counts the blocks of the four stages."""
    widths = (1, *scaled(STAGES, width))
    shapes = zip(pairwise(widths), stage_depths(depths), (1, 2, 2, 2), strict=True)
    stages = [residual_stage(*channels, depth, stride) for channels, depth, stride in shapes]
    return Cnn(nn.Sequential(*stages), pooled_neck(dropout), widths[-1], num_classes)


def _module(n: int) -> InceptionWidths:
    return InceptionWidths(3 * n // 4, n // 2, n, n // 8, n // 4, n // 4)
