"""One model under every protocol, side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from fer_core.classifiers.base import Classifier
from fer_core.data.progress import Progress, unshown
from fer_core.data.table import FaceDataset
from fer_core.evaluation.draw import at_most
from fer_core.evaluation.labels import known_faces, labelled_for
from fer_core.evaluation.predictions import predict_dataset
from fer_core.evaluation.protocols import ORDER, PROTOCOLS, Parts, copies_in
from fer_core.evaluation.report import evaluate_predictions
from fer_core.metrics import effective_count, wilson_interval

Retrain = Callable[[str, FaceDataset], Classifier]
"""(protocol, faces of its training part) -> a model that learned from them and from nothing else."""


def divided(
    dataset: FaceDataset,
    labels: tuple[str, ...],
    *,
    split: str = "PrivateTest",
    seed: int = 0,
    limit: int | None = None,
    names: Sequence[str] = ORDER,
) -> dict[str, Parts]:
    """The faces with known labels under every protocol.

    Args:
        dataset: faces; a model of eight classes is judged against FER+'s majorities where there are votes.
        labels: the model's classes.
        split: what the protocols that keep the published division judge.
        seed: of the others, and of the limit.
        limit: judge at most that many images of each test part, drawn at random.
        names: the protocols.

    Raises:
        DataError: there is no face with a known label, or too few for a protocol.
    """
    chosen = {name: PROTOCOLS[name] for name in names}
    faces = known_faces(labelled_for(dataset, labels), labels)
    found = {name: divide(faces, split, seed) for name, divide in chosen.items()}
    return {name: replace(parts, test=at_most(limit, parts.test, seed)) for name, parts in found.items()}


def compare_protocols(
    classifier: Classifier, divided: Mapping[str, Parts], *, progress: Progress = unshown
) -> list[dict[str, Any]]:
    """Judges a trained model under every protocol; each face is asked about once, however many protocols want it.

    Args:
        classifier: a model that was trained on the dataset's Training.
        divided: one dataset under every protocol.
        progress: wraps the chunks of faces as they pass.

    Returns:
        One dictionary a protocol: protocol, n (test images), distinct (different rows of the dataset among them),
        effective (`effective_count`: how many different ones say as much), accuracy, accuracy_interval, macro_f1, leak
        (test images with a copy in Training, so that this model has learned them: it belongs to the model, not to the
        protocol), own_leak (with a copy in what the protocol itself trains on: that is the protocol's leak). The
        interval is Wilson's for `effective` images: one that is counted several times says no more than one.
    """
    faces = next(iter(divided.values())).dataset
    wanted = np.unique(np.concatenate([parts.test for parts in divided.values()]))
    answers = predict_dataset(classifier, faces.select(wanted), progress=progress)
    trained = np.flatnonzero((faces.table["split"] == "Training").to_numpy())
    return [
        _row(name, parts, trained, answers.iloc[np.searchsorted(wanted, parts.test)], classifier.labels)
        for name, parts in divided.items()
    ]


def retrain_protocols(
    retrain: Retrain, divided: Mapping[str, Parts], *, progress: Progress = unshown
) -> list[dict[str, Any]]:
    """Trains a model under each protocol and judges it there; rows as in `compare_protocols`, with leak = own_leak.

    Protocols that train on the same faces (those that keep the published Training) share one model.
    """
    rows, models = [], dict[bytes, Classifier]()
    for name, parts in divided.items():
        taught = parts.train.tobytes()
        classifier = models[taught] if taught in models else models.setdefault(taught, retrain(name, parts.train_faces))
        answers = predict_dataset(classifier, parts.test_faces, progress=progress)
        rows.append(_row(name, parts, parts.train, answers, classifier.labels))
    return rows


def _row(
    name: str, parts: Parts, trained: np.ndarray, answers: pd.DataFrame, labels: tuple[str, ...]
) -> dict[str, Any]:
    """Figures of a protocol; `trained` (int (n,)) are the positions of what the model learned from."""
    report, effective = evaluate_predictions(answers, labels), effective_count(parts.test)
    return {
        "protocol": name,
        "n": report.n,
        "distinct": len(np.unique(parts.test)),
        "effective": round(effective),
        "accuracy": report.accuracy,
        "accuracy_interval": list(wilson_interval(report.accuracy * effective, effective)),
        "macro_f1": report.macro_f1,
        "leak": int(copies_in(parts.dataset, parts.test, trained).sum()),
        "own_leak": int(parts.leaked.sum()),
    }
