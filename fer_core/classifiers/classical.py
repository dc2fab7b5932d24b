"""A classical method on features as a classifier."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from fer_core.artifacts import CLASSICAL as KIND
from fer_core.artifacts import Card, load_arrays, load_card, save_arrays, update_card
from fer_core.classical import CLASSICAL, Selection, select
from fer_core.classifiers.base import CheckpointClassifier
from fer_core.classifiers.calibration import fit_temperature
from fer_core.classifiers.embedding import embedding
from fer_core.classifiers.parts import OpenPart, adopt, open_parts
from fer_core.data.table import SIDE, FaceDataset
from fer_core.errors import CheckpointError
from fer_core.features import FEATURES, Extractor, create_extractor

FEATURE, METHOD, SCALE = "features.", "method.", "scale"
"""Prefixes and name of the arrays: what the features learnt, what the method learnt, the scores' calibration."""
SCALES = (0.005, 20.0)
"""Range of the divisor of a method's scores; temperatures of networks, whose loss is a likelihood, vary less."""
FEW_DIGITS = 6


class ClassicalClassifier(CheckpointClassifier):
    """Features, then a method; NumPy, and a network where the features are one's.

    Args:
        folder: the checkpoint's folder.
        open_part: opens the network behind the features.
    """

    def __init__(self, folder: Path, open_part: OpenPart) -> None:
        card = load_card(folder)
        networks = open_parts(folder, card, open_part)
        super().__init__(folder, networks[0].device if networks else "numpy on cpu")
        self.method = CLASSICAL[card.model]
        self.extractor = _extractor(card, networks)
        arrays = load_arrays(folder)
        self._features, self._method = _part(arrays, FEATURE), _part(arrays, METHOD)
        self._scale = float(arrays[SCALE][0])

    def forward(self, faces: np.ndarray) -> np.ndarray:
        """uint8 (N, 48, 48) -> float32 logits (N, C): calibrated scores."""
        inputs = self.extractor.transform(faces, self._features)
        return (self.method.scores(inputs, self._method) * self._scale).astype(np.float32)


def build_classical(
    folder: Path,
    method: str,
    features: str,
    dataset: FaceDataset,
    open_part: OpenPart,
    *,
    network: Path | None = None,
    feature_options: dict[str, Any] | None = None,
    faces: int = 0,
    seed: int = 0,
    views: str = "single",
    report: Callable[[str], None] = lambda text: None,
    **choice: Any,
) -> Card:
    """Trains on Training, chooses and calibrates on PublicTest, writes a checkpoint into `folder`.

    Args:
        folder: where the checkpoint goes.
        method: a name in CLASSICAL.
        features: a name in FEATURES.
        dataset: faces; PrivateTest is not looked at.
        open_part: opens the network behind the features.
        network: the checkpoint whose features are taken, where they are a network's.
        feature_options: the features' own.
        faces: at most so many faces of Training, drawn at random; 0 takes all.
        seed: of whatever is drawn.
        views: how each face is seen (see `Card.views`).
        report: hears what is done.
        choice: `candidates` in place of the method's own.

    Raises:
        ConfigError, DataError, CheckpointError: an option, the dataset or the network does not fit.
    """
    start = time.perf_counter()
    networks = [open_part(network)] if network else []
    extractor = create_extractor(features, embed=_embed(networks), **(feature_options or {}))
    training, public = _labelled(dataset, "Training", faces, seed), _labelled(dataset, "PublicTest", 0, seed)
    report(f"{extractor.title} of {len(training)} faces of Training and {len(public)} of PublicTest")
    learnt = extractor.fit(training.pixels)
    inputs = [extractor.transform(part.pixels, learnt) for part in (training, public)]
    classes = len(dataset.class_names)
    found = select(
        CLASSICAL[method],
        (inputs[0], training.labels),
        (inputs[1], public.labels),
        classes,
        seed=seed,
        report=report,
        **choice,
    )
    arrays = _arrays(learnt, found, public.labels)
    card = _card(folder.name, method, features, feature_options or {}, dataset, found, views)
    save_arrays(folder, card, arrays)
    seconds = round(time.perf_counter() - start, 1)
    return update_card(
        folder,
        members=adopt(folder, [network] if network else []),
        parameters=sum(array.size for array in arrays.values()),
        data={"fingerprint": dataset.fingerprint, "source_format": dataset.source_format, "faces": len(training)},
        training={"seconds": seconds, "device": platform.machine(), "seed": seed, "tried": found.tried},
    )


def _arrays(learnt: dict[str, np.ndarray], found: Selection, labels: np.ndarray) -> dict[str, np.ndarray]:
    """All that is learnt under one roof; the scale makes PublicTest's labels likeliest."""
    arrays = {FEATURE + name: array for name, array in learnt.items()}
    arrays |= {METHOD + name: array for name, array in found.learnt.items()}
    return arrays | {SCALE: np.array([1 / fit_temperature(found.scores, labels, SCALES, FEW_DIGITS)])}


def _card(
    name: str,
    method: str,
    features: str,
    feature_options: dict[str, Any],
    dataset: FaceDataset,
    found: Selection,
    views: str,
) -> Card:
    import sklearn

    entry = CLASSICAL[method]
    return Card(
        name=name,
        model=method,
        labels=dataset.class_names,
        input={"side": SIDE, "channels": 1},
        parameters=0,
        options={"features": features, "feature_options": feature_options, **found.options},
        title=f"{entry.title} on {FEATURES[features].title[0].lower()}{FEATURES[features].title[1:]}",
        paper=entry.paper,
        selection={"split": "PublicTest", "metric": "accuracy", "value": round(found.accuracy, 6)},
        versions={"python": platform.python_version(), "numpy": np.__version__, "scikit-learn": sklearn.__version__},
        notes=entry.approximation,
        kind=KIND,
        views=views,
    )


def _labelled(dataset: FaceDataset, split: str, most: int, seed: int) -> FaceDataset:
    part = dataset.split(split)
    part = part.select(part.labels >= 0)
    if most and most < len(part):
        part = part.select(np.sort(np.random.default_rng(seed).permutation(len(part))[:most]))
    return part


def _extractor(card: Card, networks: list[CheckpointClassifier]) -> Extractor:
    try:
        features, options = card.options["features"], card.options["feature_options"]
    except KeyError as error:
        raise CheckpointError(f"the card of {card.name} does not say {error}; train it again") from None
    return create_extractor(features, embed=_embed(networks), **options)


def _embed(networks: list[CheckpointClassifier]) -> Any:
    return embedding(networks[0]) if networks else None


def _part(arrays: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
