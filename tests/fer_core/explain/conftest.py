"""Networks for explanation: the registered ones, narrow where they can be, and small ones whose truth is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from fer_core.explain import EXPLAINERS
from fer_core.models import MODELS, create_model
from fer_core.models.base import FerModel
from fer_core.models.layers.spatial_transformer import SpatialTransformer

NARROW: dict[str, dict[str, Any]] = {"vgg_se": {"widths": (8, 8, 16, 16)}}
"""Options that make a model quicker than its small form."""

HOSTS = {
    "spatial_transformer": "deep_emotion",
    "channel_attention": "vgg_se",
    "self_attention": "cnn_self_attention",
    "grid_attention": "deep_emotion_grid",
    "region_attention": "deep_emotion_region",
    "lstm_attention": "cnn_lstm_attention",
    "vit_heads": "vit",
    "attention_rollout": "vit",
    "mask_attention": "residual_masking",
}
"""A model that each of the methods suits which show attention; `vgg_se` suits all others."""

QUICK: dict[str, dict[str, Any]] = {
    "integrated_gradients": {"n_steps": 10},
    "smooth_grad": {"n_samples": 3},
    "occlusion": {"window": 16, "stride": 12},
}
"""Controls that make a method quick."""


def host(method: str) -> str:
    """A model that the method suits."""
    return HOSTS.get(method, "vgg_se")


ON_VGG_SE = [method for method in EXPLAINERS if host(method) == "vgg_se"]


def build(name: str, num_classes: int = 7) -> FerModel:
    """A registered model with seeded weights and batch statistics, in eval mode."""
    options = NARROW.get(name, MODELS[name].small)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = create_model(name, num_classes, **options)
        for module in reversed(list(model.modules())):  # a spatial transformer after its parts
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight)  # or the signal dies on the way, and with it the tests
            if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d):
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.5, 1.5)
                module.weight.data.uniform_(0.5, 1.5)
                module.bias.data.normal_(0, 0.2)
            if isinstance(module, SpatialTransformer):
                module.affine.weight = nn.Parameter(0.02 * torch.randn_like(module.affine.weight))  # stay on the face
    return model.eval()


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """One thread in torch: small networks gain nothing from two, and lose much on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def models() -> Callable[[str], FerModel]:
    """Name -> model, built once. Not to be changed by tests."""
    built: dict[str, FerModel] = {}
    return lambda name: built.setdefault(name, build(name))


@pytest.fixture(scope="session")
def faces() -> Tensor:
    """(3, 1, 48, 48) normalised smooth patterns. Not to be changed by tests."""
    coarse = torch.randn((3, 1, 12, 12), generator=torch.Generator().manual_seed(7))
    return nn.functional.interpolate(coarse, size=(48, 48), mode="bicubic")


class LinearModel(FerModel):
    """Logits that are linear in the pixels, with weights of ones at one patch for class 1 and zero elsewhere."""

    PATCH = (slice(30, 38), slice(10, 22))

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(48 * 48, 7, bias=False)
        weight = torch.zeros(7, 48, 48)
        weight[1][self.PATCH] = 1.0
        weight[2, :4, :4] = -1.0
        self.head.weight.data = weight.flatten(1)

    def features(self, x: Tensor) -> Tensor:
        return x.flatten(1)


class MapModel(FerModel):
    """One map of features: class 1 is the mean of what is bright, class 2 of what is dark."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 1, bias=False)
        self.conv.weight.data = torch.tensor([1.0, -1.0]).view(2, 1, 1, 1)
        self.act = nn.ReLU(inplace=True)
        self.pool = nn.AvgPool2d(4)
        self.head = nn.Linear(2, 7, bias=False)
        self.head.weight.data = torch.zeros(7, 2)
        self.head.weight.data[1, 0] = self.head.weight.data[2, 1] = 1.0

    @property
    def cam_layer(self) -> nn.Module:
        return self.pool

    def features(self, x: Tensor) -> Tensor:
        return self.pool(self.act(self.conv(x))).mean((2, 3))


@pytest.fixture
def linear_model() -> LinearModel:
    return LinearModel().eval()


@pytest.fixture
def map_model() -> MapModel:
    return MapModel().eval()
