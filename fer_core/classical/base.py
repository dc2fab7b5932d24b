"""What a classical method is, and the registry of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from fer_core.registry import Registry

Arrays = dict[str, np.ndarray]
"""What a method has learnt, without any object of the library that fitted it."""


class ClassicalMethod(ABC):
    """One method.

    Attributes:
        name: public name.
        title: the name as people write it.
        paper: address of the publication.
        candidates: the options among which PublicTest chooses.
        approximation: what is not exact about it, for the card; empty where nothing is.
        iterative: whether a solver may stop at its limit before it has converged; `fit` then gives scikit-learn's
            ConvergenceWarning.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    paper: ClassVar[str]
    candidates: ClassVar[tuple[dict[str, Any], ...]]
    approximation: ClassVar[str] = ""
    iterative: ClassVar[bool] = False

    @abstractmethod
    def fit(self, inputs: np.ndarray, labels: np.ndarray, classes: int, *, seed: int, **options: Any) -> Arrays:
        """Learns.

        Args:
            inputs: float32 (N, D) features.
            labels: int (N,), of which at least two differ.
            classes: C; a class without a face gets a low score everywhere.
            seed: of whatever is drawn.
            options: one of `candidates`, or others of the same names.
        """

    @abstractmethod
    def scores(self, inputs: np.ndarray, learnt: Mapping[str, np.ndarray]) -> np.ndarray:
        """float32 (N, D) -> float64 (N, C); the higher the likelier, on a scale of the method's own."""


CLASSICAL: Registry[ClassicalMethod] = Registry("classical method", package="fer_core.classical.methods")


def register_classical(cls: type[ClassicalMethod]) -> type[ClassicalMethod]:
    """Class decorator: one instance goes into CLASSICAL under the class's `name`."""
    CLASSICAL.add(cls.name, cls())
    return cls
