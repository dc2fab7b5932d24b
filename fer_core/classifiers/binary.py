"""Two-sided questions out of an emotion dataset: one emotion against the rest, one branch of a tree against the other.

Every question is put in the dataset's own classes, so that any model and any trainer can answer it: the faces of a side
take the id of one emotion of that side, and the votes of FER+, which would contradict that, are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from fer_core.classifiers.combinations.pair_tree import Tree, forks
from fer_core.data.store import fingerprint
from fer_core.data.table import FaceDataset
from fer_core.errors import DataError

OPPOSITES = (("happy", "sad"), ("angry", "fear"), ("surprise", "neutral"), ("disgust", "contempt"))
"""Pairs that disagree most in Russell's and Plutchik's circles of emotions; they share the lowest forks."""

TrainBinary = Callable[[FaceDataset, str], None]
"""(dataset with the labels of one question, name) -> trains the model that answers it."""


def tree_of_opposites(class_names: tuple[str, ...]) -> Tree:
    """The tree over all classes whose lowest forks are OPPOSITES; upper ones join neighbours two by two."""
    pairs = [[class_names.index(name) for name in pair if name in class_names] for pair in OPPOSITES]
    level: list[Tree] = [(pair[0], pair[1]) if len(pair) == 2 else pair[0] for pair in pairs if pair]
    while len(level) > 1:
        level = [(level[i], level[i + 1]) if i + 1 < len(level) else level[i] for i in range(0, len(level), 2)]
    return level[0]


def single_emotion(dataset: FaceDataset, emotion: str) -> FaceDataset:
    """The emotion keeps its id; every other face takes the id of one class that stands for the rest."""
    target = dataset.class_names.index(emotion)
    rest = (target + 1) % len(dataset.class_names)
    return _relabelled(dataset, [((target,), target), (_others(dataset, target), rest)], emotion)


def branches(dataset: FaceDataset, left: tuple[int, ...], right: tuple[int, ...]) -> FaceDataset:
    """The faces of two branches, each with the id of its branch's first class; others are left out."""
    return _relabelled(dataset, [(left, left[0]), (right, right[0])], fork_name(dataset, left, right))


def fork_name(dataset: FaceDataset, left: Iterable[int], right: Iterable[int]) -> str:
    """`happy_surprise_vs_sad`."""
    names = dataset.class_names
    return "_vs_".join("_".join(names[index] for index in side) for side in (left, right))


def train_single_emotions(dataset: FaceDataset, train: TrainBinary) -> list[str]:
    """Trains a model for each emotion; returns their names in the order of the classes."""
    for emotion in dataset.class_names:
        train(single_emotion(dataset, emotion), emotion)
    return list(dataset.class_names)


def train_tree(dataset: FaceDataset, tree: Tree, train: TrainBinary) -> list[str]:
    """Trains a model for each fork; returns their names in the order of `forks`."""
    names = []
    for left, right in forks(tree):
        names.append(fork_name(dataset, left, right))
        train(branches(dataset, left, right), names[-1])
    return names


def _others(dataset: FaceDataset, target: int) -> tuple[int, ...]:
    return tuple(index for index in range(len(dataset.class_names)) if index != target)


def _relabelled(dataset: FaceDataset, sides: list[tuple[tuple[int, ...], int]], question: str) -> FaceDataset:
    labels = np.full(len(dataset), -1, np.int64)
    for side, label in sides:
        labels[np.isin(dataset.labels, side)] = label
    kept = labels >= 0
    if len(np.unique(labels[kept & (dataset.table["split"] == "Training").to_numpy()])) < 2:
        raise DataError(f"Training has no face of one side of the question {question}; it cannot be learnt")
    table = dataset.table.drop(columns=[name for name in dataset.table if name.startswith("votes_")])
    found = replace(dataset, table=table.assign(label=labels)).select(kept)
    return replace(found, fingerprint=fingerprint(found.table, found.pixels))
