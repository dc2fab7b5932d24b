"""A CNN with an L2-SVM output (Tang 2013, https://arxiv.org/abs/1306.0239), winner of the FER2013 contest.

The output is linear, one unit a class, and judged by the squared hinge of one-against-rest SVMs instead of softmax: by
the loss `l2_svm` on plain targets, which `scripts.train` takes for this network unless told otherwise; weight decay is
the SVM's own regulariser. The paper does not give the layers of its FER2013 network. Here: 5x5 convolutions of 32, 32
and 64 channels, each with batch norm and a max-pool, and 3072 hidden units with dropout. The contest entry saw 42x42
crops and averaged mirrored and shifted copies; crops and ten-crop are choices of training and evaluation here.
"""

from __future__ import annotations

from torch import nn

from fer_core.models.base import Cnn, register_model
from fer_core.models.layers.conv import conv_bn_relu, halve
from fer_core.models.layers.dense import dense_neck
from fer_core.models.layers.width import scaled


@register_model(
    "tang_cnn",
    title="CNN for an L2-SVM output",
    paper="https://arxiv.org/abs/1306.0239",
    small={"width": 0.25, "dense": 64},
    training={"loss": "l2_svm", "label_smoothing": 0.0},
)
def tang_cnn(num_classes: int = 7, width: float = 1.0, dense: int = 3072, dropout: float = 0.5) -> Cnn:
    """The network for faces of any side from 24 pixels up; `width` scales 32-32-64."""
    a, b, c = scaled((32, 32, 64), width)
    maps = nn.Sequential(
        *(conv_bn_relu(1, a, 5), halve()), *(conv_bn_relu(a, b, 5), halve()), *(conv_bn_relu(b, c, 5), halve())
    )
    neck = nn.Sequential(nn.AdaptiveAvgPool2d(6), dense_neck(c * 6 * 6, [dense], dropout))  # 42 and 48 px: 6x6 already
    return Cnn(maps, neck, dense, num_classes)
