"""Weights as bars, and their range in words."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

SIDE = 384
LEFT, TOP, BOTTOM = 52, 20, 356
"""Where the bars begin, and the heights of 1 and 0; pages round the corners off."""
PAPER, LINE, WORDS, BAR = 255, 200, 90, 60


def bars(weights: np.ndarray) -> np.ndarray:
    """Weights in [0, 1] as bars from 0 to 1, the greatest first.

    Args:
        weights: (K,); of more than there are columns, a column shows one of its rank.

    Returns:
        uint8 (384, 384), dark on white.
    """
    ranked = np.sort(np.clip(weights, 0, 1))[::-1]
    picture = Image.new("L", (SIDE, SIDE), PAPER)
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(22)
    for value in (0.0, 0.5, 1.0):
        pen.line((LEFT, height_of(value), SIDE, height_of(value)), fill=LINE)
        pen.text((LEFT - 6, height_of(value)), f"{value:g}", fill=WORDS, font=font, anchor="rm")
    for column in range(LEFT, SIDE):
        weight = float(ranked[(column - LEFT) * len(ranked) // (SIDE - LEFT)])
        pen.line((column, height_of(weight), column, BOTTOM), fill=BAR)
    return np.asarray(picture)


def height_of(weight: float) -> int:
    """Row of the picture at which a bar of that weight ends."""
    return round(BOTTOM - weight * (BOTTOM - TOP))


def between(lowest: float, highest: float) -> str:
    """`0.21 to 0.26`; two digits, or as many as tell the ends apart, six at most."""
    texts = ["", ""]
    for digits in range(2, 7):
        texts = [f"{value:.{digits}g}" for value in (lowest, highest)]
        if texts[0] != texts[1]:
            return " to ".join(texts)
    return f"{texts[0]} everywhere"
