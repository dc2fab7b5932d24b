"""GoogLeNet for 48x48 faces (Szegedy et al. 2014, https://arxiv.org/abs/1409.4842).

The paper's nine inception modules with their widths, global average pooling, dropout and one linear layer. For 48
pixels the stem keeps its 64-64-192 channels but neither strides nor pools in front of its last layer, so that the
modules see 24, 12 and 6 pixels in place of 28, 14 and 7. Batch norm stands in place of local response normalisation;
the two auxiliary classifiers are left out.
"""

from __future__ import annotations

from torch import nn

from fer_core.models.base import Cnn, register_model
from fer_core.models.layers.conv import conv_bn_relu, halve
from fer_core.models.layers.dense import pooled_neck
from fer_core.models.layers.inception import GOOGLENET, inceptions
from fer_core.models.layers.width import scaled

STEM = (64, 64, 192)


@register_model(
    "googlenet",
    title="GoogLeNet for 48x48 faces",
    paper="https://arxiv.org/abs/1409.4842",
    small={"width": 0.0625},
)
def googlenet(num_classes: int = 7, width: float = 1.0, dropout: float = 0.4) -> Cnn:
    """The network with a stem for small faces; `width` scales all channels."""
    one, two, three = scaled(STEM, width)
    stem = [conv_bn_relu(1, one), conv_bn_relu(one, two, 1), conv_bn_relu(two, three), halve()]
    widths = [GOOGLENET[name].times(width) for name in GOOGLENET]
    modules = inceptions(three, widths)
    maps = nn.Sequential(*stem, *modules[:2], halve(), *modules[2:7], halve(), *modules[7:])  # 6x6
    return Cnn(maps, pooled_neck(dropout), widths[-1].outputs, num_classes)
