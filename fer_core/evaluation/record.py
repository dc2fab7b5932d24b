"""The evaluation that a checkpoint carries: report, predictions and the card's metrics.

PublicTest chose the weights and fits the temperature; PrivateTest is judged here, once, after everything is decided. A
model of eight classes is judged against FER+'s majorities, and faces without one are left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fer_core.artifacts import DEDUPLICATED, REPORT, load_card, update_card
from fer_core.classifiers import load_classifier
from fer_core.classifiers.base import softmax
from fer_core.classifiers.calibration import fit_temperature
from fer_core.classifiers.ensemble import EnsembleClassifier
from fer_core.data.predictions import classes_of, predictions_table
from fer_core.data.progress import Progress, unshown
from fer_core.data.table import FaceDataset
from fer_core.errors import DataError
from fer_core.evaluation.labels import known_faces, labelled_for, of_tests
from fer_core.evaluation.predictions import answers_to, save_predictions
from fer_core.evaluation.protocols import deduplicated
from fer_core.evaluation.report import evaluate_predictions
from fer_core.files import write_json
from fer_core.labels import TESTS


def record_evaluation(folder: Path, dataset: FaceDataset, *, progress: Progress = unshown) -> dict[str, Any]:
    """Calibrates a checkpoint on PublicTest, judges both test splits, writes report, predictions and card metrics.

    Raises:
        DataError: the dataset is not the one that the checkpoint was trained on.
    """
    card = load_card(folder)
    if card.data.get("fingerprint") != dataset.fingerprint:
        raise DataError(f"{card.name} was trained on another dataset; record its evaluation on that one")
    dataset = labelled_for(dataset, card.labels)
    tests, logits = judge_tests(folder, dataset, progress)
    public = (tests.table["split"] == "PublicTest").to_numpy()
    temperature = fit_temperature(logits[public], tests.labels[public])
    update_card(folder, temperature=temperature)
    table = predictions_table(tests.table, card.labels, softmax(logits, temperature))
    metrics = judged(table, dataset)
    save_predictions(folder, table)
    write_json(folder / REPORT, metrics)
    update_card(folder, metrics=metrics)
    return metrics


def judge_tests(folder: Path, dataset: FaceDataset, progress: Progress = unshown) -> tuple[FaceDataset, np.ndarray]:
    """The faces of both test splits whose label a checkpoint knows, and its logits (N, C) for them, by PyTorch.

    Faces of PublicTest that taught an ensemble are answered by fits that did not see them.
    """
    classifier = load_classifier(folder, backend="torch")
    tests = known_faces(of_tests(dataset), classifier.labels)
    logits = answers_to(tests, classifier.predict_logits, progress)
    if isinstance(classifier, EnsembleClassifier) and classifier.learns:
        public = (tests.table["split"] == TESTS[0]).to_numpy()
        logits[public] = classifier.held_out_logits(np.asarray(tests.pixels[public]), tests.labels[public])
    return tests, logits


def judged(table: pd.DataFrame, dataset: FaceDataset) -> dict[str, dict[str, Any]]:
    """Figures of a predictions table on both test splits and on PrivateTest without twins, as a card has them."""
    labels, twin_free = classes_of(table), deduplicated(dataset, "PrivateTest").table["row"]
    found = {name: figures(table[table["split"] == name], labels) for name in TESTS}
    return found | {DEDUPLICATED: figures(table[table["row"].isin(set(twin_free))], labels)}


def figures(table: pd.DataFrame, labels: tuple[str, ...]) -> dict[str, Any]:
    """A part's report, floats rounded to six decimals so that the files stay readable."""
    rounded: dict[str, Any] = _rounded(evaluate_predictions(table, labels).to_dict())
    return rounded


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list) else value
