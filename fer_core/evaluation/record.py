"""The evaluation that a checkpoint carries: report, predictions and the card's metrics.

PublicTest chose the weights and fits the temperature; PrivateTest is judged here, once, after everything is decided. A
model of eight classes is judged against FER+'s majorities, and faces without one are left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fer_core.artifacts import REPORT, load_card, update_card
from fer_core.classifiers import load_classifier
from fer_core.classifiers.base import softmax
from fer_core.classifiers.calibration import fit_temperature
from fer_core.classifiers.ensemble import EnsembleClassifier
from fer_core.data.progress import Progress, unshown
from fer_core.data.table import FaceDataset
from fer_core.errors import DataError
from fer_core.evaluation.labels import labelled_for
from fer_core.evaluation.predictions import predict_dataset, probabilities_of, save_predictions
from fer_core.evaluation.protocols import deduplicated
from fer_core.evaluation.report import evaluate_predictions
from fer_core.files import write_json

TESTS = ("PublicTest", "PrivateTest")
DEDUPLICATED = "PrivateTest deduplicated"


def record_evaluation(folder: Path, dataset: FaceDataset, *, progress: Progress = unshown) -> dict[str, Any]:
    """Calibrates a checkpoint on PublicTest, judges both test splits, writes report, predictions and card metrics.

    Raises:
        DataError: the dataset is not the one that the checkpoint was trained on.
    """
    card = load_card(folder)
    if card.data.get("fingerprint") != dataset.fingerprint:
        raise DataError(f"{card.name} was trained on another dataset; record its evaluation on that one")
    dataset = labelled_for(dataset, card.labels)
    logits = judge_tests(folder, dataset, progress)
    public = logits[logits["split"] == "PublicTest"]
    temperature = fit_temperature(probabilities_of(public, card.labels), public["label"].to_numpy())
    update_card(folder, temperature=temperature)
    table = softened(logits, card.labels, temperature)
    private_twin_free = set(deduplicated(dataset, "PrivateTest").table["row"])
    metrics = {name: figures(table[table["split"] == name], card.labels) for name in TESTS}
    metrics[DEDUPLICATED] = figures(table[table["row"].isin(private_twin_free)], card.labels)
    save_predictions(folder, table)
    write_json(folder / REPORT, metrics)
    update_card(folder, metrics=metrics)
    return metrics


def judge_tests(folder: Path, dataset: FaceDataset, progress: Progress = unshown) -> pd.DataFrame:
    """A predictions table of both test splits, by PyTorch, with logits in place of probabilities.

    Faces of PublicTest that taught an ensemble are answered by a fit that did not see them.
    """
    classifier = load_classifier(folder, backend="torch")
    tests = dataset.select(dataset.table["split"].isin(TESTS).to_numpy())
    table = predict_dataset(classifier, tests, judge=classifier.predict_logits, progress=progress)
    return _held_out(classifier, table, dataset) if isinstance(classifier, EnsembleClassifier) else table


def _held_out(classifier: EnsembleClassifier, table: pd.DataFrame, dataset: FaceDataset) -> pd.DataFrame:
    if not classifier.learns:
        return table
    public = table[table["split"] == TESTS[0]]
    faces = dataset.select(dataset.table["row"].isin(set(public["row"])).to_numpy())
    logits = classifier.held_out_logits(np.asarray(faces.pixels), faces.labels)
    columns = [f"p_{name}" for name in classifier.labels]
    table.loc[public.index, columns] = logits.astype(np.float32)
    return table


def softened(logits: pd.DataFrame, labels: tuple[str, ...], temperature: float) -> pd.DataFrame:
    """The table with the probabilities that its logits stand for at a temperature."""
    columns = [f"p_{name}" for name in labels]
    return logits.assign(**dict(zip(columns, softmax(probabilities_of(logits, labels), temperature).T, strict=True)))


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
