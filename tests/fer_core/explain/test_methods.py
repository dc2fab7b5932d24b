"""Each method against what it should give: direct computations, sums, and networks whose truth is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from fer_core.errors import CheckpointError, ConfigError, UnsupportedError
from fer_core.explain import EXPLAINERS, attribute, attribute_batch, raw_attributions, why_not
from fer_core.explain.attribution import normalise_heat
from fer_core.models.base import FerModel

from .conftest import LinearModel, MapModel, build

TARGET = 3


def _gradient(model: nn.Module, face: Tensor, target: int = TARGET) -> Tensor:
    leaf = face.clone().requires_grad_()
    model(leaf)[0, target].backward(inputs=[leaf])
    assert leaf.grad is not None
    return leaf.grad


def test_saliency_is_the_absolute_gradient(models: Callable[[str], FerModel], faces: Tensor) -> None:
    raw = raw_attributions("saliency", models("vgg_se"), faces[:1], TARGET)
    torch.testing.assert_close(raw, _gradient(models("vgg_se"), faces[:1]).abs())


def test_input_x_gradient_is_their_product(models: Callable[[str], FerModel], faces: Tensor) -> None:
    raw = raw_attributions("input_x_gradient", models("vgg_se"), faces[:1], TARGET)
    torch.testing.assert_close(raw, faces[:1] * _gradient(models("vgg_se"), faces[:1]))


def test_smooth_grad_without_noise_is_saliency(models: Callable[[str], FerModel], faces: Tensor) -> None:
    raw = raw_attributions("smooth_grad", models("vgg_se"), faces[:1], TARGET, noise=0.0, n_samples=2)
    torch.testing.assert_close(raw, raw_attributions("saliency", models("vgg_se"), faces[:1], TARGET))


def test_smooth_grad_leaves_the_global_generator_alone(models: Callable[[str], FerModel], faces: Tensor) -> None:
    before = torch.random.get_rng_state()
    raw_attributions("smooth_grad", models("vgg_se"), faces[:1], TARGET, n_samples=2)
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("baseline", ["grey", "dark", "blurred"])
def test_integrated_gradients_add_up(baseline: str, models: Callable[[str], FerModel], faces: Tensor) -> None:
    from fer_core.explain.baselines import reference

    model, face = models("vgg_se"), faces[:1]
    raw = raw_attributions("integrated_gradients", model, face, TARGET, baseline=baseline, n_steps=100)
    with torch.no_grad():
        change = (model(face) - model(reference(face, baseline)))[0]
    assert float(raw.sum()) == pytest.approx(float(change[TARGET]), abs=0.02 * float(change.abs().max()))


@pytest.mark.parametrize("name", ["vgg", "vgg_se"])
@pytest.mark.parametrize("target", [1, 6])
def test_deep_lift_adds_up(name: str, target: int, models: Callable[[str], FerModel], faces: Tensor) -> None:
    model = models(name)
    raw = raw_attributions("deep_lift", model, faces, target)
    with torch.no_grad():
        change = (model(faces) - model(torch.zeros_like(faces)))[:, target]
    torch.testing.assert_close(raw.sum((1, 2, 3)), change, rtol=1e-2, atol=1e-5)


@pytest.mark.parametrize("method", ["deep_lift", "integrated_gradients", "occlusion"])
def test_exact_on_a_linear_model(method: str, linear_model: LinearModel, faces: Tensor) -> None:
    controls = {"window": 3, "stride": 3} if method == "occlusion" else {}
    raw = raw_attributions(method, linear_model, faces[:1], 1, **controls)
    truth = faces[:1] * linear_model.head.weight[1].view(1, 1, 48, 48)
    if method == "occlusion":  # every pixel bears the loss of its whole window
        truth = nn.functional.interpolate(nn.functional.avg_pool2d(truth, 3) * 9, scale_factor=3)
    torch.testing.assert_close(raw, truth.detach(), rtol=1e-3, atol=1e-4)


def test_grad_cam_against_a_direct_computation(models: Callable[[str], FerModel], faces: Tensor) -> None:
    model, kept = models("vgg_se"), []
    handle = model.cam_layer.register_forward_hook(lambda _m, _i, output: kept.append(output))
    logit = model(faces[:1])[0, TARGET]
    handle.remove()
    (gradient,) = torch.autograd.grad(logit, kept[0])
    coarse = (gradient.mean((2, 3), keepdim=True) * kept[0]).sum(1, keepdim=True).relu()
    truth = nn.functional.interpolate(coarse, size=(48, 48), mode="bilinear")
    torch.testing.assert_close(raw_attributions("grad_cam", model, faces[:1], TARGET), truth.detach())


@pytest.mark.parametrize("method", ["grad_cam", "guided_grad_cam"])
def test_no_heat_where_the_network_does_not_look(method: str, faces: Tensor) -> None:
    model = build("vgg_se")
    model.field = 24
    heat = EXPLAINERS[method].attribute(model, faces.clone().requires_grad_(), [1] * len(faces)).detach()
    outside = torch.ones(48, 48, dtype=torch.bool)
    outside[12:36, 12:36] = False
    assert heat.shape[-2:] == (48, 48)
    assert heat.abs().sum() > 0
    assert heat[..., outside].abs().max() == 0


def test_grad_cam_finds_the_bright_corner(map_model: MapModel) -> None:
    face = torch.full((1, 1, 48, 48), -1.0)
    face[..., :12, 36:] = 2.0
    bright, dark = attribute("grad_cam", map_model, face, 1), attribute("grad_cam", map_model, face, 2)
    assert bright[:12, 36:].mean() > 0.8
    assert bright[24:, :24].max() == 0
    assert dark[24:, :24].min() > 0.8
    assert dark[:8, 40:].max() == 0


def test_guided_backprop_stops_negative_gradients(map_model: MapModel, faces: Tensor) -> None:
    """Class 2's only way back is negative at the convolution, not at the ReLU; class 1's sign is turned here."""
    map_model.head.weight.data[1, 0] = -1.0
    plain = raw_attributions("saliency", map_model, faces[:1], 1)
    guided = raw_attributions("guided_backprop", map_model, faces[:1], 1)
    assert plain.max() > 0
    assert guided.max() == 0
    torch.testing.assert_close(
        raw_attributions("guided_backprop", map_model, faces[:1], 2),
        raw_attributions("saliency", map_model, faces[:1], 2),
    )


def test_guided_grad_cam_is_the_product(models: Callable[[str], FerModel], faces: Tensor) -> None:
    parts = [raw_attributions(name, models("vgg_se"), faces[:1], TARGET) for name in ("grad_cam", "guided_backprop")]
    raw = raw_attributions("guided_grad_cam", models("vgg_se"), faces[:1], TARGET)
    torch.testing.assert_close(raw, parts[0] * parts[1])


@pytest.mark.parametrize("method", ["saliency", "input_x_gradient", "integrated_gradients", "deep_lift", "smooth_grad"])
def test_heat_lands_where_the_logit_looks(method: str, linear_model: LinearModel, faces: Tensor) -> None:
    heat = np.abs(attribute(method, linear_model, faces[:1], 1))
    inside = np.zeros((48, 48), bool)
    inside[LinearModel.PATCH] = True
    assert heat[~inside].max() == 0
    assert heat[inside].mean() > 0.1


def test_occlusion_lands_where_the_logit_looks(linear_model: LinearModel) -> None:
    heat = attribute("occlusion", linear_model, torch.ones(1, 1, 48, 48), 1, window=4, stride=2)
    inside = np.zeros((48, 48), bool)
    inside[LinearModel.PATCH] = True
    assert heat[inside].min() > 0.3
    assert heat[:24].max() == 0


@pytest.mark.parametrize("method", list(EXPLAINERS))
def test_nothing_to_explain_is_zero_and_no_nan(method: str, map_model: MapModel) -> None:
    heat = attribute(method, map_model, torch.zeros(1, 1, 48, 48), 5) if not why_not(method, map_model) else None
    assert heat is None or not heat.any()


class FunctionalRelu(LinearModel):
    """A ReLU that no hook reaches."""

    def features(self, x: Tensor) -> Tensor:
        return torch.relu(x.flatten(1))


class Gated(LinearModel):
    """A gate that depends on the face."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Sequential(nn.Linear(48 * 48, 1), nn.Sigmoid())
        nn.init.normal_(self.gate[0].weight, std=0.1, generator=torch.Generator().manual_seed(0))

    def features(self, x: Tensor) -> Tensor:
        return x.flatten(1) * self.gate(x.flatten(1))


class Clipped(LinearModel):
    """An activation that ends at 6, which most pixels pass."""

    def __init__(self) -> None:
        super().__init__()
        self.activation = nn.ReLU6()

    def features(self, x: Tensor) -> Tensor:
        return self.activation(20 * x).flatten(1)


class TwiceUsed(LinearModel):
    """One pool for two places."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d(3, stride=1, padding=1)

    def features(self, x: Tensor) -> Tensor:
        return self.pool(self.pool(x)).flatten(1)


def test_deep_lift_adds_up_through_a_gate(faces: Tensor) -> None:
    model = Gated().eval()
    raw = raw_attributions("deep_lift", model, faces[:1], 1)
    with torch.no_grad():
        assert float(raw.sum()) == pytest.approx(float(model(faces[:1])[0, 1]), rel=1e-3)


def test_deep_lift_adds_up_through_an_activation_that_is_clipped(faces: Tensor) -> None:
    model = Clipped().eval()
    with torch.no_grad():
        assert (model.activation(20 * faces[:1]) == 6).any()
        change = model(faces[:1]) - model(torch.zeros_like(faces[:1]))
    raw = raw_attributions("deep_lift", model, faces[:1], 1)
    assert float(raw.sum()) == pytest.approx(float(change[0, 1]), rel=1e-3)


@pytest.mark.parametrize(
    ("method", "model", "words"),
    [
        ("deep_lift", FunctionalRelu(), "does not add up"),
        ("deep_lift", TwiceUsed(), "does not add up"),
        ("guided_backprop", FunctionalRelu(), "calls 1 of 1 as functions|has none"),
        ("guided_backprop", LinearModel(), "has none"),
        ("grad_cam", LinearModel(), "names none"),
        ("guided_grad_cam", LinearModel(), "names none"),
    ],
)
def test_unsuited_methods_say_why(method: str, model: FerModel, words: str, faces: Tensor) -> None:
    with pytest.raises(UnsupportedError, match=words):
        attribute(method, model, faces[:1], 0)


def test_broken_weights_are_named(models: Callable[[str], FerModel], faces: Tensor) -> None:
    model = LinearModel()
    model.head.weight.data.fill_(float("nan"))
    with pytest.raises(CheckpointError, match="not finite"):
        attribute("saliency", model, faces[:1], 0)


@pytest.mark.parametrize("target", [-1, 7])
def test_target_out_of_range(target: int, linear_model: LinearModel, faces: Tensor) -> None:
    with pytest.raises(ConfigError, match="from 0 to 6"):
        attribute("saliency", linear_model, faces[:1], target)


def test_numbers_of_faces_and_targets(linear_model: LinearModel, faces: Tensor) -> None:
    with pytest.raises(ConfigError, match="3 faces and 2 targets"):
        attribute_batch("saliency", linear_model, faces, [0, 1])
    with pytest.raises(ConfigError, match="one face, not 3"):
        attribute("saliency", linear_model, faces, 0)


def test_normalising_keeps_sign_and_order() -> None:
    raw = np.linspace(-2, 3, 2304).reshape(48, 48)
    heat = normalise_heat(raw, signed=True)
    assert heat.dtype == np.float32
    assert heat.max() == 1
    assert heat.min() == pytest.approx(-2 / np.percentile(np.abs(raw), 99))
    assert (np.diff(heat.ravel()) >= 0).all()
    assert normalise_heat(raw, signed=False).min() == 0


def test_one_wild_pixel_does_not_dim_the_rest() -> None:
    raw = np.ones((48, 48))
    raw[0, 0] = 1e6
    assert (normalise_heat(raw, signed=False) == 1).all()


def test_a_single_hot_pixel_is_shown() -> None:
    raw = np.zeros((48, 48))
    raw[5, 6] = -0.3
    heat = normalise_heat(raw, signed=True)
    assert heat[5, 6] == -1
    assert np.count_nonzero(heat) == 1


@pytest.mark.parametrize("value", [0.0, 1e-20])
def test_rounding_noise_is_no_heat(value: float) -> None:
    assert not normalise_heat(np.full((48, 48), value), signed=False).any()
