"""A binary tree of emotions with a model at each fork (nested dichotomies: Frank & Kramer 2004)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from fer_core.classifiers.base import TINY
from fer_core.classifiers.combination import Arrays, Combination, register_combination
from fer_core.errors import ConfigError

Tree = int | tuple["Tree", "Tree"]
"""A class id, or two branches."""

Fork = tuple[tuple[int, ...], tuple[int, ...]]
"""Class ids on the left and on the right."""


@register_combination
class PairTree(Combination):
    """Member m weighs the left branch of fork m against the right; an emotion's probability is the product on its way.

    A member's word for a branch is what it gives to the branch's emotions, as a share of what it gives to both.
    """

    name = "pair_tree"
    title = "Tree of opposed emotions"
    paper = "https://doi.org/10.1145/1015330.1015363"
    description = "A binary tree over opposed emotions; a model at each fork decides which branch a face belongs to."

    def fit(self, members: np.ndarray, labels: np.ndarray, **options: Any) -> Arrays:
        classes = members.shape[2]
        if "tree" not in options:
            raise ConfigError("pair_tree needs the tree that its members belong to")
        found = list(forks(options["tree"]))
        if len(found) != len(members):
            raise ConfigError(
                f"the tree has {len(found)} forks, and there are {len(members)} members; it needs as many"
            )
        left, right = (np.array([np.isin(np.arange(classes), fork[side]) for fork in found]) for side in (0, 1))
        return {"left": left.astype(np.uint8), "right": right.astype(np.uint8)}

    def apply(self, members: np.ndarray, learnt: Mapping[str, np.ndarray]) -> np.ndarray:
        left, right = learnt["left"].astype(bool), learnt["right"].astype(bool)
        answer = np.ones(members.shape[1:])
        for said, on_left, on_right in zip(members.astype(np.float64), left, right, strict=True):
            goes_left, goes_right = (said[:, side].sum(1, keepdims=True) + TINY for side in (on_left, on_right))
            answer[:, on_left] *= goes_left / (goes_left + goes_right)
            answer[:, on_right] *= goes_right / (goes_left + goes_right)
        return answer


def forks(tree: Tree) -> Iterator[Fork]:
    """The forks of a tree from its root, left branches first."""
    if isinstance(tree, tuple):
        yield leaves(tree[0]), leaves(tree[1])
        yield from forks(tree[0])
        yield from forks(tree[1])


def leaves(tree: Tree) -> tuple[int, ...]:
    """Class ids of a tree, from left to right."""
    return leaves(tree[0]) + leaves(tree[1]) if isinstance(tree, tuple) else (tree,)


def opposed_tree(confusion: np.ndarray) -> Tree:
    """The tree whose lowest forks part the emotions that a model confuses least.

    Args:
        confusion: (C, C) counts, rows true, columns predicted.

    Returns:
        A tree over all C classes: again and again, the two branches with the least confusion between them are joined
        (its mean over the pairs of their classes, as a share of the classes' faces; ties go to the first).
    """
    share = confusion / np.maximum(confusion.sum(1, keepdims=True), 1)
    mutual = share + share.T
    branches: list[Tree] = list(range(len(confusion)))
    while len(branches) > 1:
        pairs = [(a, b) for a in range(len(branches)) for b in range(a + 1, len(branches))]
        first, second = min(pairs, key=lambda pair: _confused(mutual, branches[pair[0]], branches[pair[1]]))
        joined = (branches[first], branches[second])
        branches = [branch for index, branch in enumerate(branches) if index not in (first, second)] + [joined]
    return branches[0]


def _confused(mutual: np.ndarray, left: Tree, right: Tree) -> float:
    return float(mutual[np.ix_(leaves(left), leaves(right))].mean())
