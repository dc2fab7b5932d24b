"""Explaining leaves the model as it was, and may happen while others use it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import Tensor

from fer_core.explain import EXPLAINERS, attribute, raw_attributions
from fer_core.explain.isolate import private_copy
from fer_core.models.base import FerModel

from .conftest import ON_VGG_SE, QUICK, MapModel, build, host


def _traces(model: FerModel) -> list[object]:
    hooks = [(len(m._forward_hooks), len(m._forward_pre_hooks), len(m._backward_hooks)) for m in model.modules()]
    flags = [(p.requires_grad, p.grad) for p in model.parameters()]
    return [hooks, flags, [m.training for m in model.modules()]]


@pytest.mark.parametrize("method", list(EXPLAINERS))
@pytest.mark.parametrize("training", [False, True])
def test_the_model_stays_as_it_was(method: str, training: bool, faces: Tensor) -> None:
    model = build(host(method)).train(training)
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    before = _traces(model)
    heat = attribute(method, model, faces[:1], 2, **QUICK.get(method, {}))
    assert _traces(model) == before
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    np.testing.assert_array_equal(heat, attribute(method, model.eval(), faces[:1], 2, **QUICK.get(method, {})))


def test_the_faces_stay_as_they_were(models: Callable[[str], FerModel], faces: Tensor) -> None:
    face = faces[:1].clone()
    attribute("integrated_gradients", models("vgg_se"), face, 0, n_steps=10)
    assert torch.equal(face, faces[:1])
    assert not face.requires_grad
    assert face.grad is None


@pytest.mark.parametrize("method", list(EXPLAINERS))
def test_works_inside_inference_mode(method: str, models: Callable[[str], FerModel], faces: Tensor) -> None:
    outside = attribute(method, models(host(method)), faces[:1], 2, **QUICK.get(method, {}))
    with torch.inference_mode():
        born_inside = build(host(method))
        inside = attribute(method, born_inside, faces[:1] + 0, 2, **QUICK.get(method, {}))
    np.testing.assert_array_equal(inside, outside)


def test_threads_do_not_disturb_each_other(models: Callable[[str], FerModel], faces: Tensor) -> None:
    model = models("vgg_se")
    with torch.no_grad():
        logits = model(faces)
    alone = {name: attribute(name, model, faces[:1], 2, **QUICK.get(name, {})) for name in ON_VGG_SE}

    def explain(name: str) -> bool:
        return np.array_equal(attribute(name, model, faces[:1], 2, **QUICK.get(name, {})), alone[name])

    def classify(_turn: int) -> bool:
        with torch.inference_mode():
            return torch.allclose(model(faces), logits, atol=1e-6)

    with ThreadPoolExecutor(6) as pool:
        explained = pool.map(explain, [name for name in ON_VGG_SE for _ in range(2)])
        classified = pool.map(classify, range(20))
        assert all(explained)
        assert all(classified)


def test_no_method_warns(models: Callable[[str], FerModel], faces: Tensor) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for name in EXPLAINERS:
            attribute(name, models(host(name)), faces[:1], 2, **QUICK.get(name, {}))
    assert [str(warning.message) for warning in caught] == []


def test_a_compiled_model_is_explained_as_the_plain_one(models: Callable[[str], FerModel], faces: Tensor) -> None:
    compiled = torch.compile(models("vgg_se"))
    plain = raw_attributions("guided_backprop", models("vgg_se"), faces[:1], 2)
    torch.testing.assert_close(raw_attributions("guided_backprop", compiled, faces[:1], 2), plain)


def test_the_copy_shares_the_weights_and_nothing_else(map_model: MapModel) -> None:
    twin = private_copy(map_model)
    assert twin.conv.weight.data_ptr() == map_model.conv.weight.data_ptr()
    assert not any(p.requires_grad for p in twin.parameters())
    assert twin.conv is not map_model.conv
    assert not twin.act.inplace
    assert map_model.act.inplace
