"""The inception module (Szegedy et al. 2014, https://arxiv.org/abs/1409.4842), with batch norm."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from fer_core.models.layers.conv import conv_bn_relu
from fer_core.models.layers.width import scaled


class InceptionWidths(NamedTuple):
    """Channels of the module's convolutions, in the order of the paper's table.

    Attributes:
        one: of the 1x1 branch.
        three_reduce: of the 1x1 in front of the 3x3.
        three: of the 3x3.
        five_reduce: of the 1x1 in front of the 5x5.
        five: of the 5x5.
        pool: of the 1x1 behind the max-pool.
    """

    one: int
    three_reduce: int
    three: int
    five_reduce: int
    five: int
    pool: int

    @property
    def outputs(self) -> int:
        """Channels of the four branches together."""
        return self.one + self.three + self.five + self.pool

    def times(self, factor: float) -> InceptionWidths:
        """The module narrowed or widened."""
        return InceptionWidths(*scaled(self, factor))


GOOGLENET = {
    "3a": InceptionWidths(64, 96, 128, 16, 32, 32),
    "3b": InceptionWidths(128, 128, 192, 32, 96, 64),
    "4a": InceptionWidths(192, 96, 208, 16, 48, 64),
    "4b": InceptionWidths(160, 112, 224, 24, 64, 64),
    "4c": InceptionWidths(128, 128, 256, 24, 64, 64),
    "4d": InceptionWidths(112, 144, 288, 32, 64, 64),
    "4e": InceptionWidths(256, 160, 320, 32, 128, 128),
    "5a": InceptionWidths(256, 160, 320, 32, 128, 128),
    "5b": InceptionWidths(384, 192, 384, 48, 128, 128),
}
"""The modules of GoogLeNet by their names in the paper's table 1."""


class Inception(nn.Module):
    """A 1x1, a 3x3, a 5x5 and a pooled branch side by side.

    Args:
        inputs: channels that come in.
        widths: channels of the branches.
    """

    def __init__(self, inputs: int, widths: InceptionWidths) -> None:
        super().__init__()
        w = widths
        self.one = conv_bn_relu(inputs, w.one, 1)
        self.three = nn.Sequential(conv_bn_relu(inputs, w.three_reduce, 1), conv_bn_relu(w.three_reduce, w.three, 3))
        self.five = nn.Sequential(conv_bn_relu(inputs, w.five_reduce, 1), conv_bn_relu(w.five_reduce, w.five, 5))
        self.pool = nn.Sequential(nn.MaxPool2d(3, 1, padding=1), conv_bn_relu(inputs, w.pool, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, one + three + five + pool, H, W)."""
        return torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], dim=1)


def inceptions(inputs: int, modules: list[InceptionWidths]) -> list[nn.Module]:
    """Modules one behind the other."""
    before = [inputs, *(widths.outputs for widths in modules)]
    return [Inception(channels, widths) for channels, widths in zip(before, modules, strict=False)]
