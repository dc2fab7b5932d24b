"""What a trained network hands to its head, as features for a classical method (Razavian et al. 2014)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fer_core.features.base import Embed, Extractor, register_features


@register_features
@dataclass(frozen=True)
class Network(Extractor):
    """The penultimate features of any checkpoint; maps are averaged over their places.

    Attributes:
        embed: uint8 (N, 48, 48) -> float32 (N, D); whoever may load networks makes it.
    """

    name = "network"
    title = "Features of a trained network"
    paper = "https://arxiv.org/abs/1403.6382"

    embed: Embed

    def describe(self, faces: np.ndarray, learnt: Mapping[str, np.ndarray]) -> np.ndarray:
        """uint8 (N, 48, 48) -> float32 (N, D)."""
        return self.embed(faces).astype(np.float32)
