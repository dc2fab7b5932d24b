"""Networks for explanation: the registered ones, narrow where they can be, and small ones whose truth is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from fer_core.models import MODELS, create_model
from fer_core.models.base import FerModel

NARROW: dict[str, Any] = {"widths": (8, 8, 16, 16), "dense": 64}
"""Options that make a model quick, for those that have them."""

QUICK: dict[str, dict[str, Any]] = {
    "integrated_gradients": {"n_steps": 10},
    "smooth_grad": {"n_samples": 3},
    "occlusion": {"window": 16, "stride": 12},
}
"""Controls that make a method quick."""


def build(name: str, num_classes: int = 7) -> FerModel:
    """A registered model with seeded weights and batch statistics, in eval mode."""
    options = {key: value for key, value in NARROW.items() if key in MODELS[name].options}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = create_model(name, num_classes, **options)
        for module in model.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight)  # or the signal dies on the way, and with it the tests
            if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d):
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.5, 1.5)
                module.weight.data.uniform_(0.5, 1.5)
                module.bias.data.normal_(0, 0.2)
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
