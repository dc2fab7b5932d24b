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
from fer_core.explain.attribution import numbers_of, pictures_of
from fer_core.explain.bars import bars, between
from fer_core.explain.methods.spatial_transformer import laid_back
from fer_core.explain.placement import Axis, Placement
from fer_core.models import MODELS
from fer_core.models.attention import AttentionKind, attention_maps, rollout
from fer_core.models.base import FerModel
from fer_core.models.layers.region_attention import region_footprints

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


def placed(heat: Tensor, faces: Tensor, first: float, step: float) -> Tensor:
    """(N, h, w) -> what the methods make of it where the places lie `step` pixels apart."""
    axes = Axis(heat.shape[1], first, step), Axis(heat.shape[2], first, step)
    return on_face(above_average(heat), faces, None, Placement(*axes, (48, 48)))


def test_one_place_asks_in_a_chosen_head(models: Models, faces: Tensor) -> None:
    weights = weights_of(models("cnn_mhsa"), faces, AttentionKind.POSITIONS)[-1]
    for head in (0, 1, 3):
        chosen = weights[:, head - 1] if head else weights.mean(1)
        raw = raw_attributions(
            "self_attention", models("cnn_mhsa"), faces, 0, query=ONE, head=head, layer=1, row=5, column=30
        )
        row = chosen[:, 1 * 12 + 7].unflatten(1, (12, 12))  # places of four pixels
        torch.testing.assert_close(raw, as_heat(row, faces))
        raw = raw_attributions("self_attention", models("cnn_mhsa"), faces, 0, query=ALL, head=head)
        torch.testing.assert_close(raw, as_heat(chosen.mean(1).unflatten(1, (12, 12)), faces))


def test_cells_of_a_grid_by_their_gates_and_by_who_asks(models: Models, faces: Tensor) -> None:
    (found,) = attention_maps(models("deep_emotion_grid"), faces).values()
    assert found.values is not None
    raw = raw_attributions("grid_attention", models("deep_emotion_grid"), faces, 0)
    torch.testing.assert_close(raw, placed(found.values, faces, 4.25, 5.5))  # 8 cells over pixels 2 to 45
    asked = found.weights[:, 0]
    raw = raw_attributions("grid_attention", models("deep_emotion_grid"), faces, 0, query=ALL)
    torch.testing.assert_close(raw, placed(asked.mean(1).unflatten(1, (8, 8)), faces, 4.25, 5.5))
    raw = raw_attributions("grid_attention", models("deep_emotion_grid"), faces, 0, query=ONE, row=8, column=37)
    one = asked[:, 1 * 8 + 6].unflatten(1, (8, 8))  # centres at 9.75 and 37.25
    torch.testing.assert_close(raw, placed(one, faces, 4.25, 5.5))


def test_places_by_the_weights_of_their_regions(models: Models, faces: Tensor) -> None:
    (found,) = attention_maps(models("deep_emotion_region"), faces).values()
    factor = torch.zeros(len(faces), 18, 18)
    footprints = region_footprints(18)
    for row in range(18):
        for column in range(18):
            holding = footprints[:, row, column] > 0
            factor[:, row, column] = found.weights[:, holding].mean(1)
    raw = raw_attributions("region_attention", models("deep_emotion_region"), faces, 0)
    torch.testing.assert_close(raw, placed(factor, faces, 6.5, 2.0), atol=1e-6, rtol=1e-3)


@pytest.mark.parametrize(("layer", "step"), [(0, 16.0), (1, 2.0), (2, 4.0), (3, 8.0)])
def test_masks_stage_by_stage(layer: int, step: float, models: Models, faces: Tensor) -> None:
    mask = weights_of(models("residual_masking_light"), faces, AttentionKind.MASK)[layer - 1].mean(1)
    raw = raw_attributions("mask_attention", models("residual_masking_light"), faces, 0, layer=layer)
    torch.testing.assert_close(raw, placed(mask, faces, 0.0, step))
    assert raw.amax((2, 3)).min() > 0


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


def test_the_six_numbers_of_the_crop_are_told(models: Models, faces: Tensor) -> None:
    model = models("deep_emotion")
    told = numbers_of("spatial_transformer", model, faces[:1])
    np.testing.assert_allclose(told["affine"], model.transformer.theta(faces[:1])[0].detach(), atol=1e-5)


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_the_gates_of_channels_are_told_and_drawn(layer: int, models: Models, faces: Tensor) -> None:
    gates = weights_of(models("vgg_se"), faces[:1], AttentionKind.CHANNELS)[layer - 1][0].numpy()
    told = numbers_of("channel_attention", models("vgg_se"), faces[:1], layer=layer)
    assert told["layer"] == (layer or 4)
    np.testing.assert_allclose(told["gates"], gates, rtol=1e-6)
    crop = np.zeros((48, 48), np.uint8)
    ((words, picture),) = pictures_of("channel_attention", models("vgg_se"), faces[:1], crop, layer=layer).items()
    assert words == f"gates of {len(gates)} channels, widest first: {between(gates.min(), gates.max())}"
    np.testing.assert_array_equal(picture, bars(gates))


def test_bars_are_as_high_as_their_weights() -> None:
    picture = bars(np.array([0.25, 1.0, 0.5]))
    assert picture.shape == (384, 384)
    heights = [(picture[:, column] < 100).sum() for column in (60, 200, 370)]  # the widest first
    assert heights == pytest.approx([337, 169, 85], abs=1)
    assert (bars(np.linspace(0, 1, 2000)) < 100).any()


@pytest.mark.parametrize(
    ("values", "words"),
    [((0.2134, 0.2611), "0.21 to 0.26"), ((0.5001, 0.5003), "0.5001 to 0.5003"), ((0.5, 0.5), "0.5 everywhere")],
)
def test_a_range_has_as_many_digits_as_it_needs(values: tuple[float, float], words: str) -> None:
    assert between(*values) == words


def test_the_range_of_the_weights_is_told(models: Models, faces: Tensor) -> None:
    (found,) = attention_maps(models("deep_emotion_grid"), faces[:1]).values()
    assert found.values is not None
    told = numbers_of("grid_attention", models("deep_emotion_grid"), faces[:1])["range"]
    assert told == {
        "of": "gates",
        "lowest": pytest.approx(float(found.values.min())),
        "highest": pytest.approx(float(found.values.max())),
    }
    asked = numbers_of("grid_attention", models("deep_emotion_grid"), faces[:1], query=ONE)["range"]
    assert asked["of"] == "attention"
    mask = weights_of(models("residual_masking"), faces[:1], AttentionKind.MASK)[1].mean(1)
    told = numbers_of("mask_attention", models("residual_masking"), faces[:1], layer=2)["range"]
    assert (told["of"], told["highest"]) == ("mask", pytest.approx(float(mask.max())))
    assert numbers_of("saliency", models("vgg_se"), faces[:1]) == {}


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
