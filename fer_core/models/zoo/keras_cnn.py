"""The four-layer CNN that many Keras notebooks train (https://www.coursera.org/projects/facial-expression-recognition-keras).

Convolutions 64 of 3x3, 128 of 5x5, 512 of 3x3 and 512 of 3x3, each followed by batch norm, ReLU, max-pool and dropout,
then fully connected layers of 256 and 512 units with the same: 4,474,759 trainable parameters for seven classes, as the
Keras model counts. Convolutions keep their biases in front of batch norm, as there.
"""

from __future__ import annotations

from torch import nn

from fer_core.models.base import Cnn, register_model
from fer_core.models.layers.conv import halve
from fer_core.models.layers.dense import dense_neck
from fer_core.models.layers.width import scaled

WIDTHS, KERNELS, DENSE = (64, 128, 512, 512), (3, 5, 3, 3), (256, 512)


@register_model(
    "keras_cnn",
    title="Four-layer Keras CNN",
    paper="https://www.coursera.org/projects/facial-expression-recognition-keras",
    small={"width": 0.0625},
)
def keras_cnn(num_classes: int = 7, width: float = 1.0, dropout: float = 0.25) -> Cnn:
    """The network for 48x48 faces; `width` scales convolutions and hidden layers."""
    widths, dense = scaled(WIDTHS, width), scaled(DENSE, width)
    inputs = (1, *widths[:-1])
    blocks = [_block(*sizes, dropout) for sizes in zip(inputs, widths, KERNELS, strict=True)]
    neck = dense_neck(widths[-1] * 3 * 3, dense, dropout, batch_norm=True)
    return Cnn(nn.Sequential(*blocks), neck, dense[-1], num_classes)


def _block(inputs: int, outputs: int, kernel: int, dropout: float) -> nn.Sequential:
    """(B, inputs, H, W) -> (B, outputs, H/2, W/2)."""
    convolution = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(), halve(2), nn.Dropout(dropout))
