"""One model under every protocol, side by side."""

from __future__ import annotations

from typing import Any

import numpy as np

from fer_core.classifiers.base import Classifier
from fer_core.data.table import FaceDataset
from fer_core.errors import DataError
from fer_core.evaluation.labels import labelled_for
from fer_core.evaluation.predictions import Progress, predict_dataset
from fer_core.evaluation.protocols import ORDER, PROTOCOLS, Parts, copies_in
from fer_core.evaluation.report import evaluate_predictions


def compare_protocols(
    classifier: Classifier,
    dataset: FaceDataset,
    *,
    split: str = "PrivateTest",
    seed: int = 0,
    progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """Judges a trained model under every protocol; each face is asked about once, however many protocols want it.

    Args:
        classifier: a model that was trained on the dataset's Training.
        dataset: faces; a model of eight classes is judged against FER+'s majorities where there are votes.
        split: what the protocols that keep the published division judge.
        seed: of the others.
        progress: wraps the chunks of faces as they pass.

    Returns:
        One dictionary a protocol: protocol, n (test images), distinct (different ones), accuracy, accuracy_interval,
        macro_f1, leak (test images with a copy in Training, which the model learned from), own_leak (with a copy in
        what the protocol itself would train on). Where the same image is counted several times, the interval is too
        narrow, as it is in the publications that do so.

    Raises:
        DataError: there is no face with a known label, or too few for a protocol.
    """
    faces = known_faces(dataset, classifier.labels)
    divided = {name: PROTOCOLS[name](faces, split, seed) for name in ORDER}
    wanted = np.unique(np.concatenate([parts.test for parts in divided.values()]))
    answers = predict_dataset(classifier, faces.select(wanted), progress=progress)
    trained = np.flatnonzero((faces.table["split"] == "Training").to_numpy())
    rows = []
    for name, parts in divided.items():
        report = evaluate_predictions(answers.iloc[np.searchsorted(wanted, parts.test)], classifier.labels)
        rows.append(
            {
                "protocol": name,
                "n": report.n,
                "distinct": len(np.unique(parts.test)),
                "accuracy": report.accuracy,
                "accuracy_interval": list(report.accuracy_interval),
                "macro_f1": report.macro_f1,
                **leaks(parts, trained),
            }
        )
    return rows


def known_faces(dataset: FaceDataset, labels: tuple[str, ...]) -> FaceDataset:
    """The faces with a label among a model's classes; raises DataError where there is none."""
    labelled = labelled_for(dataset, labels)
    known = (labelled.labels >= 0) & (labelled.labels < len(labels))
    if not known.any():
        raise DataError("there is no face with a label that this model knows, so there is nothing to evaluate")
    return labelled.select(known)


def leaks(parts: Parts, trained: np.ndarray) -> dict[str, int]:
    """Test images with a copy in what a model learned from (int (n,) positions), and in the protocol's own part."""
    return {"leak": int(copies_in(parts.dataset, parts.test, trained).sum()), "own_leak": int(parts.leaked.sum())}
