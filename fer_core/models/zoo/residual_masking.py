"""Residual masking network (Pham, Vu & Tran 2020, https://doi.org/10.1109/ICPR48806.2021.9411919).

ResNet-34 whose four stages are each followed by a masking block: a small U-Net looks at the stage's map F and gives a
mask M in (0, 1), and F * (1 + M) goes on. What differs: the paper enlarges faces to 224 pixels and starts from ImageNet
weights; here 48 pixels go through a 3x3 convolution with stride 2 in place of the stem that divides by four, so that
the stages see 24, 12, 6 and 3 pixels, and the U-Nets halve them 4, 3, 2 and 1 times. The authors' U-Nets widen on the
way down (142.9 million parameters in all); these keep the stage's channels.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from fer_core.models.attention import AttentionKind, note
from fer_core.models.base import Cnn, register_model
from fer_core.models.layers.conv import conv_bn_relu
from fer_core.models.layers.dense import pooled_neck
from fer_core.models.layers.residual import residual_stage
from fer_core.models.layers.width import scaled, stage_depths

STAGES, DEPTHS, LEVELS = (64, 128, 256, 512), (3, 4, 6, 3), (4, 3, 2, 1)


class MaskingBlock(nn.Module):
    """Weighs every number of a map by 1 plus a mask in (0, 1).

    Args:
        channels: of the map.
        levels: how often the U-Net halves it.
    """

    def __init__(self, channels: int, levels: int) -> None:
        super().__init__()
        self.down = nn.ModuleList(conv_bn_relu(channels, channels) for _ in range(levels))
        self.pools = nn.ModuleList(nn.MaxPool2d(2) for _ in range(levels))
        self.up = nn.ModuleList(conv_bn_relu(2 * channels, channels) for _ in range(levels))
        self.last = nn.Conv2d(channels, channels, 1)

    def mask(self, x: Tensor) -> Tensor:
        """(B, K, H, W) -> (B, K, H, W) in (0, 1)."""
        skips = [x]
        for pool, block in zip(self.pools, self.down, strict=True):
            skips.append(block(pool(skips[-1])))
        deep = skips.pop()
        for block in self.up:
            skip = skips.pop()
            deep = functional.interpolate(deep, size=skip.shape[-2:], mode="bilinear", align_corners=False)
            deep = block(torch.cat([skip, deep], dim=1))
        return torch.sigmoid(self.last(deep))

    def forward(self, x: Tensor) -> Tensor:
        """(B, K, H, W) -> (B, K, H, W)."""
        mask = self.mask(x)
        note(self, AttentionKind.MASK, mask, grid=(x.shape[-2], x.shape[-1]))
        return x * (1 + mask)


@register_model(
    "residual_masking",
    title="Residual masking network",
    paper="https://doi.org/10.1109/ICPR48806.2021.9411919",
    small={"width": 0.125, "depths": (1, 1, 1, 1)},
)
def residual_masking(
    num_classes: int = 7, width: float = 1.0, depths: tuple[int, ...] = DEPTHS, dropout: float = 0.4
) -> Cnn:
    """The network for 48x48 faces; `width` scales 64-128-256-512, `depths` counts the blocks of the four stages."""
    widths = scaled(STAGES, width)
    layers: list[nn.Module] = [conv_bn_relu(1, widths[0], stride=2)]  # 24x24
    shapes = zip(pairwise((widths[0], *widths)), stage_depths(depths), LEVELS, (1, 2, 2, 2), strict=True)
    for channels, depth, levels, stride in shapes:
        layers += [residual_stage(*channels, depth, stride), MaskingBlock(channels[1], levels)]
    return Cnn(nn.Sequential(*layers), pooled_neck(dropout), widths[-1], num_classes)
