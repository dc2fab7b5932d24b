"""Attention as heat: the right layer, head and asker, the right place on the face, only where a model attends."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from fer_core.errors import ConfigError, UnsupportedError
from fer_core.explain import EXPLAINERS, attribute, controls_for, methods_for, raw_attributions, why_not
from fer_core.explain.attention import ALL, CLASS_TOKEN, ONE, AttentionExplainer, above_average, on_face
from fer_core.explain.attribution import pictures_of
from fer_core.explain.methods.spatial_transformer import laid_back
from fer_core.models import MODELS
from fer_core.models.attention import AttentionKind, attention_maps, rollout
from fer_core.models.base import FerModel

from .conftest import HOSTS, build, host

Models = Callable[[str], FerModel]


def weights_of(model: FerModel, faces: Tensor, kind: AttentionKind) -> list[Tensor]:
    return [found.weights for found in attention_maps(model, faces).values() if found.kind == kind]


def as_heat(grid: Tensor, faces: Tensor) -> Tensor:
    """(N, h, w) -> what the methods make of it."""
    return on_face(above_average(grid), faces, None)


@pytest.mark.parametrize("name", MODELS)
def test_whatever_a_model_attends_to_has_a_method_and_nothing_else(name: str, models: Models, faces: Tensor) -> None:
    kinds = {str(found.kind) for found in attention_maps(models(name), faces[:1]).values()}
    shown = {
        explainer.kind
        for method, explainer in EXPLAINERS.items()
        if isinstance(explainer, AttentionExplainer) and why_not(method, models(name)) is None
    }
    assert shown == kinds


def test_every_kind_has_a_method() -> None:
    kinds = {explainer.kind for _, explainer in EXPLAINERS.items() if isinstance(explainer, AttentionExplainer)}
    assert kinds == set(AttentionKind)


@pytest.mark.parametrize("method", HOSTS)
def test_attention_is_offered_only_where_there_is_some(method: str, models: Models, faces: Tensor) -> None:
    assert method in methods_for(models(host(method)))
    assert "this model has none" in (why_not(method, models("mini_xception")) or "")
    with pytest.raises(UnsupportedError):
        attribute(method, models("mini_xception"), faces[:1], 0)
    assert "same for all emotions" in EXPLAINERS[method].description


@pytest.mark.parametrize("head", [0, 2])
@pytest.mark.parametrize("layer", [0, 1])
def test_vit_heads_show_that_layer_and_head(layer: int, head: int, models: Models, faces: Tensor) -> None:
    weights = weights_of(models("vit"), faces, AttentionKind.TOKENS)[layer - 1]
    chosen = weights.mean(1) if head == 0 else weights[:, head - 1]
    raw = raw_attributions("vit_heads", models("vit"), faces, 0, layer=layer, head=head, query=CLASS_TOKEN)
    torch.testing.assert_close(raw, as_heat(chosen[:, 0, 1:].unflatten(1, (6, 6)), faces))


def test_one_place_asks(models: Models, faces: Tensor) -> None:
    weights = weights_of(models("vit"), faces, AttentionKind.TOKENS)[-1].mean(1)
    raw = raw_attributions("vit_heads", models("vit"), faces, 0, query=ONE, row=17, column=47)
    torch.testing.assert_close(raw, as_heat(weights[:, 1 + 2 * 6 + 5, 1:].unflatten(1, (6, 6)), faces))


def test_all_places_ask(models: Models, faces: Tensor) -> None:
    weights = weights_of(models("cnn_self_attention"), faces, AttentionKind.POSITIONS)[-1][:, 0]
    raw = raw_attributions("self_attention", models("cnn_self_attention"), faces, 0, query=ALL)
    torch.testing.assert_close(raw, as_heat(weights.mean(1).unflatten(1, (12, 12)), faces))


def test_rollout_follows_the_class_token(models: Models, faces: Tensor) -> None:
    total = rollout(weights_of(models("vit"), faces, AttentionKind.TOKENS))
    raw = raw_attributions("attention_rollout", models("vit"), faces, 0)
    torch.testing.assert_close(raw, as_heat(total[:, 0, 1:].unflatten(1, (6, 6)), faces))


def test_channels_by_the_width_of_their_gates(models: Models, faces: Tensor) -> None:
    found = list(attention_maps(models("vgg_se"), faces).values())[1]
    assert found.values is not None
    passed = found.weights[:, :, None, None] * found.values.abs()
    raw = raw_attributions("channel_attention", models("vgg_se"), faces, 0, layer=2)
    torch.testing.assert_close(raw, as_heat(passed.mean(1), faces))
    widest = torch.stack([one[gates.argmax()] for one, gates in zip(passed, found.weights, strict=True)])
    raw = raw_attributions("channel_attention", models("vgg_se"), faces, 0, layer=2, channel=1)
    torch.testing.assert_close(raw, as_heat(widest, faces))


def test_rows_are_the_same_from_left_to_right(models: Models, faces: Tensor) -> None:
    raw = raw_attributions("lstm_attention", models("cnn_lstm_attention"), faces, 0)
    torch.testing.assert_close(raw, raw[..., :1].expand_as(raw))
    assert raw.amax((2, 3)).min() > 0


def test_a_crop_is_covered_where_it_was_read() -> None:
    theta = torch.tensor([[[0.5, 0, 0.25], [0, 0.5, -0.25]]])
    where = nn.functional.affine_grid(theta, [1, 1, 48, 48], align_corners=False)
    heat = laid_back(torch.ones(48, 48), where)[0]
    assert float(heat.sum()) == pytest.approx(48 * 48, rel=1e-4)  # every pixel of the crop came from the face
    inside = heat[7:29, 19:41]  # the window of half the side around (-0.25, 0.25)
    torch.testing.assert_close(inside, torch.full_like(inside, 4.0))
    assert heat[:5].abs().max() == heat[31:].abs().max() == heat[:, :17].abs().max() == heat[:, 43:].abs().max() == 0


def test_the_grid_is_drawn_on_the_crop(models: Models, faces: Tensor) -> None:
    lines = raw_attributions("spatial_transformer", models("deep_emotion"), faces, 0, show="grid")
    coverage = raw_attributions("spatial_transformer", models("deep_emotion"), faces, 0, show="coverage")
    assert (lines <= coverage + 1e-5).all()
    assert 0 < float(lines.sum()) < 0.5 * float(coverage.sum())


def test_the_crop_is_shown_as_a_picture(models: Models, faces: Tensor) -> None:
    crop = np.random.default_rng(0).integers(0, 256, (48, 48)).astype(np.uint8)
    straight = build("deep_emotion")
    straight.transformer.affine.weight.data.zero_()
    straight.transformer.affine.bias.data.zero_()
    (picture,) = pictures_of("spatial_transformer", straight, faces[:1], crop).values()
    np.testing.assert_array_equal(picture, crop)
    assert pictures_of("vit_heads", models("vit"), faces[:1], crop) == {}


def test_heat_lies_in_the_centre_that_the_model_looks_at(faces: Tensor) -> None:
    model = build("vgg_se")
    model.field = 40
    raw = raw_attributions("channel_attention", model, faces, 0, layer=1)
    assert raw[..., :4, :].abs().max() == raw[..., 44:].abs().max() == 0
    inside = attention_maps(model, faces)["stages.0.2"]
    assert inside.grid == (40, 40)
    assert inside.values is not None
    passed = (inside.weights[:, :, None, None] * inside.values.abs()).mean(1)
    torch.testing.assert_close(raw[:, 0, 4:44, 4:44], above_average(passed))


def test_equal_attention_is_no_heat(faces: Tensor) -> None:
    model = build("vit")
    for block in model.blocks:
        block.attention.to_queries.weight.data.zero_()
        block.attention.to_queries.bias.data.zero_()
    assert not attribute("vit_heads", model, faces[:1], 0).any()
    assert not attribute("attention_rollout", model, faces[:1], 0).any()


def test_ranges_are_those_of_the_model(models: Models, faces: Tensor) -> None:
    ranges = {control.name: control for control in controls_for("vit_heads", models("vit"))}
    assert (ranges["layer"].maximum, ranges["head"].maximum) == (2, 2)
    assert ranges["row"].maximum == 47
    with pytest.raises(ConfigError, match="layer must be from 0 to 2 for this model, not 3"):
        attribute("vit_heads", models("vit"), faces[:1], 0, layer=3)
    with pytest.raises(ConfigError, match="head must be from 0 to 2 for this layer, not 3"):
        attribute("vit_heads", models("vit"), faces[:1], 0, head=3)
    assert controls_for("grad_cam", models("vit")) == ()


def test_guiding_needs_relus_only(models: Models) -> None:
    assert "this model has GELU as well" in (why_not("guided_backprop", models("vit")) or "")
    assert "this model has GELU as well" in (why_not("guided_grad_cam", models("vit")) or "")


def test_grad_cam_of_a_transformer_is_that_of_its_patches(models: Models, faces: Tensor) -> None:
    model, face = models("vit"), faces[:1]
    kept: list[Tensor] = []
    handle = model.cam_layer.register_forward_hook(lambda _m, _i, output: kept.append(output))
    try:
        logits = model(face)
        (gradient,) = torch.autograd.grad(logits[0, 3], kept[0])
    finally:
        handle.remove()
    cam = torch.relu((gradient.mean((2, 3), keepdim=True) * kept[0]).sum(1, keepdim=True))
    heat = nn.functional.interpolate(cam, (48, 48), mode="bilinear")
    torch.testing.assert_close(raw_attributions("grad_cam", model, face, 3), heat.detach(), atol=1e-5, rtol=1e-4)
