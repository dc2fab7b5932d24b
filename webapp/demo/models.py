"""The checkpoints that the demo offers, each loaded when it is first asked for."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from fer_core.artifacts import DEFAULT_CHECKPOINT, Card, find_checkpoint, list_checkpoints, load_card, rank
from fer_core.errors import CheckpointError, UnknownNameError, UnsupportedError

if TYPE_CHECKING:
    from fer_core.classifiers.base import CheckpointClassifier
    from fer_core.explain import Control, Explanation
    from fer_core.inference.faces import Face
    from fer_core.inference.image import ImageSource
    from fer_core.inference.predictor import FacePrediction, PhotoResult, Predictor

log = logging.getLogger(__name__)


class Models(Protocol):
    """What the demo asks of its models; tests put a quick stand-in here."""

    names: tuple[str, ...]
    default: str

    def card(self, name: str) -> Card:
        """What is known about a checkpoint."""

    def device(self, name: str) -> str:
        """Where it computes, in words."""

    def predict(self, name: str, image: ImageSource, *, detect: bool = True) -> PhotoResult:
        """A photo -> its faces and their emotions."""

    def classify(self, name: str, faces: list[Face]) -> tuple[FacePrediction, ...]:
        """Faces that were found already -> their emotions."""

    def methods(self, name: str) -> dict[str, tuple[Control, ...]]:
        """The explanation methods that suit a checkpoint, with their controls; empty where it has no network."""

    def explain(self, name: str, crop: np.ndarray, **options: Any) -> Explanation:
        """One face -> a heatmap; options as for `fer_core.explain.explain_face`."""


@dataclass(frozen=True)
class _Loaded:
    classifier: CheckpointClassifier
    predictor: Predictor


class CheckpointModels:
    """The checkpoints on disk. One face detector serves them all; calls may come from several threads.

    Args:
        folders: checkpoint folders; the first is the default.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = {folder.name: folder for folder in folders}
        self._cards = {name: load_card(folder) for name, folder in self._folders.items()}
        self._loaded: dict[str, _Loaded] = {}
        self._loading = threading.Lock()
        self._explaining = threading.Lock()
        self.names = tuple(self._folders)
        self.default = self.names[0]

    def card(self, name: str) -> Card:
        """The card; raises UnknownNameError for a name that is not offered."""
        if name not in self._cards:
            raise UnknownNameError(f"no model {name!r} on this page; there are: {', '.join(self.names)}")
        return self._cards[name]

    def device(self, name: str) -> str:
        """Where the classifier computes, in words; loads it."""
        return self._get(name).classifier.device

    def predict(self, name: str, image: ImageSource, *, detect: bool = True) -> PhotoResult:
        """A photo -> its faces and their emotions."""
        return self._get(name).predictor.predict(image, detect=detect)

    def classify(self, name: str, faces: list[Face]) -> tuple[FacePrediction, ...]:
        """Faces that were found already -> their emotions."""
        return self._get(name).predictor.classify(faces)

    def methods(self, name: str) -> dict[str, tuple[Control, ...]]:
        """The explanation methods that suit a checkpoint, each with the ranges of its controls; imports torch."""
        from fer_core.explain import controls_for, methods_for

        try:
            model = self._get(name).classifier.torch_model()
        except UnsupportedError:
            return {}
        return {method: controls_for(method, model) for method in methods_for(model)}

    def explain(self, name: str, crop: np.ndarray, **options: Any) -> Explanation:
        """One face -> a heatmap. One at a time, which bounds the memory and the time that many visitors take."""
        from fer_core.explain import explain_face

        classifier = self._get(name).classifier
        with self._explaining:
            return explain_face(classifier, crop, **options)

    def warm_up(self) -> None:
        """Loads the default model and the detector and runs both once."""
        picture = np.full((96, 96, 3), 128, np.uint8)
        for detect in (True, False):
            self.predict(self.default, picture, detect=detect)

    def warm_up_explainers(self) -> None:
        """Imports torch and captum and explains one face, so that the first visitor need not wait for that."""
        from fer_core.explain import DEFAULT_METHOD

        if DEFAULT_METHOD in self.methods(self.default):
            self.explain(self.default, np.zeros((48, 48), np.uint8), method=DEFAULT_METHOD)

    def _get(self, name: str) -> _Loaded:
        self.card(name)
        with self._loading:
            if name not in self._loaded:
                self._loaded[name] = self._load(name)
            return self._loaded[name]

    def _load(self, name: str) -> _Loaded:
        from fer_core.classifiers import load_classifier
        from fer_core.inference.predictor import Predictor

        classifier = load_classifier(str(self._folders[name]))
        others = list(self._loaded.values())
        detector = others[0].predictor.detector if others else None
        return _Loaded(classifier, Predictor(classifier, detector))


def offered_checkpoints(checkpoint: str) -> list[Path]:
    """The chosen checkpoint's folder first, then every other one that ships, the best on PublicTest first.

    Where the default one is asked for and does not ship, another takes its place.

    Raises:
        CheckpointError: there is no such checkpoint, or none at all.
    """
    shipped = list_checkpoints()
    if checkpoint == DEFAULT_CHECKPOINT and shipped and DEFAULT_CHECKPOINT not in {folder.name for folder in shipped}:
        return _readable(shipped)
    if not shipped and checkpoint == DEFAULT_CHECKPOINT:
        raise CheckpointError(
            "there is no checkpoint under checkpoints/; train one, or name a folder with --checkpoint"
        )
    first = find_checkpoint(checkpoint)
    load_card(first)
    return [first, *(folder for folder in _readable(shipped) if folder.name != first.name)]


def _readable(folders: list[Path]) -> list[Path]:
    return sorted(filter(_can_be_read, folders), key=lambda folder: rank(load_card(folder)))


def _can_be_read(folder: Path) -> bool:
    """Whether there is a card; a folder without, half-copied perhaps, does not keep the others from serving."""
    try:
        load_card(folder)
    except CheckpointError as error:
        log.warning("%s is not offered: %s", folder.name, error)
        return False
    return True
