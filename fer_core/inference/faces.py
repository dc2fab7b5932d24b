"""Faces in a photo: found by MTCNN, then cut out as FER2013 would have framed them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from fer_core.errors import ConfigError
from fer_core.inference import align
from fer_core.inference.boxes import clipped, overlaps
from fer_core.inference.mtcnn import Candidates, Mtcnn

Box = tuple[float, float, float, float]
"""x, y, width, height in photo pixels."""


@dataclass(frozen=True)
class DetectedFace:
    """What the detector says of one face.

    Attributes:
        box: x, y, width, height in photo pixels; the part that lies in the photo.
        score: the detector's certainty, 0 to 1.
        landmarks: float32 (5, 2), x and y in photo pixels, as `align.LANDMARKS` names them; may lie outside the photo.
    """

    box: Box
    score: float
    landmarks: np.ndarray


@dataclass(frozen=True)
class Face:
    """A face that is ready for a classifier.

    Attributes:
        box: x, y, width, height in photo pixels.
        score: the detector's certainty, 0 to 1; 1 where the picture was taken for the face without a search.
        landmarks: float32 (5, 2), see `DetectedFace`; None without a search.
        crop: uint8 (48, 48), what the classifier sees.
        to_crop: float64 (2, 3), photo coordinates -> crop coordinates; pixel i covers [i, i + 1).
    """

    box: Box
    score: float
    landmarks: np.ndarray | None
    crop: np.ndarray
    to_crop: np.ndarray


FINEST = 1920
"""Longer side of a photo in the finer search, in pixels; bounds its time and memory."""

NEAR_MINIMUM = 1.5
"""A face less than this many times as large as the smallest that is looked for: where it is, smaller ones may be."""

WORTHWHILE = 1.25
"""A search that is less than this many times as fine as the first one is not worth its time."""


class FaceDetector:
    """Finds faces in photos of any size; the nets are loaded at the first call.

    A large photo in which no face, or one of about the smallest size, was found is a group's perhaps: it is searched
    once more, finer, for faces down to 48 of its pixels, which is what a classifier sees. Other photos take no longer.

    Args:
        longest: photos are searched at this size, in pixels of their longer side.
        min_face: smallest face that is looked for, in pixels at that size; with the defaults a face may be 1/26 of the
            photo's longer side (48 of 1280 pixels).
        thresholds: the lowest scores that pass MTCNN's three nets.
        small_faces: whether every photo is searched finer, as it is or at 1,920 pixels; for small faces behind large
            ones. Takes up to ten times as long.

    Raises:
        ConfigError: an option cannot work.
    """

    def __init__(
        self,
        longest: int = 640,
        min_face: float = 24,
        thresholds: tuple[float, float, float] = (0.7, 0.7, 0.93),
        small_faces: bool = False,
    ) -> None:
        if longest < 48:
            raise ConfigError(f"longest ({longest}) must be at least 48 pixels")
        if not 12 <= min_face <= longest:
            raise ConfigError(f"min_face ({min_face}) must be from 12 to longest ({longest}) pixels")
        if not all(0 < threshold < 1 for threshold in thresholds):
            raise ConfigError(f"thresholds {thresholds} must lie between 0 and 1")
        self.longest = longest
        self.min_face = min_face
        self.small_faces = small_faces
        self._nets = Mtcnn(thresholds)

    def detect(self, image: Image.Image) -> list[DetectedFace]:
        """Faces in an upright photo of mode RGB or L, largest first."""
        faces = self._search(image, self.longest)
        finer = self._finer(image.size, faces)
        if finer > self.longest:
            faces = _with_new(faces, self._search(image, finer))
        return sorted(faces, key=lambda face: -face.box[2] * face.box[3])

    def _search(self, image: Image.Image, longest: int) -> list[DetectedFace]:
        small, across, down = align.shrink(image, longest)
        found = self._nets.detect(np.asarray(small.convert("RGB")), self.min_face)
        return _in_photo(found, across, down, image.size)

    def _finer(self, size: tuple[int, int], faces: list[DetectedFace]) -> int:
        """The longer side at which a photo of that size is worth a second search; 0 where it is not."""
        side = max(size)
        if self.small_faces:
            return min(side, FINEST)
        smallest = min((max(face.box[2:]) for face in faces), default=0.0)
        if smallest * self.longest / side >= NEAR_MINIMUM * self.min_face:
            return 0
        finer = min(round(side * self.min_face / align.SIDE), FINEST)
        return finer if finer >= WORTHWHILE * self.longest else 0


def _with_new(faces: list[DetectedFace], finer: list[DetectedFace]) -> list[DetectedFace]:
    """The faces of the first search, and those of the finer one that lie elsewhere."""
    if not faces:
        return finer
    known = np.array([_corners(face.box) for face in faces])
    return faces + [face for face in finer if overlaps(_corners(face.box), known, "smaller").max() < 0.5]


def _corners(box: Box) -> np.ndarray:
    x, y, width, height = box
    return np.array([x, y, x + width, y + height])


def _in_photo(found: Candidates, across: float, down: float, size: tuple[int, int]) -> list[DetectedFace]:
    """Detections at the size of the search -> photo pixels; what lies wholly outside the photo goes."""
    boxes = clipped(found.boxes / [across, down, across, down], *size)
    points = (found.landmarks / [across, down]).astype(np.float32)
    return [
        DetectedFace((float(x1), float(y1), float(x2 - x1), float(y2 - y1)), float(score), landmarks)
        for (x1, y1, x2, y2), score, landmarks in zip(boxes, found.scores, points, strict=True)
        if x2 - x1 >= 1 and y2 - y1 >= 1
    ]


def crop_face(image: Image.Image, detected: DetectedFace) -> Face:
    """The face levelled by its eyes, in FER2013's framing."""
    to_crop = align.fit_crop(detected.landmarks.astype(float))
    return Face(detected.box, detected.score, detected.landmarks, align.warp(image, to_crop), to_crop)


def whole_picture(image: Image.Image) -> Face:
    """The picture's centre square as a face, without a search: all of a 48x48 picture, as it is.

    The square keeps a face's proportions, which squeezing the whole picture would not.
    """
    square = align.centre_square(image.size)
    return Face(square, 1.0, None, _square_crop(image, square), align.square_to_crop(square))


def _square_crop(image: Image.Image, square: Box) -> np.ndarray:
    """A square of the picture as uint8 (48, 48), by area averages (by interpolation where it is smaller)."""
    x, y, side, _ = square
    method = Image.Resampling.BOX if side >= align.SIDE else Image.Resampling.BILINEAR
    small = image.resize((align.SIDE, align.SIDE), method, box=(x, y, x + side, y + side))
    return np.asarray(small.convert("L"), np.uint8)
