"""What a way of combining is, and the registry of them.

A combination sees what M members say of N faces, (M, N, C) probabilities, and gives (N, C) of its own. What it has to
learn for that, it learns on PublicTest and keeps as plain arrays, so that it is saved beside the members' names and
applied without the library that fitted it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

from fer_core.classifiers.base import TINY
from fer_core.registry import Registry

Arrays = dict[str, np.ndarray]
"""What a combination has learnt."""

FOLDS = 5
FEWEST = 4 * FOLDS
"""Faces below which none is held out."""


def folds(n: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """For cross-fitting n faces: (positions to fit on, positions held out), each position held out once."""
    order = np.random.default_rng(0).permutation(n)
    for held_out in np.array_split(order, FOLDS):
        yield np.setdiff1d(order, held_out), held_out


def cross_fits(
    combination: Combination, members: np.ndarray, labels: np.ndarray, **options: Any
) -> Iterator[tuple[np.ndarray, Arrays]]:
    """What is learnt without each fifth of the faces, so that each face can be answered by a fit that did not see it.

    Args:
        combination: what is fitted.
        members: float (M, N, C).
        labels: int (N,).
        options: the combination's own.

    Yields:
        (int (n,) positions held out, what the others taught). A combination that learns nothing from labels, or has too
        few of them to be parted, gives one fit to all.
    """
    if not combination.learns or len(labels) < FEWEST:
        yield np.arange(len(labels)), combination.fit(members, labels, **options)
        return
    for fitted, held_out in folds(len(labels)):
        yield held_out, combination.fit(members[:, fitted], labels[fitted], **options)


class Combination(ABC):
    """One way of combining.

    Attributes:
        name: public name.
        title: the name as people write it.
        paper: address of the publication.
        description: one sentence for a reader of the card.
        learns: whether `fit` learns from the labels, so that its answers to the same faces flatter it.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    paper: ClassVar[str]
    description: ClassVar[str]
    learns: ClassVar[bool] = False

    @abstractmethod
    def fit(self, members: np.ndarray, labels: np.ndarray, **options: Any) -> Arrays:
        """Learns from faces that no member was trained on.

        Args:
            members: float (M, N, C), each member's probabilities.
            labels: int (N,), true class ids.
            options: the method's own.

        Raises:
            ConfigError: an option is missing or cannot work, or there are too few members or faces.
        """

    def shares(self, learnt: Mapping[str, np.ndarray]) -> np.ndarray | None:
        """float64 (M,), sum 1: what each member counts for, where the answer is a mean of theirs; None elsewhere."""
        return None

    @abstractmethod
    def apply(self, members: np.ndarray, learnt: Mapping[str, np.ndarray]) -> np.ndarray:
        """float (M, N, C) -> float64 (N, C); rows sum to 1."""


COMBINATIONS: Registry[Combination] = Registry("combination", package="fer_core.classifiers.combinations")


def register_combination(cls: type[Combination]) -> type[Combination]:
    """Class decorator: one instance goes into COMBINATIONS under the class's `name`."""
    COMBINATIONS.add(cls.name, cls())
    return cls


def normalised(scores: np.ndarray) -> np.ndarray:
    """Scores (N, C) that are not negative, as float64 rows that sum to 1; even where a row is all zero."""
    floored = np.maximum(scores.astype(np.float64), TINY)
    rows: np.ndarray = floored / floored.sum(1, keepdims=True)
    return rows
