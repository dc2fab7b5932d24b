"""A small vision transformer (Dosovitskiy et al. 2021, https://arxiv.org/abs/2010.11929) for 48x48 faces.

Patches of 6 pixels (8x8 of them) or 8 pixels (6x6), a class token, learned places, pre-norm blocks. A hundredth of the
paper's smallest, because FER2013 has 28,709 training faces; for the same reason the perceptrons are twice as wide as a
token, where the paper's are four times as wide (`mlp_ratio=4`). Unless told otherwise, a stem of convolutions makes the
patches, which trains more easily than a cut into squares (Xiao et al. 2021, https://arxiv.org/abs/2106.14881).
Training skips parts of blocks (stochastic depth) in place of dropout.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fer_core.config import SIDE
from fer_core.errors import ConfigError
from fer_core.models.attention import AttentionKind
from fer_core.models.base import FerModel, register_model
from fer_core.models.layers.conv import conv_bn_relu
from fer_core.models.layers.multi_head_attention import TransformerBlock


class VisionTransformer(FerModel):
    """Patches, blocks, and a linear head on the class token.

    Args:
        num_classes: of the head.
        patch: side of a patch in pixels; divides 48.
        width: of a token.
        depth: number of blocks.
        heads: of each block.
        skipping: share of the faces for which training skips a part of the last block; it grows from 0 with the depth.
        stem: whether convolutions make the tokens, or one linear map of the patch's pixels.
        mlp_ratio: hidden units of each block's perceptron per unit of the width.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        patch: int,
        width: int,
        depth: int,
        heads: int,
        skipping: float,
        stem: bool,
        mlp_ratio: float,
    ) -> None:
        super().__init__()
        if mlp_ratio <= 0:
            raise ConfigError(f"mlp_ratio ({mlp_ratio}) must be above 0; the paper has 4")
        if patch < 2 or SIDE % patch:
            raise ConfigError(f"patch ({patch}) must divide {SIDE}; 6 and 8 are usual")
        self.feature_width = width
        self.grid = (SIDE // patch, SIDE // patch)
        self.patches = _stem(patch, width) if stem else nn.Conv2d(1, width, patch, stride=patch)
        self.class_token = nn.Parameter(0.02 * torch.randn(1, 1, width))
        self.places = nn.Parameter(0.02 * torch.randn(1, 1 + self.grid[0] * self.grid[1], width))
        self.blocks = nn.ModuleList(
            TransformerBlock(
                width, heads, mlp_ratio, skipping=skipping * block / max(1, depth - 1), kind=AttentionKind.TOKENS
            )
            for block in range(depth)
        )
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, num_classes)

    def features(self, x: Tensor) -> Tensor:
        """(B, 1, 48, 48) -> (B, width), the class token."""
        patches = self.patches(x).flatten(2).transpose(1, 2)  # (B, h * w, width)
        tokens = torch.cat([self.class_token.expand(x.shape[0], -1, -1), patches], dim=1)
        tokens = tokens + self.places
        for block in self.blocks:
            tokens = block(tokens, self.grid)
        features: Tensor = self.norm(tokens[:, 0])
        return features

    @property
    def cam_layer(self) -> nn.Module:
        """What the last block's first norm gives for the patches: behind it their tokens count no more."""
        last: TransformerBlock = self.blocks[-1]  # type: ignore[assignment]
        return last.shown


def _stem(patch: int, width: int) -> nn.Sequential:
    """(B, 1, 48, 48) -> (B, width, 48 / patch, 48 / patch): two pooled convolutions, then patches of the rest."""
    if patch % 2:
        raise ConfigError(f"patch ({patch}) must be even for a stem of convolutions")
    half = max(8, width // 4)
    return nn.Sequential(
        conv_bn_relu(1, half), nn.MaxPool2d(2), conv_bn_relu(half, half), nn.Conv2d(half, width, patch // 2, patch // 2)
    )


@register_model(
    "vit",
    title="Small vision transformer",
    paper="https://arxiv.org/abs/2010.11929",
    small={"width": 16, "depth": 2, "heads": 2, "patch": 8},
)
def vit(
    num_classes: int = 7,
    patch: int = 6,
    width: int = 96,
    depth: int = 6,
    heads: int = 3,
    skipping: float = 0.1,
    stem: bool = True,
    mlp_ratio: float = 2.0,
) -> VisionTransformer:
    """Patches of `patch` pixels behind a stem of convolutions."""
    return VisionTransformer(
        num_classes,
        patch=patch,
        width=width,
        depth=depth,
        heads=heads,
        skipping=skipping,
        stem=stem,
        mlp_ratio=mlp_ratio,
    )
