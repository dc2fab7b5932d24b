"""Explaining what a classifier says of one face, and the sheet for presenters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_core.classifiers import load_classifier
from fer_core.classifiers.network import NetworkClassifier
from fer_core.data.drawn import draw_face
from fer_core.errors import ConfigError, ImageError, UnknownNameError
from fer_core.explain import attribute, explain_face
from fer_core.explain.sheet import SIDE, _caption, _closer, _heading, explanation_sheet
from fer_core.inference.faces import Face
from fer_core.labels import EMOTIONS

from .conftest import ON_VGG_SE, QUICK


@pytest.fixture(scope="module")
def classifier(tiny_checkpoint: Path) -> NetworkClassifier:
    return load_classifier(tiny_checkpoint)


@pytest.fixture(scope="module")
def crop() -> np.ndarray:
    return draw_face("happy", rng=np.random.default_rng(5))


def test_the_predicted_emotion_is_explained_unless_told(classifier: NetworkClassifier, crop: np.ndarray) -> None:
    chances = classifier.predict_proba(crop[None])[0]
    explanation = explain_face(classifier, crop, method="saliency")
    assert explanation.emotion == explanation.target == EMOTIONS[int(chances.argmax())]
    assert explanation.probabilities == pytest.approx(dict(zip(EMOTIONS, chances.tolist(), strict=True)))
    assert explanation.faithfulness is None
    assert explanation.seconds > 0


@pytest.mark.parametrize("target", EMOTIONS)
def test_the_chosen_target_is_explained(target: str, classifier: NetworkClassifier, crop: np.ndarray) -> None:
    explanation = explain_face(classifier, crop, method="input_x_gradient", target=target)
    model, faces = classifier.torch_model(), classifier.normalise(crop[None])
    assert explanation.target == target
    np.testing.assert_array_equal(
        explanation.heatmap, attribute("input_x_gradient", model, faces, EMOTIONS.index(target))
    )


def test_faithfulness_on_request(classifier: NetworkClassifier, crop: np.ndarray) -> None:
    explanation = explain_face(classifier, crop, method="saliency", faithfulness=True)
    assert explanation.faithfulness is not None
    assert set(explanation.faithfulness) == {"deletion", "insertion"}
    assert all(0 <= value <= 1 for value in explanation.faithfulness.values())


def test_wrong_requests(classifier: NetworkClassifier, crop: np.ndarray) -> None:
    with pytest.raises(ConfigError, match="no emotion 'joy'; it knows: angry, disgust"):
        explain_face(classifier, crop, method="saliency", target="joy")
    with pytest.raises(ConfigError, match="no emotion 'contempt'"):
        explain_face(classifier, crop, method="saliency", target="contempt")
    with pytest.raises(UnknownNameError, match="closest: 'saliency'"):
        explain_face(classifier, crop, method="salience")
    with pytest.raises(ConfigError, match="from 10 to 300"):
        explain_face(classifier, crop, method="integrated_gradients", n_steps=5000)
    with pytest.raises(ImageError, match="8-bit"):
        explain_face(classifier, crop.astype(float), method="saliency")


@pytest.mark.parametrize("value", [0, 128, 255])
@pytest.mark.parametrize("method", ON_VGG_SE)
def test_constant_faces(method: str, value: int, classifier: NetworkClassifier) -> None:
    face = np.full((48, 48), value, np.uint8)
    heat = explain_face(classifier, face, method=method, faithfulness=True, **QUICK.get(method, {})).heatmap
    assert heat.dtype == np.float32
    assert np.isfinite(heat).all()


@pytest.mark.parametrize("method", ["grad_cam", "integrated_gradients"])
@pytest.mark.parametrize("with_photo", [False, True])
def test_sheet(method: str, with_photo: bool, classifier: NetworkClassifier, crop: np.ndarray) -> None:
    explanation = explain_face(classifier, crop, method=method, target="fear", **QUICK.get(method, {}))
    photo = Image.new("RGB", (640, 480), (90, 120, 90))
    face = Face((100, 100, 96, 96), 0.9, None, crop, np.array([[0.5, 0, -50], [0, 0.5, -50]]))
    given = {"photo": photo, "face": face} if with_photo else {}
    sheet = explanation_sheet(explanation, crop, **given)
    assert sheet.mode == "RGB"
    assert sheet.height > SIDE
    assert sheet.width > (3 if with_photo else 2) * SIDE


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("grad_cam", "Nothing on this face speaks for disgust by this method."),
        ("integrated_gradients", "Nothing on this face speaks for or against disgust by this method."),
        ("channel_attention", "The network attends to all parts of this face alike."),
    ],
)
def test_no_heat_is_told(method: str, words: str, classifier: NetworkClassifier, crop: np.ndarray) -> None:
    explanation = explain_face(classifier, crop, method=method, target="disgust", **QUICK.get(method, {}))
    assert replace(explanation, heatmap=np.eye(48, dtype=np.float32)).message == ""
    cold = replace(explanation, heatmap=np.zeros((48, 48), np.float32))
    assert cold.message == cold.to_dict()["message"] == _caption(cold) == words
    assert explanation_sheet(cold, crop).height > SIDE


def test_the_sheet_names_the_model(classifier: NetworkClassifier, crop: np.ndarray) -> None:
    explanation = explain_face(classifier, crop, method="saliency")
    assert _heading(explanation, "vgg_se")[1].startswith(f"vgg_se says {explanation.emotion}")


def test_the_sheet_shows_gates_and_ranges(classifier: NetworkClassifier, crop: np.ndarray) -> None:
    explanation = explain_face(classifier, crop, method="channel_attention", layer=2)
    (picture,) = explanation.pictures.values()
    assert len(explanation.numbers["gates"]) > 4
    assert explanation.to_dict()["numbers"] == explanation.numbers
    assert explanation.to_dict()["pictures"] == list(explanation.pictures)
    assert explanation_sheet(explanation, crop).width > 3 * SIDE
    assert _caption(explanation) == "attended"  # the map is more than gates
    gates = replace(explanation, numbers={"range": {"of": "gates", "lowest": 0.2134, "highest": 0.2611}})
    assert _caption(gates) == "attended (gates 0.21 to 0.26)"
    assert picture.dtype == np.uint8


@pytest.mark.parametrize("size", [(48, 48), (3000, 400), (300, 2000)])
def test_sheet_of_any_photo(
    size: tuple[int, int], classifier: NetworkClassifier, crop: np.ndarray, models: Callable[[str], object]
) -> None:
    explanation = explain_face(classifier, crop, method="saliency")
    face = Face((5, 5, 40, 40), 0.9, None, crop, np.array([[1.0, 0, 0], [0, 1, 0]]))
    sheet = explanation_sheet(explanation, crop, photo=Image.new("L", size), face=face)
    assert max(sheet.size) < 2000


def test_a_small_face_is_shown_closer() -> None:
    photo = Image.new("RGB", (2000, 1500))
    photo.paste((200, 30, 30), (1500, 1000, 1540, 1040))
    to_crop = np.array([[1.2, 0, -1800.0], [0, 1.2, -1200.0]])
    face = Face((1500, 1000, 40, 40), 0.9, None, np.zeros((48, 48), np.uint8), to_crop)
    near, there = _closer(photo, face)
    assert near.size == (200, 200)
    x, y, width, height = there.box
    assert near.getpixel((int(x), int(y))) == near.getpixel((int(x + width) - 1, int(y + height) - 1)) == (200, 30, 30)
    point = np.array([1511.0, 1023.0])
    moved = point - (1500 - x, 1000 - y)
    assert there.to_crop @ [*moved, 1] == pytest.approx(to_crop @ [*point, 1])
