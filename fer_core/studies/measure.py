"""What a trained model costs and bears, measured the same way for all."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

import numpy as np

from fer_core.data.table import FaceDataset

BATCH, TIMED = 64, 3


def inference_speed(checkpoint: Path) -> float:
    """Faces a second on one thread of this CPU in PyTorch, in batches of 64, the median of three."""
    import torch

    from fer_core.classifiers import load_classifier

    classifier = load_classifier(checkpoint, backend="torch")
    faces = np.random.default_rng(0).integers(0, 256, (BATCH, 48, 48), np.uint8)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        classifier.predict_proba(faces)
        return round(BATCH / median(_seconds(classifier.predict_proba, faces) for _ in range(TIMED)), 1)
    finally:
        torch.set_num_threads(before)


def robustness(checkpoint: Path, dataset: FaceDataset, faces: int) -> dict[str, float]:
    """Mean accuracy over five strengths of each corruption on some faces of PublicTest, and over all of them."""
    return {}


def _seconds(function: object, faces: np.ndarray) -> float:
    assert callable(function)
    start = time.perf_counter()
    function(faces)
    return time.perf_counter() - start
