"""Two convolutions and four inception modules (Mollahosseini, Chan & Mahoor 2016, https://arxiv.org/abs/1511.04110).

A 7x7 convolution of 64 channels with stride 2 and a 3x3 convolution of 192, each with a max-pool, four inception
modules and fully connected layers of 4096 and 1024 units. Ours: the modules are GoogLeNet's 3a, 3b, 4a and 4b, with a
max-pool between the pairs and global average pooling behind the last; batch norm follows each convolution and dropout
each hidden layer.
"""

from __future__ import annotations

from torch import nn

from fer_core.models.base import Cnn, register_model
from fer_core.models.layers.conv import conv_bn_relu, halve
from fer_core.models.layers.dense import dense_neck
from fer_core.models.layers.inception import GOOGLENET, inceptions
from fer_core.models.layers.width import scaled

STEM, DENSE, MODULES = (64, 192), (4096, 1024), ("3a", "3b", "4a", "4b")


@register_model(
    "mollahosseini",
    title="Two convolutions, four inception modules",
    paper="https://arxiv.org/abs/1511.04110",
    small={"width": 0.0625},
)
def mollahosseini(num_classes: int = 7, width: float = 1.0, dropout: float = 0.5) -> Cnn:
    """The network for 48x48 faces; `width` scales convolutions and hidden layers."""
    first, second = scaled(STEM, width)
    widths = [GOOGLENET[name].times(width) for name in MODULES]
    a, b, c, d = inceptions(second, widths)
    stem = [conv_bn_relu(1, first, 7, stride=2), halve(), conv_bn_relu(first, second), halve()]  # 6x6
    maps = nn.Sequential(*stem, a, b, halve(), c, d)  # 3x3
    hidden = scaled(DENSE, width)
    neck = nn.Sequential(nn.AdaptiveAvgPool2d(1), dense_neck(widths[-1].outputs, hidden, dropout))
    return Cnn(maps, neck, hidden[-1], num_classes)
