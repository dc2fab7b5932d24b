"""Heat as colour: one perceptually ordered map for shares in [0, 1], one diverging map for [-1, 1].

The eye must not see steps that are not there: lightness rises evenly along the first map (inferno, by Smith and van
der Walt for matplotlib, without its black end, which would paint cold regions dark) and falls evenly from the middle
of the second to both ends (Brewer's RdBu without its darkest ends). Red speaks for the emotion, blue against it; both
maps can be read with red-green blindness.
"""

from __future__ import annotations

from functools import cache

import numpy as np

INFERNO = ("#420a68", "#6a176e", "#932667", "#bc3754", "#dd513a", "#f37819", "#fca50a", "#f6d746", "#fcffa4")
RD_BU = ("#2166ac", "#4393c3", "#92c5de", "#f7f7f7", "#f4a582", "#d6604d", "#b2182b")
SIZE = 256


def colour(heat: np.ndarray, *, signed: bool) -> np.ndarray:
    """(...) heat in [0, 1], or [-1, 1] where signed -> uint8 (..., 3) RGB."""
    share = (heat + 1) / 2 if signed else heat
    index = np.clip(np.rint(share * (SIZE - 1)), 0, SIZE - 1).astype(np.int64)
    colours: np.ndarray = table(signed)[index]
    return colours


@cache
def table(signed: bool) -> np.ndarray:
    """uint8 (256, 3) RGB, from least (or most against) to most."""
    anchors = np.array([rgb(text) for text in (RD_BU if signed else INFERNO)], dtype=np.float64)
    where = np.linspace(0, 1, len(anchors))
    at = np.linspace(0, 1, SIZE)
    return np.stack([np.interp(at, where, channel) for channel in anchors.T], axis=1).round().astype(np.uint8)


def rgb(text: str) -> tuple[int, int, int]:
    """`"#e9a820"` -> (233, 168, 32)."""
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)
