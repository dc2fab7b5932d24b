"""Photo in, faces and their emotions out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from fer_core.inference.align import SIDE
from fer_core.inference.faces import Face, FaceDetector, crop_face, whole_picture
from fer_core.inference.image import ImageSource, open_photo

if TYPE_CHECKING:
    from fer_core.classifiers import Classifier

NO_FACE = "no face was found; if the picture shows one face and little else, classify the whole picture (detect=False)"


@dataclass(frozen=True)
class FacePrediction:
    """One face and what the classifier says of it.

    Attributes:
        face: where it is, and the crop that was classified.
        emotion: the likeliest emotion.
        confidence: its probability, 0 to 1.
        probabilities: {emotion: probability} in the classifier's order; they sum to 1.
    """

    face: Face
    emotion: str
    confidence: float
    probabilities: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """A face as `scripts.predict --json` prints it."""
        return {
            "box": [round(value, 2) for value in self.face.box],
            "detection_score": round(self.face.score, 4),
            "emotion": self.emotion,
            "confidence": self.confidence,
            "probabilities": dict(self.probabilities),
        }


@dataclass(frozen=True)
class PhotoResult:
    """The answer for one picture.

    Attributes:
        width: of the upright picture, in pixels.
        height: the same.
        faces: largest first; none is a normal answer.
        message: one or two sentences for the user.
        image: the upright picture, mode RGB or L; boxes and `Face.to_crop` refer to it.
    """

    width: int
    height: int
    faces: tuple[FacePrediction, ...]
    message: str
    image: Image.Image

    def to_dict(self, name: str) -> dict[str, Any]:
        """The picture's entry in the list that `scripts.predict --json` prints."""
        faces = [face.to_dict() for face in self.faces]
        size = {"width": self.width, "height": self.height}
        return {"image": name, **size, "faces": faces, "message": self.message}


class Predictor:
    """Finds the faces of a photo and classifies them together.

    Args:
        classifier: anything with `labels` and `predict_proba`.
        detector: by default a `FaceDetector` with its default options.
    """

    def __init__(self, classifier: Classifier, detector: FaceDetector | None = None) -> None:
        self.classifier = classifier
        self.detector = detector or FaceDetector()

    def predict(self, image: ImageSource, *, detect: bool = True) -> PhotoResult:
        """Reads a picture and classifies its faces.

        Args:
            image: whatever `open_photo` reads.
            detect: False takes the picture's centre square for the face. A 48x48 picture is always taken as it is.

        Raises:
            ImageError: the picture cannot be read.
        """
        photo = open_photo(image)
        if not detect or photo.image.size == (SIDE, SIDE):
            faces = [whole_picture(photo.image)]
            message = _whole_message(photo.image.size)
        else:
            faces = [crop_face(photo.image, face) for face in self.detector.detect(photo.image)]
            message = _found_message(len(faces))
        sentences = ". ".join([message, *photo.notes])
        return PhotoResult(*photo.image.size, self.classify(faces), sentences, photo.image)

    def classify(self, faces: list[Face]) -> tuple[FacePrediction, ...]:
        """The classifier's answers for faces, in their order, from one call."""
        if not faces:
            return ()
        table = self.classifier.predict_proba(np.stack([face.crop for face in faces]))
        pairs = zip(faces, table, strict=True)
        return tuple(_prediction(face, row, self.classifier.labels) for face, row in pairs)


def _prediction(face: Face, row: np.ndarray, labels: tuple[str, ...]) -> FacePrediction:
    best = int(row.argmax())
    probabilities = {label: float(value) for label, value in zip(labels, row, strict=True)}
    return FacePrediction(face, labels[best], float(row[best]), probabilities)


def _found_message(count: int) -> str:
    if not count:
        return NO_FACE
    return f"found {count} face{'s' if count > 1 else ''}"


def _whole_message(size: tuple[int, int]) -> str:
    if size == (SIDE, SIDE):
        return "the picture is a 48x48 face already and was classified as it is"
    part = "whole picture" if size[0] == size[1] else "centre square of the picture"
    return f"the {part} was classified as one face, without looking for faces"
