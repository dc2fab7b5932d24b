"""AlexNet for 48x48 faces (Krizhevsky, Sutskever & Hinton 2012; one column: https://arxiv.org/abs/1404.5997).

Five convolutions of 64, 192, 384, 384 and 256 channels, max-pools behind the first, second and fifth, two fully
connected layers of 4096. For 48 pixels the first convolution is 5x5 with stride 1 in place of 11x11 with stride 4, and
batch norm stands in place of local response normalisation.
"""

from __future__ import annotations

from torch import nn

from fer_core.models.base import Cnn, register_model
from fer_core.models.layers.conv import conv_bn_relu, halve
from fer_core.models.layers.dense import dense_neck
from fer_core.models.layers.width import scaled

WIDTHS, KERNELS = (64, 192, 384, 384, 256), (5, 5, 3, 3, 3)


@register_model(
    "alexnet",
    title="AlexNet for 48x48 faces",
    paper="https://arxiv.org/abs/1404.5997",
    small={"width": 0.125, "dense": 64},
)
def alexnet(num_classes: int = 7, width: float = 1.0, dense: int = 4096, dropout: float = 0.5) -> Cnn:
    """The network with a stem for small faces; `width` scales the convolutions, `dense` is both layers' size."""
    widths = scaled(WIDTHS, width)
    inputs = (1, *widths[:-1])
    blocks = [conv_bn_relu(*sizes) for sizes in zip(inputs, widths, KERNELS, strict=True)]
    maps = nn.Sequential(blocks[0], halve(), blocks[1], halve(), *blocks[2:], halve())  # 6x6
    return Cnn(maps, dense_neck(widths[-1] * 6 * 6, [dense, dense], dropout), dense, num_classes)
