"""Residual masking network (Pham, Vu & Tran 2020, https://doi.org/10.1109/ICPR48806.2021.9411919), and a lighter form.

`residual_masking` is the network as the authors publish its code: ResNet-34, each of whose four stages is followed by a
masking block. The block is a U-Net of 4, 3, 2 and 1 levels, and its first level does not pool, so that it halves the
map 3, 2, 1 and 0 times. Every level is a basic residual block that doubles the channels, up to 1024 in each of the four
U-Nets; on the way back transposed convolutions double the side. A softmax over the channels makes the mask M, and
F * (1 + M) goes on in place of the stage's map F. With seven classes there are 137,796,423 parameters, which is what
the authors' code has; the paper says 142.9 million. Faces are enlarged to `side` pixels, a multiple of 32. The authors
take 224; 96 is the default here, at a fifth of the cost. They start from ImageNet's weights of ResNet-34
(`pretrained=True`).

`residual_masking_light` is ours, for 48 pixels and a CPU: a 3x3 convolution with stride 2 in place of the stem that
divides by four, so that the stages see 24, 12, 6 and 3 pixels; U-Nets that halve them 4, 3, 2 and 1 times, with one
convolution a level, the stage's own channels and bilinear enlarging; a sigmoid for the mask. 34.0 million parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from fer_core.errors import ConfigError
from fer_core.models.attention import AttentionKind, asked, note
from fer_core.models.base import Cnn, register_model
from fer_core.models.layers.conv import conv_bn_relu
from fer_core.models.layers.dense import pooled_neck
from fer_core.models.layers.pretrained import AsPhotographs, build_trunk, check_unscaled
from fer_core.models.layers.residual import BasicBlock, residual_stage
from fer_core.models.layers.width import scaled, stage_depths

PAPER = "https://doi.org/10.1109/ICPR48806.2021.9411919"
STAGES, DEPTHS, LEVELS = (64, 128, 256, 512), (3, 4, 6, 3), (4, 3, 2, 1)
STEP = 32
"""The trunk divides the side by 32, and no U-Net of `LEVELS` goes below that."""


class MaskingBlock(nn.Module):
    """Weighs every number of a map by 1 plus a mask in (0, 1) that sums to 1 over the channels of a place.

    Args:
        channels: K of the map.
        levels: residual blocks on the way down, each with twice the channels of the one above; all but the first stand
            behind a max-pool, so that height and width must be multiples of 2 ** (levels - 1).
    """

    def __init__(self, channels: int, levels: int) -> None:
        super().__init__()
        widths = [channels * 2**level for level in range(levels + 1)]
        ways_down = list(pairwise(widths))
        *ways_up, way_out = [(below, above) for above, below in reversed(ways_down)]
        self.down = nn.ModuleList(BasicBlock(*way) for way in ways_down)
        self.pools = nn.ModuleList(nn.MaxPool2d(2) for _ in ways_down[1:])
        self.up = nn.ModuleList(_enlarge(*way) for way in ways_up)
        self.merge = nn.ModuleList(BasicBlock(*way) for way in ways_up)  # of what comes up and what went down there
        self.last = BasicBlock(*way_out)
        _start_as_shortcuts(self)

    def mask(self, x: Tensor) -> Tensor:
        """(B, K, H, W) -> (B, K, H, W) in (0, 1), each place's channels sum to 1."""
        first, *others = self.down
        seen = [first(x)]
        for pool, block in zip(self.pools, others, strict=True):
            seen.append(block(pool(seen[-1])))
        deep = seen.pop()
        for up, block in zip(self.up, self.merge, strict=True):
            deep = block(torch.cat([up(deep), seen.pop()], dim=1))
        return torch.softmax(self.last(deep), dim=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, K, H, W), not negative -> (B, K, H, W)."""
        mask = self.mask(x)
        if asked():
            note(self, AttentionKind.MASK, rise(x, mask), grid=(x.shape[-2], x.shape[-1]))
        return x * (1 + mask)


def rise(x: Tensor, mask: Tensor) -> Tensor:
    """(B, 1, H, W) in [0, 1]: by what share the mask raises the sum of a place's channels.

    The plain mean over the channels would say nothing, as it is 1 / K everywhere.

    Args:
        x: (B, K, H, W) the map, not negative.
        mask: (B, K, H, W) its mask.
    """
    total = x.sum(1, keepdim=True)
    return (x * mask).sum(1, keepdim=True) / total.clamp(min=torch.finfo(x.dtype).tiny)


def _enlarge(inputs: int, outputs: int) -> nn.Sequential:
    """(B, inputs, H, W) -> (B, outputs, 2H, 2W)."""
    return nn.Sequential(nn.ConvTranspose2d(inputs, outputs, 2, stride=2), nn.BatchNorm2d(outputs), nn.ReLU())


def _start_as_shortcuts(block: nn.Module) -> None:
    """The authors' start: convolutions after He et al. by their outputs, residual branches that add nothing yet."""
    for module in block.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    for module in block.modules():
        if isinstance(module, BasicBlock):
            nn.init.zeros_(module.body[-1].weight)  # type: ignore[arg-type]


@register_model(
    "residual_masking",
    title="Residual masking network",
    paper=PAPER,
    small={"width": 0.046875, "depths": (1, 1, 1, 1), "side": 64},
)
def residual_masking(
    num_classes: int = 7,
    pretrained: bool = False,
    side: int = 96,
    dropout: float = 0.4,
    width: float = 1.0,
    depths: tuple[int, ...] = DEPTHS,
) -> Cnn:
    """The authors' network; `width` scales 64-128-256-512 and the U-Nets, `depths` counts the trunk's blocks."""
    if side % STEP:
        raise ConfigError(f"side ({side}) must be a multiple of {STEP}; 96 and 224 are usual")
    check_unscaled("residual_masking", pretrained, width=width == 1, depths=tuple(depths) == DEPTHS)
    widths = scaled(STAGES, width, least=2)
    trunk = _trunk(pretrained, widths, depths)
    layers: list[nn.Module] = [AsPhotographs(side, trunk.pretrained_cfg["mean"], trunk.pretrained_cfg["std"])]
    layers += [trunk.conv1, trunk.bn1, trunk.act1, trunk.maxpool]
    stages = (trunk.layer1, trunk.layer2, trunk.layer3, trunk.layer4)
    for stage, channels, levels in zip(stages, widths, LEVELS, strict=True):
        layers += [stage, MaskingBlock(channels, levels)]
    return Cnn(nn.Sequential(*layers), pooled_neck(dropout), widths[-1], num_classes)


def _trunk(pretrained: bool, widths: tuple[int, ...], depths: Sequence[int]) -> Any:
    from timm.models import resnet

    shape: dict[str, Any] = {"channels": widths, "layers": stage_depths(depths)}
    return build_trunk(resnet.resnet34, "residual_masking", pretrained=pretrained, **shape)


class LightMaskingBlock(nn.Module):
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
    "residual_masking_light",
    title="Residual masking network, a lighter form",
    paper=PAPER,
    small={"width": 0.125, "depths": (1, 1, 1, 1)},
)
def residual_masking_light(
    num_classes: int = 7, width: float = 1.0, depths: tuple[int, ...] = DEPTHS, dropout: float = 0.4
) -> Cnn:
    """Our network for 48x48 faces; `width` scales 64-128-256-512, `depths` counts the blocks of the four stages."""
    widths = scaled(STAGES, width)
    layers: list[nn.Module] = [conv_bn_relu(1, widths[0], stride=2)]  # 24x24
    shapes = zip(pairwise((widths[0], *widths)), stage_depths(depths), LEVELS, (1, 2, 2, 2), strict=True)
    for channels, depth, levels, stride in shapes:
        layers += [residual_stage(*channels, depth, stride), LightMaskingBlock(channels[1], levels)]
    return Cnn(nn.Sequential(*layers), pooled_neck(dropout), widths[-1], num_classes)
