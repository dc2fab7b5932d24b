"""Accuracy, precision, recall, F1 and the confusion matrix, on class ids."""

from __future__ import annotations

from typing import Literal

import numpy as np

Average = Literal["macro", "weighted"]


def accuracy(true: np.ndarray, predicted: np.ndarray) -> float:
    """Share of equal ids (N,), (N,), in [0, 1]."""
    return float(np.mean(np.asarray(true) == np.asarray(predicted)))


def macro_f1(true: np.ndarray, predicted: np.ndarray, num_classes: int) -> float:
    """Mean of the classes' F1 in [0, 1]; a class that neither occurs nor is predicted does not count."""
    present = [c for c in range(num_classes) if (true == c).any() or (predicted == c).any()]
    return averaged_scores(true, predicted, present, "macro")["f1"]


def averaged_scores(true: np.ndarray, predicted: np.ndarray, classes: list[int], average: Average) -> dict[str, float]:
    """{"precision", "recall", "f1"} averaged over `classes`; 0 for a class that is never predicted."""
    from sklearn.metrics import precision_recall_fscore_support

    values = precision_recall_fscore_support(true, predicted, labels=classes, average=average, zero_division=0)
    return {name: float(value) for name, value in zip(("precision", "recall", "f1"), values[:3], strict=True)}


def per_class_scores(true: np.ndarray, predicted: np.ndarray, labels: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """{label: {"precision", "recall", "f1", "support"}}; support counts faces."""
    from sklearn.metrics import precision_recall_fscore_support

    columns = precision_recall_fscore_support(true, predicted, labels=range(len(labels)), zero_division=0)
    names = ("precision", "recall", "f1")
    return {
        label: {name: float(column[i]) for name, column in zip(names, columns[:3], strict=True)}
        | {"support": int(columns[3][i])}
        for i, label in enumerate(labels)
    }


def confusion(true: np.ndarray, predicted: np.ndarray, num_classes: int) -> np.ndarray:
    """int64 (C, C): rows are true classes, columns predicted ones."""
    matrix = np.zeros((num_classes, num_classes), dtype=np.int64)
    np.add.at(matrix, (true, predicted), 1)
    return matrix
