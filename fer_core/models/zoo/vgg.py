"""VGG for FER2013 (Khaireddin & Chen 2021, https://arxiv.org/abs/2105.03588), a lighter form with attention, and the
original VGG16 and VGG19 (Simonyan & Zisserman 2014, https://arxiv.org/abs/1409.1556).

`vgg` follows the paper: four stages of two convolution, batch-norm, ReLU blocks and a max-pool, then three fully
connected layers. The paper gives neither the widths nor the fully connected sizes; 64-128-256-512 and 4096 are VGG's
own. The authors cut crops of 40 pixels, which leave 2x2 behind the fourth pool: `side=40` sizes the first dense layer
for them. `vgg_se` keeps the stages, closes each with squeeze-and-excitation before its pool, and ends in global average
pooling and one linear layer; because of that pooling it takes faces of any side from 16 pixels up. `vgg16` and `vgg19`
have the 13 and 16 convolutions of the original, with batch norm behind each; as 48 pixels leave 1x1 behind the fifth
pool, dropout and one linear layer stand in place of the three fully connected ones, unless `dense` brings the first two
of them back (4096 units in the paper): only then the networks have the 16 and 19 layers of their names.
"""

from __future__ import annotations

from torch import Tensor, nn

from fer_core.errors import ConfigError
from fer_core.models.base import FerModel, register_model
from fer_core.models.layers.conv import conv_stage
from fer_core.models.layers.dense import dense_neck, pooled_neck
from fer_core.models.layers.squeeze_excite import SqueezeExcite
from fer_core.models.layers.width import scaled

STAGES = (64, 128, 256, 512)


class Vgg(FerModel):
    """Stages of convolutions, a trunk that flattens them, a linear head.

    Args:
        widths: channels of each stage.
        depths: convolutions of each stage.
        attention: whether squeeze-and-excitation closes each stage.
        neck: (B, K, h, w) -> (B, D).
        feature_width: D.
    """

    def __init__(
        self,
        widths: tuple[int, ...],
        num_classes: int,
        *,
        neck: nn.Module,
        feature_width: int,
        depths: tuple[int, ...] | None = None,
        attention: bool = False,
    ) -> None:
        super().__init__()
        inputs = (1, *widths[:-1])
        self.stages = nn.ModuleList(
            _stage(*sizes, attention) for sizes in zip(inputs, widths, depths or [2] * len(widths), strict=True)
        )
        self.pools = nn.ModuleList(nn.MaxPool2d(2) for _ in widths)  # one each: DeepLIFT wants no module used twice
        self.neck = neck
        self.feature_width = feature_width
        self.head = nn.Linear(feature_width, num_classes)

    def features(self, x: Tensor) -> Tensor:
        for stage, pool in zip(self.stages, self.pools, strict=True):
            x = pool(stage(x))
        features: Tensor = self.neck(x)
        return features

    @property
    def cam_layer(self) -> nn.Module:
        return self.stages[-1]


def _stage(inputs: int, outputs: int, depth: int, attention: bool) -> nn.Sequential:
    blocks = conv_stage(inputs, outputs, depth)
    if attention:
        blocks.append(SqueezeExcite(outputs))
    return nn.Sequential(*blocks)


@register_model(
    "vgg",
    title="VGG, four stages, three dense layers",
    paper="https://arxiv.org/abs/2105.03588",
    small={"width": 0.125, "dense": 64},
)
def vgg(num_classes: int = 7, dense: int = 4096, dropout: float = 0.5, width: float = 1.0, side: int = 48) -> Vgg:
    """The network of the paper for faces, or crops of them, of `side` pixels; `width` scales 64-128-256-512."""
    if side < 16:
        raise ConfigError(f"side ({side}) must be 16 or more: four pools leave nothing of less")
    widths = scaled(STAGES, width)
    left = side // 2 ** len(widths)  # 3 of 48 pixels, 2 of 40 and 44
    neck = dense_neck(widths[-1] * left * left, [dense, dense], dropout)
    return Vgg(widths, num_classes, neck=neck, feature_width=dense)


@register_model(
    "vgg_se",
    title="VGG with squeeze-and-excitation",
    paper="https://arxiv.org/abs/2105.03588",
    small={"width": 0.125},
)
def vgg_se(
    num_classes: int = 7, width: float = 0.5, widths: tuple[int, ...] | None = None, dropout: float = 0.2
) -> Vgg:
    """`vgg` with squeeze-and-excitation and a light head; `width` scales 64-128-256-512, `widths` replaces them."""
    channels = tuple(widths) if widths else scaled(STAGES, width)
    return Vgg(channels, num_classes, neck=pooled_neck(dropout), feature_width=channels[-1], attention=True)


@register_model(
    "vgg16", title="VGG16 with batch norm", paper="https://arxiv.org/abs/1409.1556", small={"width": 0.0625}
)
def vgg16(num_classes: int = 7, width: float = 1.0, dropout: float = 0.5, dense: int = 0) -> Vgg:
    """Thirteen convolutions for 48x48 faces; `width` scales 64-128-256-512-512, `dense` adds two layers of it."""
    return _original((2, 2, 3, 3, 3), num_classes, width, dropout, dense)


@register_model(
    "vgg19", title="VGG19 with batch norm", paper="https://arxiv.org/abs/1409.1556", small={"width": 0.0625}
)
def vgg19(num_classes: int = 7, width: float = 1.0, dropout: float = 0.5, dense: int = 0) -> Vgg:
    """Sixteen convolutions for 48x48 faces; `width` scales 64-128-256-512-512, `dense` adds two layers of it."""
    return _original((2, 2, 4, 4, 4), num_classes, width, dropout, dense)


def _original(depths: tuple[int, ...], num_classes: int, width: float, dropout: float, dense: int) -> Vgg:
    if dense < 0:
        raise ConfigError(f"dense ({dense}) must be 0, for no dense layers in front of the last, or their units")
    widths = scaled((*STAGES, STAGES[-1]), width)
    neck = dense_neck(widths[-1], [dense, dense], dropout) if dense else pooled_neck(dropout)  # of 1x1
    return Vgg(widths, num_classes, depths=depths, neck=neck, feature_width=dense or widths[-1])
