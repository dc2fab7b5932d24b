"""Random forests (Breiman 2001, https://doi.org/10.1023/A:1010933404324), grown by scikit-learn, kept as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fer_core.classical.base import Arrays, ClassicalMethod, register_classical

LEAF = -1
TINY = 1e-6
CHUNK = 1024


@register_classical
class RandomForest(ClassicalMethod):
    """Trees on random draws of faces and features; the scores are logarithms of the mean of their leaves' shares.

    The trees are laid end to end: node i of tree t is entry starts[t] + i of the other arrays. A face goes left at a
    node where its feature is at most the threshold.
    """

    name = "random_forest"
    title = "Random forest"
    paper = "https://doi.org/10.1023/A:1010933404324"
    candidates = ({"trees": 100, "min_leaf": 5}, {"trees": 100, "min_leaf": 20})

    def fit(self, inputs: np.ndarray, labels: np.ndarray, classes: int, *, seed: int, **options: Any) -> Arrays:
        from sklearn.ensemble import RandomForestClassifier

        forest = RandomForestClassifier(
            options["trees"], min_samples_leaf=options["min_leaf"], random_state=seed, n_jobs=options.get("jobs")
        )
        forest.fit(inputs, labels)
        return forest_arrays(forest, classes)

    def scores(self, inputs: np.ndarray, learnt: Mapping[str, np.ndarray]) -> np.ndarray:
        logs: np.ndarray = np.log(np.maximum(forest_shares(inputs, learnt), TINY))
        return logs


def forest_arrays(forest: Any, classes: int) -> Arrays:
    """A fitted RandomForestClassifier as arrays; classes that it did not see get shares of 0."""
    trees = [estimator.tree_ for estimator in forest.estimators_]
    counts = np.array([tree.node_count for tree in trees])
    shares = np.zeros((counts.sum(), classes), np.float32)
    shares[:, forest.classes_] = np.concatenate([_shares(tree.value[:, 0, :]) for tree in trees])
    return {
        "starts": np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64),
        "left": np.concatenate([tree.children_left for tree in trees]).astype(np.int32),
        "right": np.concatenate([tree.children_right for tree in trees]).astype(np.int32),
        "feature": np.concatenate([tree.feature for tree in trees]).astype(np.int32),
        "threshold": at_most(np.concatenate([tree.threshold for tree in trees])),
        "shares": shares,
    }


def forest_shares(inputs: np.ndarray, learnt: Mapping[str, np.ndarray]) -> np.ndarray:
    """float32 (N, D) -> float64 (N, C): what scikit-learn's `predict_proba` gives."""
    inputs = inputs.astype(np.float32)
    return np.concatenate([_mean(inputs[start : start + CHUNK], learnt) for start in range(0, len(inputs), CHUNK)])


def at_most(thresholds: np.ndarray) -> np.ndarray:
    """float64 thresholds -> the greatest float32 not above each, so that float32 features are parted alike."""
    single = thresholds.astype(np.float32)
    return np.where(single > thresholds, np.nextafter(single, np.float32(-np.inf)), single)


def _mean(inputs: np.ndarray, learnt: Mapping[str, np.ndarray]) -> np.ndarray:
    starts = learnt["starts"]
    rows = np.arange(len(inputs))[:, None]
    node = np.zeros((len(inputs), len(starts)), np.int64)  # of each face in each tree
    while True:
        place = starts + node
        left = learnt["left"][place]
        inside = left != LEAF
        if not inside.any():
            return learnt["shares"][place].mean(1, dtype=np.float64)
        goes_left = inputs[rows, np.where(inside, learnt["feature"][place], 0)] <= learnt["threshold"][place]
        node = np.where(inside, np.where(goes_left, left, learnt["right"][place]), node)


def _shares(values: np.ndarray) -> np.ndarray:
    shares: np.ndarray = values / values.sum(1, keepdims=True)
    return shares
