"""Choosing among a method's candidates on PublicTest."""

from __future__ import annotations

import warnings
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
        tried: {"accuracy", and the options} of each candidate; of iterative methods "converged", too: false where the
            solver stopped at its limit.
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
        learnt, how = _fitted(method, training, classes, seed, options)
        scores = method.scores(public[0], learnt)
        accuracy = float((scores.argmax(1) == public[1]).mean())
        tried.append({**options, "accuracy": round(accuracy, 6), **how})
        what = ", ".join(f"{name} {value}" for name, value in options.items())
        rest = "" if how.get("converged", True) else "; the solver stopped before it had converged"
        report(f"{what}: PublicTest accuracy {accuracy:.4f}{rest}")
        if best is None or accuracy > best.accuracy:
            best = Selection(dict(options), learnt, scores, accuracy, tried)
    assert best is not None
    return best


def _fitted(
    method: ClassicalMethod,
    training: tuple[np.ndarray, np.ndarray],
    classes: int,
    seed: int,
    options: Mapping[str, Any],
) -> tuple[Arrays, dict[str, bool]]:
    """What a candidate learnt, and {"converged"} where a solver may have stopped early; PublicTest judges it alike."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        learnt = method.fit(*training, classes, seed=seed, **options)
    stopped = [one for one in caught if issubclass(one.category, ConvergenceWarning)]
    for other in caught:
        if other not in stopped:
            warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)
    return learnt, {"converged": not stopped} if method.iterative else {}
