"""Pictures to try without having one: the astronaut that comes with scikit-image, and faces drawn by code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from fer_core.labels import EMOTIONS

DRAWN_SEED: Final = 7


@dataclass(frozen=True)
class Example:
    """A bundled picture.

    Attributes:
        name: what it is called on the page.
        alt: what is to be seen, for those who do not see it.
        make: draws or reads it: uint8 (H, W) or (H, W, 3).
        credit: where it comes from.
    """

    name: str
    alt: str
    make: Callable[[], np.ndarray]
    credit: str

    @property
    def picture(self) -> np.ndarray:
        """uint8 (H, W) or (H, W, 3), made at the first look."""
        return _made(self.make)


@cache
def _made(make: Callable[[], np.ndarray]) -> np.ndarray:
    picture = make()
    picture.setflags(write=False)
    return picture


def _astronaut() -> np.ndarray:
    from skimage.data import astronaut

    return np.asarray(astronaut())


def _drawer(emotion: str, index: int) -> Callable[[], np.ndarray]:
    def draw() -> np.ndarray:
        from fer_core.data.drawn import draw_face

        return draw_face(emotion, rng=np.random.default_rng(DRAWN_SEED + index))

    return draw


EXAMPLES: Final = (
    Example(
        "photo",
        "Portrait photo of the astronaut Eileen Collins, smiling, in an orange space suit",
        _astronaut,
        "Eileen Collins, NASA, public domain, from scikit-image",
    ),
    *(
        Example(emotion, f"Face drawn by code that is meant to look {emotion}", _drawer(emotion, i), "drawn by code")
        for i, emotion in enumerate(EMOTIONS)
    ),
)
"""In the order of the page; the drawn ones are 48x48 and are classified as they are."""
