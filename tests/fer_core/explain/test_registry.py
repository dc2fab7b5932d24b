"""Every method on every model: what all of them owe, found by walking the registries."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from torch import Tensor

from fer_core.errors import UnknownNameError, UnsupportedError
from fer_core.explain import EXPLAINERS, attribute, attribute_batch, methods_for, why_not
from fer_core.models import MODELS
from fer_core.models.base import FerModel

from .conftest import ON_VGG_SE, QUICK, build, host

TARGETED = [method for method in EXPLAINERS if EXPLAINERS[method].targeted]
ATTENTION = [method for method in EXPLAINERS if not EXPLAINERS[method].targeted]
PAIRS = [(method, model) for model in ("vgg_se", "mini_xception", "deep_emotion", "vit") for method in TARGETED]
PAIRS += [(method, model) for method in ATTENTION for model in (host(method), "mini_xception")]


def test_the_required_methods_are_there() -> None:
    assert {"saliency", "grad_cam", "integrated_gradients"} <= set(EXPLAINERS)


@pytest.mark.parametrize("name", list(EXPLAINERS))
def test_method_introduces_itself(name: str) -> None:
    explainer = EXPLAINERS[name]
    assert explainer.name == name
    assert explainer.paper.startswith("https://")
    assert explainer.title
    assert explainer.description.endswith(".")
    assert len(explainer.description) <= 120
    assert explainer.options() == {control.name: control.default for control in explainer.controls}


@pytest.mark.parametrize(("method", "name"), PAIRS)
def test_heatmaps(method: str, name: str, models: Callable[[str], FerModel], faces: Tensor) -> None:
    model, quick = models(name), QUICK.get(method, {})
    if (reason := why_not(method, model)) is not None:
        assert reason[0].isupper()
        assert "\n" not in reason
        with pytest.raises(UnsupportedError):
            attribute(method, model, faces[:1], 0, **quick)
        return
    batch = attribute_batch(method, model, faces[[0, 0, 1]], [0, 3, 3], **quick)
    alone = attribute(method, model, faces[:1], 3, **quick)
    again = attribute(method, model, faces[:1], 3, **quick)
    assert batch.dtype == np.float32
    assert batch.shape == (3, 48, 48)
    assert np.isfinite(batch).all()
    assert batch.min() >= (-1 if EXPLAINERS[method].signed else 0)
    assert batch.max() <= 1
    assert np.abs(batch).max(axis=(1, 2)).max() == 1.0
    np.testing.assert_array_equal(alone, again)
    np.testing.assert_allclose(batch[1], alone, atol=5e-3)  # no face depends on its batch-mates
    assert (np.abs(batch[0] - batch[1]).max() > 1e-3) == EXPLAINERS[method].targeted  # another target, another heatmap
    assert np.abs(batch[1] - batch[2]).max() > 1e-3  # another face, another heatmap


@pytest.mark.parametrize("name", list(MODELS))
def test_every_model_can_be_explained_by_the_methods_that_need_nothing(
    name: str, models: Callable[[str], FerModel]
) -> None:
    for method in ("saliency", "integrated_gradients", "occlusion", "smooth_grad", "input_x_gradient", "grad_cam"):
        assert why_not(method, models(name)) is None


def test_the_default_model_has_every_method_that_explains_an_answer(models: Callable[[str], FerModel]) -> None:
    assert methods_for(models("vgg_se")) == tuple(ON_VGG_SE)


@pytest.mark.parametrize("method", list(EXPLAINERS))
def test_eight_classes(method: str, faces: Tensor) -> None:
    heat = attribute(method, build(host(method), 8), faces[:1], 7, **QUICK.get(method, {}))
    assert heat.shape == (48, 48)
    assert np.isfinite(heat).all()


def test_unknown_method_names_the_closest(models: Callable[[str], FerModel], faces: Tensor) -> None:
    with pytest.raises(UnknownNameError, match="closest: 'grad_cam'"):
        attribute("gradcam", models("vgg_se"), faces[:1], 0)
