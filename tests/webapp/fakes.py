"""Stand-ins for the models, as quick as they are sure of themselves."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np

from fer_core.artifacts import Card
from fer_core.errors import UnknownNameError
from fer_core.explain import EXPLAINERS, Control, Explanation
from fer_core.inference.faces import Face
from fer_core.inference.image import open_photo
from fer_core.inference.predictor import NO_FACE, FacePrediction, PhotoResult
from fer_core.labels import EMOTIONS


def card(name: str = "sure", **changes: Any) -> Card:
    """A card with measured precision and recall of every emotion."""
    per_class = {
        emotion: {"precision": 0.80 + index / 100, "recall": 0.70 + index / 100, "f1": 0.7, "support": 1000 + index}
        for index, emotion in enumerate(EMOTIONS)
    }
    metrics = {"PrivateTest": {"accuracy": 0.7012, "accuracy_interval": [0.686, 0.716], "per_class": per_class}}
    made = Card(name, "vgg_se", EMOTIONS, {"side": 48}, 2_345_678, title="A stand-in", metrics=metrics)
    return replace(made, **changes)


def face(x: float, y: float, side: float, grey: int) -> Face:
    """A square face whose crop is of one grey."""
    scale = 48 / side
    to_crop = np.array([[scale, 0, -x * scale], [0, scale, -y * scale]])
    return Face((x, y, side, side), 0.99, None, np.full((48, 48), grey, np.uint8), to_crop)


class FakeModels:
    """Two models. `sure` calls every face happy, `other` calls it sad; the photo's faces are told beforehand.

    Args:
        faces: what detection finds in any picture.
    """

    def __init__(self, *faces: Face) -> None:
        self.names = ("sure", "other")
        self.default = "sure"
        self.found = faces
        self.explained = 0
        self.seconds = 0.0

    def card(self, name: str) -> Card:
        """`other` has never been measured."""
        if name not in self.names:
            raise UnknownNameError(f"no model {name!r}")
        return card(name) if name == "sure" else card(name, metrics={})

    def device(self, name: str) -> str:
        """Nowhere."""
        return "paper"

    def predict(self, name: str, image: Any, *, detect: bool = True) -> PhotoResult:
        """The faces that were told, or the whole picture as one."""
        picture = open_photo(image).image
        width, height = picture.size
        faces = list(self.found) if detect else [face(0, 0, max(width, height), 200)]
        message = f"found {len(faces)} faces" if faces else NO_FACE
        return PhotoResult(width, height, self.classify(name, faces), message, picture)

    def classify(self, name: str, faces: list[Face]) -> tuple[FacePrediction, ...]:
        """Every face alike."""
        emotion = "happy" if name == "sure" else "sad"
        chances = {label: 0.9 if label == emotion else 0.1 / 6 for label in EMOTIONS}
        return tuple(FacePrediction(one, emotion, 0.9, chances) for one in faces)

    def methods(self, name: str) -> dict[str, tuple[Control, ...]]:
        """Two of all; `other` attends, too."""
        names = ("grad_cam", "integrated_gradients") + (("self_attention",) if name == "other" else ())
        return {method: EXPLAINERS[method].controls for method in names}

    def explain(self, name: str, crop: np.ndarray, *, method: str, target: str | None, **options: Any) -> Explanation:
        """Heat on the left half, after `seconds`; counts how often it was asked."""
        self.explained += 1
        time.sleep(self.seconds)
        EXPLAINERS[method].options(**options)
        heat = np.zeros((48, 48), np.float32)
        heat[:, :24] = 1
        emotion = "happy" if name == "sure" else "sad"
        chances = dict.fromkeys(EMOTIONS, 1 / 7)
        return Explanation(method, target or emotion, emotion, heat, None, 0.0, EXPLAINERS[method].signed, chances)
