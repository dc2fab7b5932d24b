"""Parts of Training that share no face: its pixels alone decide which part a face is in, so copies stay together."""

from __future__ import annotations

import numpy as np

from fer_core.artifacts import Card
from fer_core.config import Part, parse_part
from fer_core.data.audit.duplicates import pixel_hashes

DIGITS = 15
"""Hex digits of a hash that count; as many as an int64 holds."""


def in_part(pixels: np.ndarray, part: Part) -> np.ndarray:
    """uint8 (N, H, W) -> bool (N,): which faces are in a part. A face's part depends on no other face."""
    codes = np.array([int(name[:DIGITS], 16) for name in pixel_hashes(pixels)], np.int64)
    inside: np.ndarray = codes % part.of == part.number - 1
    return inside


def learnt_part(card: Card) -> Part | None:
    """The part of Training that a network's own run learnt; None for the whole, or where its card does not say."""
    return parse_part(card.training.get("config", {}).get("part", ""))
