"""The ten-layer CNN of Saravanan, Perichetla & Gayathri (2019, https://arxiv.org/abs/1910.05602).

Six convolutions, two max-pools and two fully connected layers, as the paper counts them. Ours: the pools stand behind
the third and the sixth convolution, kernels are 3x3, the widths 64 and 128, the hidden layer has 256 units, batch norm
follows each convolution and dropout the hidden layer.
"""

from __future__ import annotations

from torch import nn

from fer_core.models.base import Cnn, register_model
from fer_core.models.layers.conv import conv_stage, halve
from fer_core.models.layers.dense import dense_neck
from fer_core.models.layers.width import scaled


@register_model(
    "saravanan",
    title="Ten-layer CNN",
    paper="https://arxiv.org/abs/1910.05602",
    small={"width": 0.125, "dense": 32},
)
def saravanan(num_classes: int = 7, width: float = 1.0, dense: int = 256, dropout: float = 0.5) -> Cnn:
    """The network for 48x48 faces; `width` scales 64-128."""
    first, second = scaled((64, 128), width)
    maps = nn.Sequential(*conv_stage(1, first, 3), halve(2), *conv_stage(first, second, 3), halve(2))  # 12x12
    return Cnn(maps, dense_neck(second * 12 * 12, [dense], dropout), dense, num_classes)
