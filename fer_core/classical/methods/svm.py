"""Support vector machines (Cortes & Vapnik 1995), one against the rest, by liblinear: linear, and with RBF kernel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fer_core.classical.base import Arrays, ClassicalMethod, register_classical

NEVER = -10.0
"""Score of a class that the fit saw no face of."""
CHUNK = 2048
LIMIT = 1000
"""Iterations of liblinear at most."""


@register_classical
class LinearSvm(ClassicalMethod):
    """A hyperplane for each class in the standardised features; margins are the scores."""

    name = "linear_svm"
    title = "Linear support vector machine"
    paper = "https://doi.org/10.1007/BF00994018"
    candidates = ({"c": 0.0001}, {"c": 0.001}, {"c": 0.01})
    iterative = True

    def fit(self, inputs: np.ndarray, labels: np.ndarray, classes: int, *, seed: int, **options: Any) -> Arrays:
        mean, scale = standardisation(inputs)
        planes, offsets = hyperplanes((inputs - mean) / scale, labels, classes, c=options["c"], seed=seed)
        planes = planes / scale  # the same planes in the features as they come
        offsets = offsets - planes @ mean
        return {"planes": planes.astype(np.float32), "offsets": offsets.astype(np.float32)}

    def scores(self, inputs: np.ndarray, learnt: Mapping[str, np.ndarray]) -> np.ndarray:
        found: np.ndarray = inputs.astype(np.float64) @ learnt["planes"].T + learnt["offsets"]
        return found


@register_classical
class RbfSvm(ClassicalMethod):
    """An SVM with the kernel exp(-gamma |x - y|^2), approximated by Nystroem's method (Williams & Seeger 2001).

    The exact machine would need a kernel matrix of all pairs of Training's 28,709 faces. Nystroem's map projects every
    face on the span of some faces drawn at random, the landmarks; a linear machine works there. Map and machine are
    both linear in the kernel values, so one matrix holds them.
    """

    name = "rbf_svm"
    title = "Support vector machine with RBF kernel"
    paper = "https://proceedings.neurips.cc/paper/2000/hash/19de10adbaa1b2ee13f77f679fa1483a-Abstract.html"
    candidates = ({"c": 0.1, "gamma": 0.25}, {"c": 1.0, "gamma": 0.25}, {"c": 0.1, "gamma": 1.0})
    iterative = True
    approximation = "The RBF kernel is approximated by Nystroem's method with 1,000 landmarks drawn from Training."

    landmarks = 1000

    def fit(self, inputs: np.ndarray, labels: np.ndarray, classes: int, *, seed: int, **options: Any) -> Arrays:
        from sklearn.kernel_approximation import Nystroem

        mean, scale = standardisation(inputs)
        scaled = ((inputs - mean) / scale).astype(np.float32)
        gamma = options["gamma"] / inputs.shape[1]
        count = min(options.get("landmarks", self.landmarks), len(inputs))
        kernel = Nystroem(kernel="rbf", gamma=gamma, n_components=count, random_state=seed)
        planes, offsets = hyperplanes(kernel.fit_transform(scaled), labels, classes, c=options["c"], seed=seed)
        return {
            "mean": mean,
            "scale": scale,
            "landmarks": kernel.components_.astype(np.float32),
            "gamma": np.array([gamma]),
            "planes": (planes @ kernel.normalization_).astype(np.float64),
            "offsets": offsets,
        }

    def scores(self, inputs: np.ndarray, learnt: Mapping[str, np.ndarray]) -> np.ndarray:
        parts = [self._scores(inputs[start : start + CHUNK], learnt) for start in range(0, len(inputs), CHUNK)]
        return np.concatenate(parts)

    def _scores(self, inputs: np.ndarray, learnt: Mapping[str, np.ndarray]) -> np.ndarray:
        scaled = ((inputs - learnt["mean"]) / learnt["scale"]).astype(np.float64)
        marks = learnt["landmarks"].astype(np.float64)
        distance = (scaled**2).sum(1)[:, None] + (marks**2).sum(1) - 2 * scaled @ marks.T  # (N, M)
        kernel = np.exp(-learnt["gamma"] * np.maximum(distance, 0))
        found: np.ndarray = kernel @ learnt["planes"].T + learnt["offsets"]
        return found


def standardisation(inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """float32 mean and scale (D,); a feature that never changes keeps its scale."""
    scale = inputs.std(0, dtype=np.float64)
    return inputs.mean(0, dtype=np.float64).astype(np.float32), np.where(scale > 0, scale, 1).astype(np.float32)


def hyperplanes(
    inputs: np.ndarray, labels: np.ndarray, classes: int, *, c: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """float64 planes (C, D) and offsets (C,) of machines that part each class from the rest.

    Warns with scikit-learn's ConvergenceWarning where `LIMIT` iterations were not enough.
    """
    from sklearn.svm import LinearSVC

    known = np.unique(labels)
    machine = LinearSVC(C=c, dual="auto", tol=1e-2, max_iter=LIMIT, random_state=seed).fit(inputs, labels)
    planes, offsets = np.zeros((classes, inputs.shape[1])), np.full(classes, NEVER)
    both = len(known) == 2  # scikit-learn keeps the second class's plane only
    planes[known] = np.concatenate([-machine.coef_, machine.coef_]) if both else machine.coef_
    offsets[known] = np.concatenate([-machine.intercept_, machine.intercept_]) if both else machine.intercept_
    return planes, offsets
