"""Ways to ask a classifier about a face more than once and to average its answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from fer_core.classifiers.base import CheckpointClassifier
from fer_core.classifiers.folded_views import FOLDED_VIEWS, View
from fer_core.registry import Registry

Judging = Callable[[CheckpointClassifier, np.ndarray], np.ndarray]
"""(classifier, uint8 (N, 48, 48)) -> float32 (N, C)."""

VIEWS: Registry[Judging] = Registry("view")

PASSES: Mapping[str, int] = {name: len(folded.views) for name, folded in FOLDED_VIEWS.items()} | {"ten_crop": 10}
"""How often each of them asks about a face."""

CROP = 44
"""Side of the crops of ten_crop for a network that wants whole faces; one that was trained on crops gets its own."""


def _mean_over(views: tuple[View, ...]) -> Judging:
    """Asks about each of the views; the probabilities are averaged."""

    def judge(classifier: CheckpointClassifier, faces: np.ndarray) -> np.ndarray:
        answers = [classifier.predict_proba(np.ascontiguousarray(view(faces))) for view in views]
        mean: np.ndarray = np.mean(answers, 0)
        return mean

    return judge


for _name, _folded in FOLDED_VIEWS.items():
    VIEWS.register(_name)(_mean_over(_folded.views))


@VIEWS.register("ten_crop")
def ten_crop(classifier: CheckpointClassifier, faces: np.ndarray) -> np.ndarray:
    """Four corners, the centre, and their mirror images, probabilities averaged.

    Krizhevsky et al. 2012, https://papers.nips.cc/paper/4824. A network that looks at the centre of a face sees each
    crop as it is, any other one sees it enlarged to 48x48.
    """
    import torch
    from torch.nn import functional

    from fer_core.data.transforms import ten_crop as crops
    from fer_core.data.transforms import to_unit

    side = faces.shape[-1]
    field = classifier.card.field_side
    crop = field if field < side else CROP
    views = crops(to_unit(torch.from_numpy(np.array(faces))), crop).flatten(0, 1)  # (10 * N, 1, crop, crop)
    if field < side:
        before = (side - field) // 2
        whole = functional.pad(views, (before, side - field - before) * 2, mode="replicate")
    else:
        whole = functional.interpolate(views, (side, side), mode="bilinear", align_corners=False)
    pixels = (whole * 255).round().clamp(0, 255).byte().squeeze(1).numpy()
    answers = classifier.predict_proba(pixels).reshape(10, len(faces), -1)
    mean: np.ndarray = answers.mean(0)
    return mean
