"""Where heat lies: receptive fields measured by gradients, networks whose truth is known, a transformer's crop."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from fer_core.explain import raw_attributions
from fer_core.explain.attention import ONE, on_face
from fer_core.explain.placement import Axis, affine_of, stretched
from fer_core.explain.tracing import placed_maps, placement_of
from fer_core.models.attention import AttentionKind
from fer_core.models.base import FerModel
from fer_core.models.layers.grid_attention import GridAttention
from fer_core.models.layers.spatial_transformer import SpatialTransformer

from .conftest import build

ROOT = Path(__file__).resolve().parents[3]
MEASURED = ["deep_emotion_region", "mini_xception", "xception", "alexnet", "resnet18", "googlenet", "vit"]
"""Unpadded, strided, overlapping and patched."""


class Unpadded(FerModel):
    """Two unpadded convolutions of ones, a pool, a strided convolution: places at pixels 3.5, 7.5, ... of the face."""

    def __init__(self, transformer: nn.Module | None = None) -> None:
        super().__init__()
        self.transformer = transformer or nn.Identity()
        self.maps = nn.Sequential(
            nn.Conv2d(1, 1, 3, bias=False),  # from pixel 1
            nn.Conv2d(1, 1, 3, bias=False),  # 2
            nn.MaxPool2d(2),  # 2.5, every 2
            nn.Conv2d(1, 1, 2, stride=2, bias=False),  # 3.5, every 4
        )
        for parameter in self.maps.parameters():
            parameter.data.fill_(1.0)
        self.head = nn.Linear(11 * 11, 7)
        self.head.weight.data.fill_(1.0)

    @property
    def cam_layer(self) -> nn.Module:
        return self.maps

    def features(self, x: Tensor) -> Tensor:
        return self.maps(self.transformer(x)).flatten(1)


def bright(row: int, column: int, reach: int = 1) -> Tensor:
    """(1, 1, 48, 48): one bright spot, `reach` pixels to each side."""
    face = torch.zeros(1, 1, 48, 48)
    face[..., row - reach : row + reach + 1, column - reach : column + reach + 1] = 1.0
    return face


def centre_of(heat: Tensor) -> tuple[float, float]:
    """Row and column of the centre of mass."""
    weights = heat[0, 0] / heat.sum()
    places = torch.arange(48.0)
    return float((weights.sum(1) * places).sum()), float((weights.sum(0) * places).sum())


def crop_of(*affine: float) -> SpatialTransformer:
    """A transformer that takes the same crop of every face."""
    return SpatialTransformer(nn.Flatten(), 48 * 48, start=affine)


@pytest.mark.parametrize("name", MEASURED)
def test_places_are_the_centres_of_what_they_see(name: str) -> None:
    model = build(name)
    layers = [m for m in model.modules() if isinstance(m, nn.Conv2d | nn.MaxPool2d)]
    measured = 0
    for layer in layers[:10]:
        reached = _seen_by_the_middle(model, layer)
        if reached is None:
            continue
        (top, bottom), (left, right), (row, column) = reached
        place = placement_of(model, layer, torch.zeros(1, 1, 48, 48))
        assert place is not None
        assert place.rows.first + row * place.rows.step == pytest.approx((top + bottom) / 2)
        assert place.columns.first + column * place.columns.step == pytest.approx((left + right) / 2)
        measured += 1
    assert measured >= 2


def _seen_by_the_middle(model: FerModel, layer: nn.Module) -> tuple[tuple[int, ...], ...] | None:
    """First and last row and column on which the place in a map's middle depends, for any face; None at a border."""
    given: list[Tensor] = []
    faces = torch.randn(48, 1, 48, 48, generator=torch.Generator().manual_seed(1)).requires_grad_()
    handle = layer.register_forward_hook(lambda _m, _i, output: given.append(output))
    model(faces)
    handle.remove()
    height, width = given[0].shape[-2:]
    row, column = height // 2, width // 2
    (gradient,) = torch.autograd.grad(given[0][:, :, row, column].sum(), faces)
    seen = (gradient != 0).any(0)[0]
    rows, columns = (seen.any(dim).nonzero().flatten().tolist() for dim in (1, 0))
    if not rows or {0, 47} & {rows[0], rows[-1], columns[0], columns[-1]}:
        return None
    return (rows[0], rows[-1]), (columns[0], columns[-1]), (row, column)


def test_a_network_whose_truth_is_known() -> None:
    model = Unpadded()
    place = placement_of(model, model.cam_layer, torch.zeros(1, 1, 48, 48))
    assert place is not None
    assert place.rows == place.columns == Axis(11, 3.5, 4.0)


@pytest.mark.parametrize(("row", "column"), [(9, 9), (9, 38), (38, 10), (24, 24)])
def test_grad_cam_lies_on_the_bright_spot(row: int, column: int) -> None:
    heat = raw_attributions("grad_cam", Unpadded().eval(), bright(row, column), 0)
    assert centre_of(heat) == pytest.approx((row, column), abs=1.0)


@pytest.mark.parametrize(
    "affine",
    [(1.0, 0, 0, 0, 1, 0), (0.6, 0, 0.2, 0, 0.5, -0.1), (0.0, -0.7, 0.1, 0.7, 0, 0.05)],
    ids=["whole", "zoomed", "turned"],
)
def test_heat_behind_a_transformer_lies_on_the_face(affine: tuple[float, ...]) -> None:
    heat = raw_attributions("grad_cam", Unpadded(crop_of(*affine)).eval(), bright(20, 27), 0)
    assert centre_of(heat) == pytest.approx((20, 27), abs=1.0)


def test_there_is_no_heat_outside_the_crop() -> None:
    model = Unpadded(crop_of(0.5, 0, 0.25, 0, 0.5, -0.25)).eval()  # rows 6 to 29, columns 18 to 41
    heat = raw_attributions("grad_cam", model, torch.ones(1, 1, 48, 48), 0)
    assert heat[..., 8:28, 20:40].min() > 0
    outside = torch.ones(48, 48, dtype=torch.bool)
    outside[5:31, 17:43] = False
    assert heat[0, 0][outside].abs().max() == 0


def test_each_face_has_its_own_crop() -> None:
    transformer = crop_of(0.6, 0, 0, 0, 0.6, 0)
    transformer.affine.weight.data[2] = 0.3  # the brighter the face, the further to the right
    faces = torch.cat([bright(24, 24), bright(24, 24) * 0.2])
    model = Unpadded(transformer).eval()
    both = raw_attributions("grad_cam", model, faces, 0)
    for index in (0, 1):
        alone = raw_attributions("grad_cam", model, faces[index : index + 1], 0)
        torch.testing.assert_close(both[index : index + 1], alone)
        assert centre_of(alone) == pytest.approx((24, 24), abs=1.0)


@pytest.mark.parametrize("affine", [(0.6, 0.1, 0.2, -0.2, 0.5, -0.1), (1.0, 0, 0, 0, 1, 0)])
def test_the_six_numbers_are_read_off_the_grid(affine: tuple[float, ...]) -> None:
    theta = torch.tensor(affine).view(1, 2, 3)
    torch.testing.assert_close(affine_of(functional.affine_grid(theta, [1, 1, 48, 40], align_corners=False)), theta)


def test_a_crop_without_area_breaks_nothing() -> None:
    heat = raw_attributions("grad_cam", Unpadded(crop_of(0.0, 0, 0, 0, 0, 0)).eval(), bright(20, 27), 0)
    assert torch.isfinite(heat).all()


def test_the_one_place_is_the_nearest_one() -> None:
    """In an unpadded trunk the centres of the 18 places lie from pixel 6.5 on, two pixels apart."""
    model, face = build("deep_emotion_self_attention"), torch.randn(1, 1, 48, 48)
    (found,) = placed_maps(model, face, AttentionKind.POSITIONS)
    for pixel, place in ((0, 0), (9, 1), (11, 2), (40, 17), (47, 17)):
        raw = raw_attributions("self_attention", model, face, 0, query=ONE, row=pixel, column=24)
        row = found.weights[:, 0, place * 18 + 9].unflatten(1, (18, 18))  # column 9 is at pixel 24.5
        rise = row - row.mean()
        torch.testing.assert_close(raw, on_face(rise * (rise > 0), face, None, found.placement), atol=1e-5, rtol=1e-3)


def test_the_cells_of_a_grid_divide_the_map_that_they_weigh() -> None:
    class Gated(FerModel):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.grid = nn.Conv2d(1, 2, 9), GridAttention(2, cells=4)  # 40x40 from pixel 4 on
            self.head = nn.Linear(2, 7)

        def features(self, x: Tensor) -> Tensor:
            return self.grid(self.conv(x)).mean((2, 3))

    (found,) = placed_maps(Gated(), torch.randn(1, 1, 48, 48), AttentionKind.GRID)
    assert found.placement.rows == Axis(4, 4 + 4.5, 10.0)


def test_a_smaller_field_moves_the_places() -> None:
    model = build("vgg_se")
    model.field = 40
    place = placement_of(model, model.cam_layer, torch.zeros(1, 1, 48, 48))
    assert place is not None
    assert place.rows == Axis(5, 4 + 3.5, 8.0)


def test_no_compiler_is_loaded_for_it() -> None:
    """Importing torch's compiler takes seconds, which would be counted as the time of the explanation."""
    program = (
        "import sys, torch; from fer_core.explain.tracing import placement_of; "
        "from fer_core.models import create_model; "
        "model = create_model('mini_xception').eval(); before = set(sys.modules); "
        "assert placement_of(model, model.cam_layer, torch.zeros(1, 1, 48, 48)).rows.count == 3; "
        "print([name for name in set(sys.modules) - before if name.startswith(('torch._dynamo', 'sympy'))])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_even_division_where_nothing_is_known() -> None:
    assert stretched((6, 4), 48, 40).rows == Axis(6, 4 + (40 / 6 - 1) / 2, 40 / 6)
    heat = torch.rand(2, 6, 6)
    fine = functional.interpolate(heat[:, None], (48, 48), mode="bilinear")
    torch.testing.assert_close(on_face(heat, torch.zeros(2, 1, 48, 48), None), fine)
