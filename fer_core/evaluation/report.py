"""From a predictions table to the figures."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from fer_core.data.predictions import probabilities_of
from fer_core.errors import DataError
from fer_core.metrics import (
    accuracy,
    averaged_scores,
    confusion,
    expected_calibration_error,
    macro_f1,
    per_class_scores,
    wilson_interval,
)


@dataclass(frozen=True)
class EvaluationReport:
    """Figures of one model on one set of faces; shares are in [0, 1].

    Attributes:
        n: faces.
        accuracy: share of right answers; `accuracy_interval` is its 95 % Wilson interval.
        macro_f1: mean F1 of the classes that occur or are answered; `macro_*` weigh classes evenly, `weighted_*` by
            their faces. On a dataset without a class (CK+48 has no neutral face) a single answer of it adds a class
            of F1 0; `macro_f1_present` leaves such classes out.
        ece: expected calibration error over 15 bins; see `chance_calibration_error` for what of it is noise.
        confusion: rows true, columns predicted, in the order of `labels`.
        per_class: {emotion: {"precision", "recall", "f1", "support"}}.
    """

    n: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    macro_f1: float
    weighted_f1: float
    weighted_precision: float
    macro_precision: float
    weighted_recall: float
    macro_recall: float
    ece: float
    confusion: list[list[int]]
    labels: list[str]
    per_class: dict[str, dict[str, float]]

    @property
    def macro_f1_present(self) -> float:
        """Mean F1 of the classes that occur among the labels; answers of others still cost recall."""
        return float(np.mean([scores["f1"] for scores in self.per_class.values() if scores["support"]]))

    @property
    def absent(self) -> list[str]:
        """The classes of the model of which there is no face."""
        return [name for name, scores in self.per_class.items() if not scores["support"]]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"accuracy_interval": list(self.accuracy_interval)}


def evaluate_predictions(table: pd.DataFrame, labels: tuple[str, ...]) -> EvaluationReport:
    """Figures of a predictions table; raises DataError where it is empty."""
    if table.empty:
        raise DataError("there is no face to evaluate in this part of the dataset")
    true = table["label"].to_numpy()
    probabilities = probabilities_of(table, labels)
    predicted = probabilities.argmax(1)
    present = sorted(set(true) | set(predicted))
    macro = averaged_scores(true, predicted, present, "macro")
    weighted = averaged_scores(true, predicted, present, "weighted")
    right = int((predicted == true).sum())
    return EvaluationReport(
        n=len(true),
        accuracy=accuracy(true, predicted),
        accuracy_interval=wilson_interval(right, len(true)),
        macro_f1=macro_f1(true, predicted, len(labels)),
        weighted_f1=weighted["f1"],
        weighted_precision=weighted["precision"],
        macro_precision=macro["precision"],
        weighted_recall=weighted["recall"],
        macro_recall=macro["recall"],
        ece=expected_calibration_error(true, probabilities),
        confusion=np.asarray(confusion(true, predicted, len(labels))).tolist(),
        labels=list(labels),
        per_class=per_class_scores(true, predicted, labels),
    )
