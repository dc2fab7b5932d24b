"""What a trained model costs and bears, measured the same way for all."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fer_core.classifiers.base import CheckpointClassifier, Classifier
from fer_core.data.table import SIDE, FaceDataset

BATCH, TIMED, PATIENCE = 64, 5, 20.0
"""Faces in a timed batch, the most of them, and the seconds after which no other is begun."""


def open_in_torch(checkpoint: Path) -> CheckpointClassifier:
    """A checkpoint for a few looks, without the export that onnxruntime would need first."""
    from fer_core.classifiers import load_classifier

    return load_classifier(checkpoint, backend="torch")


def inference_speed(checkpoint: Path) -> float:
    """How fast a checkpoint answers, as `answering_speed`."""
    return answering_speed(open_in_torch(checkpoint))


def answering_speed(classifier: Classifier) -> float:
    """Faces a second on one thread of this CPU in PyTorch, by the fastest of five batches of 64.

    What counts is the time that the thread computes, and the fastest batch, so that work beside it matters little.
    """
    import torch

    faces = np.random.default_rng(0).integers(0, 256, (BATCH, SIDE, SIDE), np.uint8)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        classifier.predict_proba(faces)
        return round(BATCH / _fastest(lambda: classifier.predict_proba(faces)), 1)
    finally:
        torch.set_num_threads(before)


def robustness(classifier: Classifier, dataset: FaceDataset, faces: int) -> dict[str, float]:
    """Accuracy over five strengths of each corruption on so many faces of PublicTest, rounded to four decimals.

    Returns:
        {"clean", each corruption, "mean" over all of them}, as `fer_core.evaluation.robustness.summarise`.
    """
    from fer_core.evaluation.labels import labelled_for
    from fer_core.evaluation.robustness import robustness_table, some, summarise

    public = some(labelled_for(dataset, classifier.labels).split("PublicTest"), faces)
    return {name: round(value, 4) for name, value in summarise(robustness_table(classifier, public)).items()}


def _fastest(call: Callable[[], object]) -> float:
    """Seconds of computing that the fastest call takes."""
    found: list[float] = []
    while len(found) < TIMED and sum(found) < PATIENCE:
        start = time.process_time()
        call()
        found.append(time.process_time() - start)
    return min(found)
