"""One model for each emotion, alone and joined with a model of all (Rifkin & Klautau 2004)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fer_core.classifiers.base import TINY
from fer_core.classifiers.combination import Arrays, Combination, normalised, register_combination
from fer_core.classifiers.combinations.soft_vote import weighted_mean
from fer_core.classifiers.combinations.weighted_vote import mixture_weights
from fer_core.errors import ConfigError


@register_combination
class OneVsRest(Combination):
    """Member c says how likely emotion c is against all the rest; the C claims are scaled to sum to 1.

    Members after the first C know all emotions; they and the joint claim are then mixed with the weights that make the
    labels likeliest.
    """

    name = "one_vs_rest"
    title = "One model for each emotion"
    paper = "https://www.jmlr.org/papers/v5/rifkin04a.html"
    description = "Each emotion has a model of its own against all the rest; the claims are scaled to sum to 1."
    learns = True

    def fit(self, members: np.ndarray, labels: np.ndarray, **options: Any) -> Arrays:
        if len(members) < members.shape[2]:
            raise ConfigError(
                f"one_vs_rest needs a model for each of {members.shape[2]} emotions, in their order, not {len(members)}"
            )
        voices = _voices(members)
        likelihood = np.maximum(voices[:, np.arange(len(labels)), labels], TINY)
        return {"weights": mixture_weights(likelihood)}

    def apply(self, members: np.ndarray, learnt: Mapping[str, np.ndarray]) -> np.ndarray:
        return weighted_mean(_voices(members), learnt["weights"])


def _voices(members: np.ndarray) -> np.ndarray:
    """(C + K, N, C) -> float64 (1 + K, N, C): the joint claim of the single models, then those that know all."""
    classes = members.shape[2]
    claims = members[np.arange(classes), :, np.arange(classes)].T  # (N, C)
    return np.stack([normalised(claims), *(normalised(member) for member in members[classes:])])
