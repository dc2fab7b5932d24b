"""Deep-Emotion (Minaee & Abdolrashidi 2019, https://arxiv.org/abs/1902.01019), and other attention in its place.

The paper draws the network and leaves details open. Here: unpadded 3x3 convolutions 1-10 and 10-10, max-pool, 10-10 and
10-10, max-pool, batch norm, then fully connected 810-50-C; the localisation net has convolutions 1-8 (7x7) and 8-10
(5x5), each with a max-pool, then fully connected 640-32-6. ReLU follows each convolution and hidden layer, a leaky one
in the localisation net, which otherwise falls silent and crops every face alike; dropout in front of the first fully
connected layer is ours.

The other four keep the convolutions and the fully connected layers, and put in place of the spatial transformer:
self-attention over the 18x18 places of the last map (SAGAN), attention over six regions of that map (RAN), grid-wise
attention on the low-level map of the first two convolutions (FER-VT), squeeze-and-excitation after both pairs.
"""

from __future__ import annotations

from torch import Tensor, nn

from fer_core.models.base import FerModel, register_model
from fer_core.models.layers.grid_attention import GridAttention
from fer_core.models.layers.region_attention import RegionAttention
from fer_core.models.layers.self_attention import SelfAttention2d
from fer_core.models.layers.spatial_transformer import SpatialTransformer
from fer_core.models.layers.squeeze_excite import SqueezeExcite

CHANNELS, HIDDEN = 10, 50
LAST_SIDE = 18
LEAK = 0.1


class _Trunk(FerModel):
    """Four convolutions and two fully connected layers.

    Args:
        num_classes: of the head.
        dropout: in front of the fully connected layers.
        low: what attends to the map of the first two convolutions (44x44), if anything does.
        high: what attends to the map of all four (18x18), if anything does.
    """

    feature_width = HIDDEN

    def __init__(
        self, num_classes: int, dropout: float, *, low: nn.Module | None = None, high: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(1, CHANNELS, 3),
            nn.ReLU(),
            nn.Conv2d(CHANNELS, CHANNELS, 3),
            nn.ReLU(),
            *([low] if low else []),
            nn.MaxPool2d(2),  # 22x22
            nn.Conv2d(CHANNELS, CHANNELS, 3),
            nn.ReLU(),
            nn.Conv2d(CHANNELS, CHANNELS, 3),
            nn.ReLU(),
            *([high] if high else []),
        )
        self.neck = nn.Sequential(
            nn.MaxPool2d(2),  # 9x9
            nn.BatchNorm2d(CHANNELS),
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(9 * 9 * CHANNELS, HIDDEN),
            nn.ReLU(),
        )
        self.head = nn.Linear(HIDDEN, num_classes)

    def features(self, x: Tensor) -> Tensor:
        """(B, 1, 48, 48) -> (B, 50)."""
        features: Tensor = self.neck(self.convolutions(x))
        return features

    @property
    def cam_layer(self) -> nn.Module:
        return self.convolutions


class DeepEmotion(_Trunk):
    """The trunk behind a spatial transformer."""

    def __init__(self, num_classes: int, dropout: float) -> None:
        super().__init__(num_classes, dropout)
        self.transformer = SpatialTransformer(_localisation(), 32)

    def features(self, x: Tensor) -> Tensor:
        """(B, 1, 48, 48) -> (B, 50)."""
        return super().features(self.transformer(x))


def _localisation() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 8, 7),
        nn.MaxPool2d(2),  # 21x21
        nn.LeakyReLU(LEAK),
        nn.Conv2d(8, 10, 5),
        nn.MaxPool2d(2),  # 8x8
        nn.LeakyReLU(LEAK),
        nn.Flatten(),
        nn.Linear(640, 32),
        nn.LeakyReLU(LEAK),
    )


@register_model(
    "deep_emotion", title="Attentional CNN with a spatial transformer", paper="https://arxiv.org/abs/1902.01019"
)
def deep_emotion(num_classes: int = 7, dropout: float = 0.2) -> DeepEmotion:
    """The network of the paper for 48x48 faces."""
    return DeepEmotion(num_classes, dropout)


@register_model(
    "deep_emotion_self_attention",
    title="Attentional CNN with self-attention over its last map",
    paper="https://arxiv.org/abs/1805.08318",
)
def deep_emotion_self_attention(num_classes: int = 7, dropout: float = 0.2) -> FerModel:
    """Deep-Emotion's trunk with a SAGAN block in place of the spatial transformer."""
    return _Trunk(num_classes, dropout, high=SelfAttention2d(CHANNELS))


@register_model(
    "deep_emotion_region",
    title="Attentional CNN with attention over regions",
    paper="https://arxiv.org/abs/1905.04075",
)
def deep_emotion_region(num_classes: int = 7, dropout: float = 0.2) -> FerModel:
    """Deep-Emotion's trunk with region-based attention in place of the spatial transformer."""
    return _Trunk(num_classes, dropout, high=RegionAttention(CHANNELS, LAST_SIDE))


@register_model(
    "deep_emotion_grid",
    title="Attentional CNN with grid-wise attention",
    paper="https://doi.org/10.1016/j.ins.2021.08.043",
)
def deep_emotion_grid(num_classes: int = 7, dropout: float = 0.2, cells: int = 8) -> FerModel:
    """Deep-Emotion's trunk with grid-wise attention, `cells` a side, in place of the spatial transformer."""
    return _Trunk(num_classes, dropout, low=GridAttention(CHANNELS, cells))


@register_model(
    "deep_emotion_se",
    title="Attentional CNN with squeeze-and-excitation",
    paper="https://arxiv.org/abs/1709.01507",
)
def deep_emotion_se(num_classes: int = 7, dropout: float = 0.2) -> FerModel:
    """Deep-Emotion's trunk with squeeze-and-excitation in place of the spatial transformer."""
    return _Trunk(num_classes, dropout, low=SqueezeExcite(CHANNELS), high=SqueezeExcite(CHANNELS))
