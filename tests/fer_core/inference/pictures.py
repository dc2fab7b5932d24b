"""Photos for tests, made from pictures that ship inside scikit-image, and classifiers that cost nothing."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image

from fer_core.inference import align
from fer_core.labels import EMOTIONS

FACELESS = (
    "chelsea",
    "coffee",
    "rocket",
    "page",
    "brick",
    "grass",
    "gravel",
    "text",
    "coins",
    "moon",
    "retina",
    "logo",
)
"""Pictures of `skimage.data` that show no human face and lie inside the wheel."""

ASTRONAUT_LANDMARKS = np.array([[204.0, 101.0], [246.5, 103.0], [225.5, 129.0], [201.0, 139.5], [245.5, 142.0]])
"""Eyes, nose and mouth corners of the astronaut, in its 512x512 pixels, to about a pixel."""


def skimage_picture(name: str) -> Image.Image:
    """One picture of `skimage.data` in RGB."""
    from skimage import data

    return Image.fromarray(np.asarray(getattr(data, name)())).convert("RGB")


@lru_cache(maxsize=1)
def astronaut() -> Image.Image:
    """A 512x512 photo with one face."""
    return skimage_picture("astronaut")


@lru_cache(maxsize=1)
def framed_astronaut() -> np.ndarray:
    """The astronaut's face in FER2013's framing, from landmarks set by hand: uint8 (48, 48)."""
    return align.warp(astronaut(), align.fit_crop(ASTRONAUT_LANDMARKS))


def collage(columns: int, rows: int, tile: int = 160) -> Image.Image:
    """A photo of columns x rows astronauts' heads."""
    head = astronaut().crop((140, 10, 310, 180)).resize((tile, tile))
    sheet = Image.new("RGB", (columns * tile, rows * tile), "grey")
    for index in range(columns * rows):
        sheet.paste(head, (index % columns * tile, index // columns * tile))
    return sheet


def posed(face: np.ndarray, rng: np.random.Generator, turn: float = 0.0) -> tuple[Image.Image, np.ndarray]:
    """A 640x480 photo with a 48x48 face in it, at a random place and size, turned by up to `turn` degrees.

    Returns:
        The photo, and the true transform (2, 3) from photo to face coordinates.
    """
    import cv2

    scale, angle = rng.uniform(2.5, 5), np.radians(rng.uniform(-turn, turn))
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    reach = np.abs(linear @ [[24, 24], [24, -24]]).max(axis=1)
    centre = rng.uniform(reach, np.array([640, 480]) - reach)
    to_photo = np.column_stack([linear, centre - linear @ [24, 24]])
    drawn = to_photo.copy()
    drawn[:, 2] += linear.sum(axis=1) / 2 - 0.5  # OpenCV counts from pixel centres
    size = (640, 480)
    options = {"flags": cv2.INTER_CUBIC, "borderMode": cv2.BORDER_REPLICATE}
    pasted = cv2.warpAffine(np.ascontiguousarray(face), drawn, size, **options)
    inside = cv2.warpAffine(np.ones_like(face), drawn, size, flags=cv2.INTER_NEAREST)
    return Image.fromarray(np.where(inside == 1, pasted, 128).astype(np.uint8)), align.inverse(to_photo)


class Brightness:
    """A classifier whose answer is how bright the crop is; remembers how often it was asked."""

    labels = EMOTIONS
    device = "nothing"

    def __init__(self) -> None:
        self.batches: list[int] = []

    def predict_proba(self, faces: np.ndarray) -> np.ndarray:
        """Brighter faces are later emotions: uint8 (N, 48, 48) -> float32 (N, 7)."""
        assert faces.dtype == np.uint8
        assert faces.shape[1:] == (48, 48)
        self.batches.append(len(faces))
        table = np.full((len(faces), 7), 0.05, np.float32)
        table[np.arange(len(faces)), (faces.mean(axis=(1, 2)) / 256 * 7).astype(int)] = 0.7
        return table
