"""Depth-wise separable convolution (Chollet 2017, https://arxiv.org/abs/1610.02357)."""

from __future__ import annotations

from torch import nn


def separable(inputs: int, outputs: int, kernel: int = 3) -> list[nn.Module]:
    """(B, inputs, H, W) -> (B, outputs, H, W): one filter a channel, then a 1x1 convolution and batch norm."""
    depthwise = nn.Conv2d(inputs, inputs, kernel, padding=kernel // 2, groups=inputs, bias=False)
    return [depthwise, nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs)]


def projection(inputs: int, outputs: int, stride: int = 2) -> nn.Sequential:
    """(B, inputs, H, W) -> (B, outputs, H/stride, W/stride): the 1x1 convolution of a shortcut, and batch norm."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs))
