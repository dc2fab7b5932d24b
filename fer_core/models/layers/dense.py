"""Fully connected layers between the last map and the head."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn


def dense_neck(inputs: int, widths: Iterable[int], dropout: float, *, batch_norm: bool = False) -> nn.Sequential:
    """(B, ...) of `inputs` numbers a face -> (B, last width): flattened, then linear, ReLU and dropout for each width.

    Args:
        inputs: numbers of one face, channels times height times width.
        widths: units of each layer.
        dropout: share of the units that training leaves out, in [0, 1).
        batch_norm: whether batch norm stands between each linear layer and its ReLU.
    """
    layers: list[nn.Module] = [nn.Flatten()]
    for width in widths:
        norm = [nn.BatchNorm1d(width)] if batch_norm else []
        layers += [nn.Linear(inputs, width), *norm, nn.ReLU(), nn.Dropout(dropout)]
        inputs = width
    return nn.Sequential(*layers)


def pooled_neck(dropout: float) -> nn.Sequential:
    """(B, K, h, w) -> (B, K): the mean of each channel, then dropout."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout))
