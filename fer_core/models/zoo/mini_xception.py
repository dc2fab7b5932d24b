"""mini-Xception (Arriaga, Valdenegro-Toro & Ploeger 2017, https://arxiv.org/abs/1710.07557).

Two unpadded 3x3 convolutions of 8 channels, four residual modules of depth-wise separable convolutions (16, 32, 64, 128
channels), a 3x3 convolution to the classes and global average pooling: 56,951 trainable parameters for seven classes,
as in the authors' code. No fully connected layer.
"""

from __future__ import annotations

from torch import Tensor, nn

from fer_core.models.base import FerModel, register_model
from fer_core.models.layers.separable import projection, separable

STEM, STAGES = 8, (16, 32, 64, 128)


class MiniXception(FerModel):
    """A stem, four residual modules, a convolutional head."""

    feature_width = STAGES[-1]

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(*_convolution(1, STEM), *_convolution(STEM, STEM))
        inputs = (STEM, *STAGES[:-1])
        self.residuals = nn.Sequential(*(_Residual(a, b) for a, b in zip(inputs, STAGES, strict=True)))
        self.head = nn.Sequential(
            nn.Conv2d(STAGES[-1], num_classes, 3, padding=1), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )

    def features(self, x: Tensor) -> Tensor:
        """(B, 1, 48, 48) -> (B, 128, 3, 3)."""
        features: Tensor = self.residuals(self.stem(x))
        return features

    @property
    def cam_layer(self) -> nn.Module:
        return self.residuals


class _Residual(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.shortcut = projection(inputs, outputs)
        self.body = nn.Sequential(
            *separable(inputs, outputs), nn.ReLU(), *separable(outputs, outputs), nn.MaxPool2d(3, 2, padding=1)
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.body(x) + self.shortcut(x)
        return out


def _convolution(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 3, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]


@register_model("mini_xception", title="mini-Xception", paper="https://arxiv.org/abs/1710.07557")
def mini_xception(num_classes: int = 7) -> MiniXception:
    """The network of the paper, at 48x48 instead of 64x64."""
    return MiniXception(num_classes)
