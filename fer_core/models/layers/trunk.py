"""A small convolutional trunk for models that are about what stands on it."""

from __future__ import annotations

from itertools import pairwise

from torch import nn

from fer_core.errors import ConfigError
from fer_core.models.layers.conv import conv_bn_relu


def conv_trunk(widths: tuple[int, ...], dropout: float = 0.0) -> nn.Sequential:
    """(B, 1, 48, 48) -> (B, widths[-1], h, w), h = w = 48 / 2 ** (stages - 1): stages with a max-pool between them.

    A stage is two 3x3 convolutions with batch norm and ReLU, the first stage only one: at 48x48 a second costs more
    than it is worth. Dropout of whole channels follows each pool.

    Args:
        widths: channels of each stage, two to four stages.
        dropout: share of the channels that are dropped in training.
    """
    if not 2 <= len(widths) <= 4:
        raise ConfigError(f"widths must name two to four stages, not {len(widths)}")
    layers: list[nn.Module] = [conv_bn_relu(1, widths[0])]
    for before, after in pairwise(widths):
        layers += [nn.MaxPool2d(2), nn.Dropout2d(dropout), conv_bn_relu(before, after), conv_bn_relu(after, after)]
    return nn.Sequential(*layers)


def trunk_side(widths: tuple[int, ...]) -> int:
    """Rows and columns of the map that `conv_trunk` gives for a 48x48 face."""
    return int(48 // 2 ** (len(widths) - 1))
