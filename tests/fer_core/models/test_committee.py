"""Networks that answer together as one model."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from fer_core.models import create_model
from fer_core.models.attention import attention_maps
from fer_core.models.base import FerModel
from fer_core.models.committee import Committee, Seat


@pytest.fixture
def faces() -> Tensor:
    return torch.randn(3, 1, 48, 48, generator=torch.Generator().manual_seed(0))


def member(name: str = "vgg_se", field: int | None = None, seed: int = 0) -> FerModel:
    torch.manual_seed(seed)
    options = {"widths": (8, 8, 8, 8)} if name == "vgg_se" else {"widths": (8, 8), "depths": (1, 1)}
    return create_model(name, field=field, **options).eval()


def test_logits_are_the_weighted_sum_each_of_its_own_input(faces: Tensor) -> None:
    one, two = member(field=40), member("resnet_se")
    committee = Committee([Seat(one, 0.25), Seat(two, 0.75, gain=2.0, offset=0.5)]).eval()
    with torch.inference_mode():
        expected = 0.25 * one(faces) + 0.75 * two(2 * faces + 0.5)
        torch.testing.assert_close(committee(faces), expected)
        torch.testing.assert_close(committee.head(committee.features(faces)), expected)


@pytest.mark.parametrize(("fields", "seen"), [((40, 44), 44), ((40, None), None), ((40,), 40)])
def test_it_looks_at_what_any_member_looks_at(fields: tuple[int | None, ...], seen: int | None) -> None:
    assert Committee([Seat(member(field=field)) for field in fields]).field == seen


def test_grad_cam_looks_at_every_member_and_attention_is_noted_by_member(faces: Tensor) -> None:
    one, two = member(), member("resnet_se")
    committee = Committee([Seat(one, 0.5), Seat(Committee([Seat(two)]), 0.5)])
    assert committee.cam_layers == (one.cam_layer, two.cam_layer)
    layers = attention_maps(committee, faces)
    assert [name.split(".")[1] for name in layers] == ["0"] * 4 + ["1"] * 2


def test_a_member_without_maps_keeps_grad_cam_away() -> None:
    class Mapless(FerModel):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Identity()

    with pytest.raises(TypeError, match="where Grad-CAM looks"):
        _ = Committee([Seat(member()), Seat(Mapless())]).cam_layers
