"""What an extractor of features is, and the registry of them.

An extractor stands in a file of its own under `methods/`. Its options are the fields of a frozen dataclass; what it
learns from Training's faces (a codebook, say) are plain arrays, saved beside the classifier that uses them.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from fer_core.errors import ConfigError
from fer_core.registry import Registry

Arrays = dict[str, np.ndarray]

CHUNK = 512
"""Faces that are described at a time."""

Embed = Callable[[np.ndarray], np.ndarray]
"""uint8 (N, 48, 48) -> float32 (N, D): a trained network's features."""


class Extractor(ABC):
    """Describes faces.

    Attributes:
        name: public name.
        title: the name as people write it.
        paper: address of the publication.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    paper: ClassVar[str]

    def fit(self, faces: np.ndarray) -> Arrays:
        """What it must learn from uint8 (N, 48, 48) faces of Training; nothing by default."""
        return {}

    @abstractmethod
    def describe(self, faces: np.ndarray, learnt: Mapping[str, np.ndarray]) -> np.ndarray:
        """uint8 (N, 48, 48), N at least 1 -> float32 (N, D)."""

    def transform(self, faces: np.ndarray, learnt: Mapping[str, np.ndarray]) -> np.ndarray:
        """`describe` for any number of faces from 1, a chunk at a time."""
        chunks = (faces[start : start + CHUNK] for start in range(0, len(faces), CHUNK))
        return np.concatenate([self.describe(np.asarray(chunk), learnt) for chunk in chunks])


FEATURES: Registry[type[Extractor]] = Registry("kind of features", package="fer_core.features.methods")


def register_features(cls: type[Extractor]) -> type[Extractor]:
    """Class decorator: the class goes into FEATURES under its `name`."""
    return FEATURES.add(cls.name, cls)


def create_extractor(name: str, *, embed: Embed | None = None, **options: Any) -> Extractor:
    """An extractor with its options.

    Args:
        name: a name in FEATURES.
        embed: the network's features, for the extractors that take them.
        options: the extractor's own.

    Raises:
        UnknownNameError: no such features.
        ConfigError: an option that it does not have or that cannot work, or no network where it needs one.
    """
    cls = FEATURES[name]
    known = [field for field in inspect.signature(cls).parameters if field != "embed"]
    if unknown := sorted(set(options) - set(known)):
        raise ConfigError(f"{name} has no option {unknown[0]!r}; it has: {', '.join(known) or 'none'}")
    if needs_network(name):
        if embed is None:
            raise ConfigError(f"{name} features come from a trained network; name its checkpoint")
        return cls(embed=embed, **options)  # type: ignore[call-arg]
    return cls(**options)


def needs_network(name: str) -> bool:
    """Whether the features are those of a trained network."""
    return "embed" in inspect.signature(FEATURES[name]).parameters
