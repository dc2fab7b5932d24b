"""The basic residual block (He et al. 2016, https://arxiv.org/abs/1512.03385)."""

from __future__ import annotations

from torch import Tensor, nn

from fer_core.models.layers.conv import conv_bn_relu
from fer_core.models.layers.separable import projection


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut, which is a 1x1 convolution where the shape changes.

    Args:
        inputs: channels that come in.
        outputs: channels that go out.
        stride: 2 halves height and width.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv_bn_relu(inputs, outputs, stride=stride),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        same = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same else projection(inputs, outputs, stride)
        self.activation = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, outputs, H/stride, W/stride)."""
        out: Tensor = self.activation(self.body(x) + self.shortcut(x))
        return out


def residual_stage(inputs: int, outputs: int, depth: int, stride: int) -> nn.Sequential:
    """`depth` basic blocks; the first one changes the channels and strides."""
    first = BasicBlock(inputs, outputs, stride)
    return nn.Sequential(first, *(BasicBlock(outputs, outputs) for _ in range(depth - 1)))
