"""SE-ResNet for small faces (Hu, Shen & Sun 2018, https://arxiv.org/abs/1709.01507).

As in the paper, a squeeze-and-excitation gate ends the body of each basic block, before the shortcut is added. What
differs:

- the stem is two 3x3 convolutions, of which the second halves the map; the paper's divides by four, which would leave
  2x2 of 48 pixels behind the stages;
- shortcuts that halve average before their 1x1 convolution, as in ResNet-D (He et al. 2019,
  https://arxiv.org/abs/1812.01187);
- the last batch norm of each body starts at zero, so that a block begins as its shortcut (Goyal et al. 2017,
  https://arxiv.org/abs/1706.02677);
- training leaves out whole bodies at random, later ones more often (Huang et al. 2016, https://arxiv.org/abs/1603.09382).

Most of the work is done on maps of a quarter and an eighth of the side, where width is cheap.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from fer_core.errors import ConfigError
from fer_core.models.base import Cnn, register_model
from fer_core.models.layers.conv import conv_bn_relu
from fer_core.models.layers.dense import pooled_neck
from fer_core.models.layers.squeeze_excite import SqueezeExcite
from fer_core.models.layers.width import stage_depths

WIDTHS = (64, 128, 256)
DEPTHS = (1, 2, 3)


class SqueezeExciteBlock(nn.Module):
    """Two 3x3 convolutions and a gate beside a shortcut.

    Args:
        inputs: channels that come in.
        outputs: channels that go out.
        stride: 2 halves height and width.
        drop: chance, 0 to below 1, that a face skips the body in training.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1, drop: float = 0.0) -> None:
        super().__init__()
        self.drop = drop
        last_norm = nn.BatchNorm2d(outputs)
        nn.init.zeros_(last_norm.weight)
        self.body = nn.Sequential(
            conv_bn_relu(inputs, outputs, stride=stride),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            last_norm,
            SqueezeExcite(outputs),
        )
        self.shortcut = _shortcut(inputs, outputs, stride)
        self.activation = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, outputs, ceil(H/stride), ceil(W/stride))."""
        out: Tensor = self.activation(self._sometimes(self.body(x)) + self.shortcut(x))
        return out

    def _sometimes(self, body: Tensor) -> Tensor:
        """The body, in training left out for some faces and scaled up for the others, so that its mean stays."""
        if not (self.training and self.drop):
            return body
        kept = torch.rand(len(body), 1, 1, 1, device=body.device) >= self.drop
        return body * (kept / (1 - self.drop)).to(body.dtype)


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Module:
    if inputs == outputs and stride == 1:
        return nn.Identity()
    pool = nn.AvgPool2d(stride, ceil_mode=True, count_include_pad=False) if stride > 1 else nn.Identity()
    return nn.Sequential(pool, nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs))


@register_model(
    "resnet_se",
    title="SE-ResNet for small faces",
    paper="https://arxiv.org/abs/1709.01507",
    small={"widths": (16, 16, 32), "depths": (1, 1, 1), "stem": 8},
)
def resnet_se(
    num_classes: int = 7,
    widths: tuple[int, ...] = WIDTHS,
    depths: tuple[int, ...] = DEPTHS,
    stem: int = 32,
    dropout: float = 0.2,
    drop_path: float = 0.1,
) -> Cnn:
    """`widths` and `depths` of the stages; `drop_path` is how often the last body is left out, the first one never."""
    if not 0 <= drop_path < 1:
        raise ConfigError(f"drop_path ({drop_path}) must be at least 0 and below 1")
    depths = stage_depths(depths, len(widths))
    last = max(1, sum(depths) - 1)
    blocks: list[nn.Module] = []
    for (before, after), depth in zip(pairwise((widths[0], *widths)), depths, strict=True):
        for number in range(depth):
            first = not number
            stride = 2 if first and blocks else 1
            drop = drop_path * len(blocks) / last
            blocks.append(SqueezeExciteBlock(before if first else after, after, stride, drop))
    maps = nn.Sequential(conv_bn_relu(1, stem), conv_bn_relu(stem, widths[0], stride=2), *blocks)
    return Cnn(maps, pooled_neck(dropout), widths[-1], num_classes)
