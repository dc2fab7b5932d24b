"""Deep-Emotion (Minaee & Abdolrashidi 2019, https://arxiv.org/abs/1902.01019): a CNN behind a spatial transformer.

The paper draws the network and leaves details open. Here: unpadded 3x3 convolutions 1-10 and 10-10, max-pool, 10-10 and
10-10, max-pool, batch norm, then fully connected 810-50-C; the localisation net has convolutions 1-8 (7x7) and 8-10
(5x5), each with a max-pool, then fully connected 640-32-6. ReLU follows each convolution and hidden layer; dropout in
front of the first fully connected layer is ours.
"""

from __future__ import annotations

from torch import Tensor, nn

from fer_core.models.base import FerModel, register_model
from fer_core.models.layers.spatial_transformer import SpatialTransformer

HIDDEN = 50


class DeepEmotion(FerModel):
    """Spatial transformer, four convolutions, two fully connected layers."""

    feature_width = HIDDEN

    def __init__(self, num_classes: int, dropout: float) -> None:
        super().__init__()
        self.transformer = SpatialTransformer(_localisation(), 32)
        self.convolutions = nn.Sequential(
            nn.Conv2d(1, 10, 3),
            nn.ReLU(),
            nn.Conv2d(10, 10, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),  # 22x22
            nn.Conv2d(10, 10, 3),
            nn.ReLU(),
            nn.Conv2d(10, 10, 3),
            nn.ReLU(),
        )
        self.neck = nn.Sequential(
            nn.MaxPool2d(2),  # 9x9
            nn.BatchNorm2d(10),
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(810, HIDDEN),
            nn.ReLU(),
        )
        self.head = nn.Linear(HIDDEN, num_classes)

    def features(self, x: Tensor) -> Tensor:
        features: Tensor = self.neck(self.convolutions(self.transformer(x)))
        return features

    @property
    def cam_layer(self) -> nn.Module:
        return self.convolutions


def _localisation() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 8, 7),
        nn.MaxPool2d(2),  # 21x21
        nn.ReLU(),
        nn.Conv2d(8, 10, 5),
        nn.MaxPool2d(2),  # 8x8
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(640, 32),
        nn.ReLU(),
    )


@register_model(
    "deep_emotion", title="Attentional CNN with a spatial transformer", paper="https://arxiv.org/abs/1902.01019"
)
def deep_emotion(num_classes: int = 7, dropout: float = 0.2) -> DeepEmotion:
    """The network of the paper for 48x48 faces."""
    return DeepEmotion(num_classes, dropout)
