"""Histograms of oriented gradients (Dalal & Triggs 2005, https://doi.org/10.1109/CVPR.2005.177), by scikit-image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fer_core.errors import ConfigError
from fer_core.features.base import Extractor, register_features


@register_features
@dataclass(frozen=True)
class Hog(Extractor):
    """How strongly edges of each direction run through each cell, made comparable within overlapping blocks.

    Attributes:
        orientations: directions in half a turn.
        cell: side of a cell in pixels.
        block: side of a block in cells; (48 / cell - block + 1)^2 blocks of block^2 x orientations numbers.
    """

    name = "hog"
    title = "Histograms of oriented gradients"
    paper = "https://doi.org/10.1109/CVPR.2005.177"

    orientations: int = 8
    cell: int = 8
    block: int = 2

    def __post_init__(self) -> None:
        if self.orientations < 1 or not 1 <= self.cell <= 24 or not 1 <= self.block <= 48 // self.cell:
            raise ConfigError("hog needs at least one orientation, cells of 1 to 24 pixels, and blocks that fit 48x48")

    def describe(self, faces: np.ndarray, learnt: Mapping[str, np.ndarray]) -> np.ndarray:
        """uint8 (N, 48, 48) -> float32 (N, D) in [0, 1]."""
        from skimage.feature import hog

        sides = {"pixels_per_cell": (self.cell, self.cell), "cells_per_block": (self.block, self.block)}
        found = [hog(face, orientations=self.orientations, block_norm="L2-Hys", **sides) for face in faces]
        return np.stack(found).astype(np.float32)
