"""Views of a face whose answers a checkpoint averages by itself, as its card's `views` says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from fer_core.artifacts import Card
from fer_core.errors import CheckpointError, ConfigError

View = Callable[[np.ndarray], np.ndarray]
"""uint8 (N, 48, 48) -> the same faces, seen otherwise."""

ZOOM = 1.1
"""How much larger the second view of flip_zoom is; PublicTest is about as well off with anything from 1.08 to 1.14."""


def as_it_is(faces: np.ndarray) -> np.ndarray:
    """The faces themselves."""
    return faces


def mirrored(faces: np.ndarray) -> np.ndarray:
    """Mirror images."""
    return faces[:, :, ::-1]


def mirrored_and_enlarged(faces: np.ndarray) -> np.ndarray:
    """Mirror images, enlarged by a tenth around the middle of the picture."""
    import cv2

    side = faces.shape[-1]
    middle = (side - 1) / 2
    by = cv2.getRotationMatrix2D((middle, middle), 0, ZOOM)
    seen = [cv2.warpAffine(face, by, (side, side), borderMode=cv2.BORDER_REPLICATE) for face in faces]
    return mirrored(np.stack(seen)) if seen else faces


@dataclass(frozen=True)
class FoldedView:
    """What a name of `Card.views` means.

    Attributes:
        views: what is asked about; the answers are averaged.
        beside: what is averaged in beside the face as it is, in words; empty where it is alone.
    """

    views: tuple[View, ...]
    beside: str = ""


FOLDED_VIEWS: Mapping[str, FoldedView] = {
    "single": FoldedView((as_it_is,)),
    "flip": FoldedView((as_it_is, mirrored), "mirror image"),
    "flip_zoom": FoldedView((as_it_is, mirrored_and_enlarged), "enlarged mirror image"),
}
NAMES = ", ".join(FOLDED_VIEWS)


def check_views(name: str) -> str:
    """Returns the name of a card's views if it is known, and raises ConfigError otherwise."""
    if name not in FOLDED_VIEWS:
        raise ConfigError(f"views must be one of {NAMES}, not {name!r}")
    return name


def folded_view(card: Card) -> FoldedView:
    """The views of each face that a card asks for; raises CheckpointError for a name that is not known."""
    if card.views not in FOLDED_VIEWS:
        raise CheckpointError(f"the card of {card.name} asks for views {card.views!r}; it must be one of {NAMES}")
    return FOLDED_VIEWS[card.views]
