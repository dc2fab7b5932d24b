"""From a face in a photo to the 48x48 grey crop that FER2013 would have made of it.

Where eyes and mouth belong in the crop is measured on FER2013 itself (`framing.json`, written by
`python -m scripts.measure_framing`). A similarity transform (turn, scale, shift) puts them there: the turn levels the
eyes, scale and shift are the least-squares fit of both eyes and both mouth corners.
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np
from PIL import Image

from fer_core.config import SIDE

LANDMARKS = ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")
"""The detector's five points; left and right as seen in the picture."""

FITTED = (0, 1, 3, 4)
"""Landmarks that the crop is fitted to: eyes and mouth corners; the nose leaves its place when a head turns."""

_OVERSAMPLING = 4


@lru_cache(maxsize=1)
def framing() -> dict[str, Any]:
    """The measurement: `landmarks` {name: [x, y]} in crop pixels, its sample sizes, and the command that made it."""
    text = resources.files("fer_core.inference").joinpath("framing.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


def template() -> np.ndarray:
    """Where FER2013's crops have the five landmarks: float64 (5, 2), x and y in crop pixels."""
    return np.array([framing()["landmarks"][name] for name in LANDMARKS])


def fit_crop(landmarks: np.ndarray) -> np.ndarray:
    """The similarity transform from photo to crop.

    Args:
        landmarks: (5, 2), x and y in photo pixels, in the order of `LANDMARKS`.

    Returns:
        float64 (2, 3): photo coordinates (x, y, 1) -> crop coordinates; pixel i covers [i, i + 1).
    """
    angle = eye_angle(landmarks)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return _scale_and_shift(turn, landmarks[list(FITTED)] @ turn.T, template()[list(FITTED)])


def eye_angle(landmarks: np.ndarray) -> float:
    """Angle of the line from the left to the right eye, in radians; 0 where it is level."""
    x, y = landmarks[1] - landmarks[0]
    return float(np.arctan2(y, x))


def _scale_and_shift(turn: np.ndarray, points: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Least-squares scale and shift of turned points (N, 2) onto targets (N, 2), with the turn in front: (2, 3)."""
    spread = points - points.mean(axis=0)
    aims = targets - targets.mean(axis=0)
    scale = (spread * aims).sum() / max(float((spread**2).sum()), 1e-9)
    scale = max(scale, 1e-6)  # points upside down or all in one place: any crop is as good as another
    return np.column_stack([scale * turn, targets.mean(axis=0) - scale * points.mean(axis=0)])


def scale_of(transform: np.ndarray) -> float:
    """Crop pixels per photo pixel of a similarity transform (2, 3)."""
    return float(np.hypot(*transform[:, 0]))


def inverse(transform: np.ndarray) -> np.ndarray:
    """The affine transform (2, 3) that undoes an affine transform (2, 3)."""
    linear = np.linalg.inv(transform[:, :2])
    return np.column_stack([linear, -linear @ transform[:, 2]])


def apply(transform: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points (N, 2) moved by an affine transform (2, 3): (N, 2)."""
    return points @ transform[:, :2].T + transform[:, 2]


def warp(image: Image.Image, to_crop: np.ndarray, side: int = SIDE) -> np.ndarray:
    """The grey crop that a similarity transform cuts out of a photo.

    Reduced with area averages, so that fine texture does not alias; outside the photo its border pixels are repeated.

    Args:
        image: any mode that converts to L.
        to_crop: (2, 3) from photo to crop coordinates.
        side: height and width of the crop in pixels.

    Returns:
        uint8 (side, side).
    """
    import cv2

    region, corner, step = _region(image, inverse(to_crop), side)
    oversampling = int(np.clip(np.ceil(1 / (scale_of(to_crop) * step)), 1, _OVERSAMPLING))
    fine = to_crop.copy() * oversampling
    fine[:, 2] += fine[:, :2] @ corner
    fine[:, :2] *= step
    fine[:, 2] += (
        fine[:, :2].sum(axis=1) / 2 - 0.5
    )  # OpenCV puts a pixel's centre at its index, not half a pixel further
    size = (side * oversampling, side * oversampling)
    large = cv2.warpAffine(region, fine, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(large, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def _region(image: Image.Image, from_crop: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray, int]:
    """The part of the photo that a crop needs, grey and already reduced by a whole number where the face is large.

    Returns:
        uint8 pixels; the photo coordinates (2,) of their corner; photo pixels per pixel.
    """
    corners = apply(from_crop, np.array([[0, 0], [side, 0], [0, side], [side, side]], float))
    size = np.array(image.size)
    margin = 2 * scale_of(from_crop) + 2
    low = np.clip(np.floor(corners.min(axis=0) - margin), 0, size - 1).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0) + margin), low + 1, size).astype(int)
    region = image.crop((*low, *high)).convert("L")
    step = max(1, int(scale_of(from_crop) / _OVERSAMPLING))
    return np.asarray(region.reduce(step)), low.astype(float), step


def centre_square(size: tuple[int, int]) -> tuple[float, float, float, float]:
    """The largest square in the middle of a picture of (width, height): x, y, width, height."""
    width, height = size
    side = min(width, height)
    return (width - side) / 2, (height - side) / 2, float(side), float(side)


def square_to_crop(square: tuple[float, float, float, float], side: int = SIDE) -> np.ndarray:
    """The transform (2, 3) that fills a crop with a square x, y, width, height."""
    x, y, width, _ = square
    scale = side / width
    return np.array([[scale, 0.0, -x * scale], [0.0, scale, -y * scale]])


def shrink(image: Image.Image, longest: int) -> tuple[Image.Image, float, float]:
    """The picture with its longer side at most `longest` pixels, and its true scales in x and y."""
    ratio = min(1.0, longest / max(image.size))
    width, height = (max(1, round(side * ratio)) for side in image.size)
    if (width, height) == image.size:
        return image, 1.0, 1.0
    small = image.resize((width, height), Image.Resampling.BOX, reducing_gap=1.0)
    return small, width / image.width, height / image.height
