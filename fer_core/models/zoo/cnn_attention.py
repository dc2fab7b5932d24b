"""Small CNNs with attention on their maps: self-attention, several heads, a grid over the low-level features.

- `cnn_self_attention`: a SAGAN block (Zhang et al. 2019, https://arxiv.org/abs/1805.08318) over a 12x12 map.
- `cnn_mhsa`: multi-head self-attention (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762) over the places of the
  last map, eight heads with keys of 8 numbers unless told; a residual connection and a layer norm around it.
- `cnn_grid_attention`: FER-VT (Huang et al. 2021, https://doi.org/10.1016/j.ins.2021.08.043) on a small trunk:
  grid-wise attention on the low-level map, a transformer over the places of the high-level map. The paper takes its
  tokens from a pyramid of a deeper network's blocks; here they are the places of the last one.
"""

from __future__ import annotations

from torch import Tensor, nn

from fer_core.models.attention import AttentionKind
from fer_core.models.base import FerModel, register_model
from fer_core.models.layers.conv import conv_bn_relu
from fer_core.models.layers.grid_attention import GridAttention
from fer_core.models.layers.multi_head_attention import MultiHeadAttention, TransformerBlock
from fer_core.models.layers.self_attention import SelfAttention2d
from fer_core.models.layers.trunk import conv_trunk

WIDTHS = (32, 48, 96)
SMALL = {"widths": (8, 8, 16)}


class CnnAttention(FerModel):
    """A trunk, attention on its last map, a stage after it, the mean over all places, a linear head.

    Args:
        num_classes: of the head.
        trunk: (B, 1, 48, 48) -> (B, inputs, h, w).
        attention: (B, inputs, h, w) -> (B, inputs, h, w).
        inputs: channels of the trunk's map.
        dropout: in front of the head.
    """

    def __init__(self, num_classes: int, trunk: nn.Module, attention: nn.Module, inputs: int, dropout: float) -> None:
        super().__init__()
        self.trunk, self.attention = trunk, attention
        self.feature_width = 2 * inputs
        self.last = nn.Sequential(
            nn.MaxPool2d(2),
            conv_bn_relu(inputs, self.feature_width),
            conv_bn_relu(self.feature_width, self.feature_width),
        )
        self.neck = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout))
        self.head = nn.Linear(self.feature_width, num_classes)

    def features(self, x: Tensor) -> Tensor:
        """(B, 1, 48, 48) -> (B, 2 * inputs)."""
        features: Tensor = self.neck(self.last(self.attention(self.trunk(x))))
        return features

    @property
    def cam_layer(self) -> nn.Module:
        return self.last


class HeadsOnMap(nn.Module):
    """Multi-head self-attention over the places of a map, added to it, and normed."""

    def __init__(self, channels: int, heads: int, key_dim: int) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(channels, heads, key_dim)
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, K, h, w) -> (B, K, h, w)."""
        grid = (x.shape[-2], x.shape[-1])
        tokens = x.flatten(2).transpose(1, 2)  # (B, h * w, K)
        tokens = self.norm(tokens + self.attention(tokens, grid))
        return tokens.transpose(1, 2).unflatten(2, grid)


class TransformerOnMap(nn.Module):
    """Transformer blocks over the places of a map."""

    def __init__(self, channels: int, depth: int, heads: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            TransformerBlock(channels, heads, kind=AttentionKind.POSITIONS) for _ in range(depth)
        )
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, K, h, w) -> (B, K, h, w)."""
        grid = (x.shape[-2], x.shape[-1])
        tokens = x.flatten(2).transpose(1, 2)
        for block in self.blocks:
            tokens = block(tokens, grid)
        return self.norm(tokens).transpose(1, 2).unflatten(2, grid)


@register_model(
    "cnn_self_attention",
    title="Small CNN with self-attention",
    paper="https://arxiv.org/abs/1805.08318",
    small=SMALL,
)
def cnn_self_attention(num_classes: int = 7, widths: tuple[int, ...] = WIDTHS, dropout: float = 0.3) -> CnnAttention:
    """Three stages with a SAGAN block on the last of them (12x12 places), and a fourth stage."""
    trunk = conv_trunk(tuple(widths), dropout / 2)
    return CnnAttention(num_classes, trunk, SelfAttention2d(widths[-1]), widths[-1], dropout)


@register_model(
    "cnn_mhsa",
    title="Small CNN with multi-head self-attention",
    paper="https://arxiv.org/abs/1706.03762",
    small=SMALL,
)
def cnn_mhsa(
    num_classes: int = 7,
    widths: tuple[int, ...] = WIDTHS,
    heads: int = 8,
    key_dim: int = 8,
    dropout: float = 0.3,
) -> CnnAttention:
    """`heads` questions with keys of `key_dim` numbers over 12x12 places; `key_dim=64` is the larger form."""
    trunk = conv_trunk(tuple(widths), dropout / 2)
    return CnnAttention(num_classes, trunk, HeadsOnMap(widths[-1], heads, key_dim), widths[-1], dropout)


@register_model(
    "cnn_grid_attention",
    title="Small CNN with grid-wise attention and a transformer on top",
    paper="https://doi.org/10.1016/j.ins.2021.08.043",
    small=SMALL | {"heads": 2},
)
def cnn_grid_attention(
    num_classes: int = 7,
    widths: tuple[int, ...] = WIDTHS,
    cells: int = 8,
    depth: int = 1,
    heads: int = 4,
    dropout: float = 0.3,
) -> CnnAttention:
    """A grid of `cells` a side on the first map (48x48), `depth` transformer blocks on the third (12x12)."""
    first, *others = conv_trunk(tuple(widths), dropout / 2)
    trunk = nn.Sequential(first, GridAttention(widths[0], cells), *others)
    return CnnAttention(num_classes, trunk, TransformerOnMap(widths[-1], depth, heads), widths[-1], dropout)
