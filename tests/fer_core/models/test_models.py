"""Every registered architecture, walked: shapes, gradients, independence of batch-mates, saving."""

from __future__ import annotations

import pytest
import torch

from fer_core.errors import ConfigError, UnknownNameError
from fer_core.models import MODELS, create_model, parameter_count

STATED_PARAMETERS = {
    "mini_xception": 56_951,  # the authors' Keras model, trainable
    # conv 1-10, 10-10, 10-10, 10-10, batch norm, fc 810-50-7; localisation conv 1-8 k7, 8-10 k5, fc 640-32-6
    "deep_emotion": 100 + 3 * 910 + 20 + 40_550 + 357 + 400 + 2_010 + 20_512 + 198,
}


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("num_classes", [7, 8])
def test_logits_have_one_column_a_class_and_are_finite(name: str, num_classes: int) -> None:
    model = create_model(name, num_classes).eval()
    logits = model(torch.randn(3, 1, 48, 48))
    assert logits.shape == (3, num_classes)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("name", MODELS)
def test_forward_is_the_head_on_the_features(name: str) -> None:
    model = create_model(name).eval()
    faces = torch.randn(2, 1, 48, 48)
    features = model.features(faces)
    assert features.shape[:2] == (2, model.feature_width)
    torch.testing.assert_close(model(faces), model.head(features))


@pytest.mark.parametrize("name", MODELS)
def test_every_parameter_gets_a_gradient(name: str) -> None:
    model = create_model(name).train()
    for parameter in model.parameters():  # a transformer that starts at the identity passes none to its localisation
        parameter.data.add_(0.01 * torch.randn_like(parameter))
    model(torch.randn(8, 1, 48, 48)).square().sum().backward()
    silent = [key for key, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert silent == []


@pytest.mark.parametrize("name", MODELS)
def test_eval_is_independent_of_batch_mates(name: str) -> None:
    model = create_model(name).eval()
    faces = torch.randn(4, 1, 48, 48)
    torch.testing.assert_close(model(faces)[:1], model(faces[:1]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_weights_survive_saving(name: str) -> None:
    model = create_model(name).eval()
    again = create_model(name).eval()
    again.load_state_dict(model.state_dict())
    faces = torch.randn(2, 1, 48, 48)
    torch.testing.assert_close(model(faces), again(faces))


@pytest.mark.parametrize("name", MODELS)
def test_grad_cam_finds_a_map(name: str) -> None:
    model = create_model(name).eval()
    shapes = []
    handle = model.cam_layer.register_forward_hook(lambda _m, _i, output: shapes.append(tuple(output.shape)))
    model(torch.randn(2, 1, 48, 48))
    handle.remove()
    assert len(shapes) == 1
    assert min(shapes[0][2:]) > 1


@pytest.mark.parametrize("name", MODELS)
def test_spec_names_paper_and_title(name: str) -> None:
    spec = MODELS[name]
    assert spec.paper.startswith("https://")
    assert spec.title


@pytest.mark.parametrize(("name", "count"), STATED_PARAMETERS.items())
def test_parameter_counts_are_those_of_the_papers(name: str, count: int) -> None:
    assert parameter_count(create_model(name)) == count


def test_width_scales_vgg_se() -> None:
    half, full = create_model("vgg_se", width=0.5), create_model("vgg_se", width=1.0)
    assert (half.feature_width, full.feature_width) == (256, 512)
    assert create_model("vgg_se", widths=(8, 8, 16, 24)).feature_width == 24


def test_spatial_transformer_starts_as_the_identity() -> None:
    model = create_model("deep_emotion").eval()
    faces = torch.rand(2, 1, 48, 48)
    torch.testing.assert_close(model.transformer(faces), faces, rtol=0, atol=1e-5)


def test_typos_fail_with_the_closest_name() -> None:
    with pytest.raises(UnknownNameError, match="no model 'vgg_sr'; closest: 'vgg_se'"):
        create_model("vgg_sr")
    with pytest.raises(ConfigError, match="no option 'depth'"):
        create_model("vgg_se", depth=3)
    with pytest.raises(ConfigError, match="7 classes"):
        create_model("vgg_se", num_classes=5)
    with pytest.raises(ConfigError, match="width"):
        create_model("vgg_se", width=0)
