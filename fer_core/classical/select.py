"""Choosing among a method's candidates on PublicTest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fer_core.classical.base import Arrays, ClassicalMethod
from fer_core.errors import DataError


@dataclass(frozen=True)
class Selection:
    """What PublicTest chose.

    Attributes:
        options: the chosen candidate.
        learnt: its arrays.
        scores: float64 (N, C) of PublicTest's faces.
        accuracy: its share of right answers there.
        tried: {"accuracy", and the options} of each candidate.
    """

    options: dict[str, Any]
    learnt: Arrays
    scores: np.ndarray
    accuracy: float
    tried: list[dict[str, Any]]


def select(
    method: ClassicalMethod,
    training: tuple[np.ndarray, np.ndarray],
    public: tuple[np.ndarray, np.ndarray],
    classes: int,
    *,
    seed: int = 0,
    candidates: Sequence[Mapping[str, Any]] | None = None,
    report: Callable[[str], None] = lambda text: None,
) -> Selection:
    """Fits every candidate on Training and keeps the one with the best accuracy on PublicTest, the first among equals.

    Args:
        method: an entry of CLASSICAL.
        training: features (N, D) and labels (N,).
        public: the same of PublicTest.
        classes: C.
        seed: of whatever the method draws.
        candidates: other options than the method's own.
        report: hears a line for each candidate.

    Raises:
        DataError: Training has faces of one class only.
    """
    if len(np.unique(training[1])) < 2:
        raise DataError("Training has faces of one class only, so there is nothing to tell apart")
    best: Selection | None = None
    tried: list[dict[str, Any]] = []
    for options in candidates or method.candidates:
        learnt = method.fit(*training, classes, seed=seed, **options)
        scores = method.scores(public[0], learnt)
        accuracy = float((scores.argmax(1) == public[1]).mean())
        tried.append({**options, "accuracy": round(accuracy, 6)})
        report(f"{', '.join(f'{name} {value}' for name, value in options.items())}: PublicTest accuracy {accuracy:.4f}")
        if best is None or accuracy > best.accuracy:
            best = Selection(dict(options), learnt, scores, accuracy, tried)
    assert best is not None
    return best
