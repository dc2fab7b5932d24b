"""PAtt-Lite (Ngwe et al. 2024, https://arxiv.org/abs/2306.09626): MobileNetV1, patch extraction, attention classifier.

The trunk is timm's MobileNetV1 up to the ninth block's depth-wise convolution. Patch extraction is two separable
convolutions (4x4 and 2x2, strides as large) and a 1x1 convolution, 256 channels each; each of the 2x2 patches that are
left becomes 32 numbers, dot-product attention with one learnt scale lets the patches look at each other, and their mean
is judged. The paper states 1.10 million parameters; so many there are with the running statistics of batch norm.

What differs. In implementations of the paper the 32 numbers are pooled over the patches before the attention, which
then mixes the faces of a batch, or nothing; a face's answer must not depend on its batch-mates, so here the patches
attend. The paper enlarges faces to 224 pixels; at a `side` of 112 the first patch convolution strides by 2 in place of
4, which leaves 2x2 patches again. The accuracy of 92.50 % that it reports on FER2013 is far above what others reach
under the official split.
"""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn

from fer_core.errors import ConfigError
from fer_core.models.attention import AttentionKind, note
from fer_core.models.base import FerModel, register_model
from fer_core.models.layers.pretrained import AsPhotographs, build_trunk, check_unscaled
from fer_core.models.layers.width import scaled

PATCH, DENSE = 256, 32
STRIDES = {112: (2, 2), 224: (4, 1)}
"""Stride and padding of the first patch convolution by the side that the trunk sees."""


class PattLite(FerModel):
    """A cut MobileNet, patches, attention among them.

    Args:
        trunk: (B, 3, side, side) -> (B, K, side / 16, side / 16).
        channels: K.
        photographs: what faces go through in front of the trunk.
        patch: channels of the patches.
        num_classes: outputs.
        dropout: share of each patch's numbers that training leaves out.
    """

    def __init__(
        self,
        trunk: nn.Module,
        channels: int,
        photographs: AsPhotographs,
        patch: int,
        num_classes: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.photographs, self.trunk = photographs, trunk
        stride, padding = STRIDES[photographs.side]
        self.patches = nn.Sequential(
            *_separable(channels, patch, 4, stride, padding),
            *_separable(patch, patch, 2, 2, padding=0),
            *(nn.Conv2d(patch, patch, 1), nn.ReLU()),
        )
        self.describe = nn.Sequential(nn.Dropout(dropout), nn.Conv2d(patch, DENSE, 1), nn.ReLU(), nn.BatchNorm2d(DENSE))
        self.attention = PatchAttention()
        self.feature_width = DENSE
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(DENSE, num_classes))

    def features(self, x: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, 32)."""
        patches = self.describe(self.patches(self.trunk(self.photographs(x))))  # (B, 32, 2, 2)
        features: Tensor = self.attention(patches).mean((-2, -1))
        return features

    @property
    def cam_layer(self) -> nn.Module:
        return self.trunk


class PatchAttention(nn.Module):
    """Dot-product attention among the places of a map, with one learnt scale and nothing else to learn."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, K, h, w) -> (B, K, h, w)."""
        tokens = x.flatten(2)  # (B, K, h * w)
        weights = torch.softmax(self.scale * tokens.transpose(1, 2) @ tokens, dim=-1)  # (B, h * w, h * w)
        note(self, AttentionKind.POSITIONS, weights[:, None], grid=(x.shape[-2], x.shape[-1]))
        return (tokens @ weights.transpose(1, 2)).view_as(x)


def _separable(inputs: int, outputs: int, kernel: int, stride: int, padding: int) -> list[nn.Module]:
    depthwise = nn.Conv2d(inputs, inputs, kernel, stride, padding, groups=inputs, bias=False)
    return [depthwise, nn.Conv2d(inputs, outputs, 1), nn.ReLU()]


@register_model(
    "patt_lite",
    title="PAtt-Lite: MobileNetV1, patches, attention",
    paper="https://arxiv.org/abs/2306.09626",
    small={"width": 0.125, "side": 112},
)
def patt_lite(
    num_classes: int = 7, pretrained: bool = False, side: int = 112, dropout: float = 0.1, width: float = 1.0
) -> PattLite:
    """The network for a `side` of 112 or 224 pixels; `width` scales all channels but the last 32."""
    from timm.models.efficientnet import _gen_mobilenet_v1

    if side not in STRIDES:
        raise ConfigError(f"side ({side}) must be {' or '.join(map(str, STRIDES))}")
    check_unscaled("patt_lite", pretrained, width=width == 1)
    build: Any = partial(_gen_mobilenet_v1, "mobilenetv1_100", channel_multiplier=width)
    whole: Any = build_trunk(build, "patt_lite", pretrained=pretrained)
    expected = whole.pretrained_cfg
    last = whole.blocks[3][3]  # the ninth of the thirteen blocks
    blocks = [*chain(*whole.blocks[:3]), *whole.blocks[3][:3]]
    trunk = nn.Sequential(whole.conv_stem, whole.bn1, *blocks, last.conv_dw, last.bn1)
    photographs = AsPhotographs(side, expected["mean"], expected["std"])
    (patch,) = scaled((PATCH,), width)
    return PattLite(trunk, last.conv_dw.out_channels, photographs, patch, num_classes, dropout)
