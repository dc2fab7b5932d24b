"""Convolution, batch norm and ReLU as one block."""

from __future__ import annotations

from torch import nn


def conv_bn_relu(inputs: int, outputs: int, kernel: int = 3, *, stride: int = 1) -> nn.Sequential:
    """(B, inputs, H, W) -> (B, outputs, H/stride, W/stride): a padded convolution without bias, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


def conv_stage(inputs: int, outputs: int, depth: int, kernel: int = 3) -> list[nn.Module]:
    """`depth` blocks of `conv_bn_relu`, all of `outputs` channels."""
    return [conv_bn_relu(inputs if first else outputs, outputs, kernel) for first in [True] + [False] * (depth - 1)]


def halve(kernel: int = 3) -> nn.MaxPool2d:
    """(B, K, H, W) -> (B, K, H/2, W/2), rounded up where `kernel` is odd: a max-pool with stride 2."""
    return nn.MaxPool2d(kernel, 2, padding=(kernel - 1) // 2)
