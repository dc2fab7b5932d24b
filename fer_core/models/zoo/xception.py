"""Xception for 48x48 faces (Chollet 2017, https://arxiv.org/abs/1610.02357), the large relative of mini-Xception.

The paper's flows and widths: two unpadded convolutions, three residual modules of separable convolutions (128, 256, 728
channels), eight middle modules of three, and the exit to 2048 channels, global average pooling and one linear layer.
For 48 pixels the first convolution has stride 1, so that the middle flow sees 6x6. The last widths are the paper's; the
network is the one of https://arxiv.org/abs/1710.07557's family that keeps them.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from fer_core.models.base import Cnn, register_model
from fer_core.models.layers.conv import halve
from fer_core.models.layers.dense import pooled_neck
from fer_core.models.layers.separable import projection, separable
from fer_core.models.layers.width import scaled

WIDTHS = (32, 64, 128, 256, 728, 1024, 1536, 2048)


class _Module(nn.Module):
    """Separable convolutions beside a shortcut.

    Args:
        widths: channels that come in and those of each convolution.
        halves: whether a pool closes the convolutions and the shortcut strides.
        rectified: whether a ReLU stands in front of both already, as in front of the first module; the others have one
            of their own, of which the shortcut sees nothing.
    """

    def __init__(self, widths: tuple[int, ...], *, halves: bool, rectified: bool = False) -> None:
        super().__init__()
        layers = [layer for pair in pairwise(widths) for layer in (nn.ReLU(), *separable(*pair))]
        self.body = nn.Sequential(*layers[rectified:], *([halve()] if halves else []))
        self.shortcut = projection(widths[0], widths[-1]) if halves else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.body(x) + self.shortcut(x)
        return out


@register_model(
    "xception",
    title="Xception for 48x48 faces",
    paper="https://arxiv.org/abs/1610.02357",
    small={"width": 0.03125, "middle": 1},
)
def xception(num_classes: int = 7, width: float = 1.0, middle: int = 8, dropout: float = 0.5) -> Cnn:
    """The network with a stem for small faces; `width` scales all channels, `middle` counts the middle modules."""
    stem, second, a, b, c, d, e, last = scaled(WIDTHS, width)
    maps = nn.Sequential(
        *(nn.Conv2d(1, stem, 3, bias=False), nn.BatchNorm2d(stem), nn.ReLU()),
        *(nn.Conv2d(stem, second, 3, bias=False), nn.BatchNorm2d(second), nn.ReLU()),  # 44x44
        _Module((second, a, a), halves=True, rectified=True),
        *(_Module((before, after, after), halves=True) for before, after in ((a, b), (b, c))),  # 6x6
        *(_Module((c, c, c, c), halves=False) for _ in range(middle)),
        _Module((c, c, d), halves=True),  # 3x3
        *(*separable(d, e), nn.ReLU(), *separable(e, last), nn.ReLU()),
    )
    return Cnn(maps, pooled_neck(dropout), last, num_classes)
