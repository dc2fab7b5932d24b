"""Multiply-adds against figures worked out by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from fer_core.models import MODELS
from fer_core.models.flops import count, model_cost


class Recurrent(nn.Module):
    """The 48 rows of a face as a sequence."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(48, 16, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.lstm(x[:, 0])[0][:, -1]


class Attentive(nn.Module):
    """The 48 rows of a face as tokens that attend to each other in an encoder layer of PyTorch's own."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(48, 4, dim_feedforward=96, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x[:, 0])


CASES: dict[str, tuple[nn.Module, int]] = {
    "convolution": (nn.Conv2d(1, 8, 3, padding=1), 48 * 48 * 8 * 9),
    "stride": (nn.Conv2d(1, 6, 5, stride=2, padding=2), 24 * 24 * 6 * 25),
    "groups": (
        nn.Sequential(nn.Conv2d(1, 8, 1), nn.Conv2d(8, 8, 3, padding=1, groups=8)),
        48 * 48 * 8 + 48 * 48 * 8 * 9,
    ),
    "linear": (nn.Sequential(nn.Flatten(), nn.Linear(2304, 100), nn.Linear(100, 7)), 2304 * 100 + 700),
    "no product": (nn.Sequential(nn.BatchNorm2d(1), nn.ReLU(), nn.AvgPool2d(2)), 0),
    "recurrent": (Recurrent(), 48 * 4 * 16 * (48 + 16)),
    "attention": (Attentive(), 48 * 48 * 48 * 4 + 2 * 48 * 48 * 48 + 2 * 48 * 48 * 96),
}


@pytest.mark.parametrize("case", sorted(CASES))
def test_hand_computed_figures(case: str) -> None:
    model, expected = CASES[case]
    assert count(model) == expected


def test_the_side_counts() -> None:
    model = nn.Conv2d(1, 8, 3, padding=1)
    assert count(model, 96) == 4 * count(model, 48)


def test_the_model_stays_as_it_was() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Dropout()).train()
    count(model)
    assert model.training
    assert next(model.parameters()).device.type == "cpu"


def test_a_registered_model_is_counted_without_its_weights() -> None:
    spec = MODELS["vgg_se"]
    real = count(spec.build(num_classes=7, widths=(8, 8, 16, 16)))
    assert model_cost("vgg_se", widths=(8, 8, 16, 16)) == real
    assert model_cost("vgg_se", 8, widths=(8, 8, 16, 16)) > real
    assert model_cost("vgg_se", field=40, widths=(8, 8, 16, 16)) < real
    assert torch.get_default_device() == torch.device("cpu")
