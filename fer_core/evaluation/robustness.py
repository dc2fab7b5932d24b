"""How much accuracy survives what cameras do to a face: darkness, haze, blur, noise, tilt, things in the way.

After Hendrycks & Dietterich 2019 (https://arxiv.org/abs/1903.12261): each corruption comes in five strengths, and the
figure of a model is its mean accuracy over all of them. The corruptions are defined here anew for faces of 48x48
pixels. What is random about one (which way a face tilts, where the patch lies) depends only on the face's row number
and the seed, so a face is spoilt in the same way whatever is judged beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from fer_core.classifiers.base import Classifier
from fer_core.data.progress import Progress, unshown
from fer_core.data.table import FaceDataset
from fer_core.errors import ConfigError
from fer_core.evaluation.draw import at_most
from fer_core.evaluation.labels import known_faces
from fer_core.registry import Registry

STRENGTHS: Final = (1, 2, 3, 4, 5)
CLEAN: Final = "clean"
"""The faces as they are, in tables of corruptions."""
CHUNK: Final = 256

Pass = tuple[str, int]
"""Corruption and strength."""


@dataclass(frozen=True)
class Chance:
    """What is random about each face, from its row number and a seed.

    Attributes:
        rows: int (N,) row numbers.
        seed: the same seed spoils the same way.
    """

    rows: np.ndarray
    seed: int = 0

    def signs(self) -> np.ndarray:
        """float (N,): -1 or 1."""
        return np.where(self._draw(lambda rng: rng.random()) < 0.5, -1.0, 1.0)

    def places(self) -> np.ndarray:
        """float (N, 2) in [0, 1)."""
        return self._draw(lambda rng: rng.random(2))

    def noise(self, shape: tuple[int, int]) -> np.ndarray:
        """float (N, H, W), standard normal."""
        return self._draw(lambda rng: rng.standard_normal(shape, np.float32))

    def _draw(self, draw: Callable[[np.random.Generator], object]) -> np.ndarray:
        return np.array([draw(np.random.default_rng((self.seed, int(row)))) for row in self.rows])


@dataclass(frozen=True)
class Corruption:
    """One way to spoil faces.

    Attributes:
        title: what it does, for people.
        unit: what `amounts` are measured in.
        amounts: how much of it there is at the strengths 1 to 5.
        spoil: (float32 (N, H, W) in [0, 1], amount, chance) -> the same, spoilt; may leave [0, 1].
    """

    title: str
    unit: str
    amounts: tuple[float, float, float, float, float]
    spoil: Callable[[np.ndarray, float, Chance], np.ndarray]

    def __call__(self, faces: np.ndarray, strength: int, chance: Chance) -> np.ndarray:
        """uint8 (N, H, W) -> uint8 (N, H, W).

        Args:
            faces: what to spoil.
            strength: 0 leaves the faces as they are, 5 is the strongest.
            chance: of the N faces.

        Raises:
            ConfigError: there is no such strength.
        """
        if strength not in (0, *STRENGTHS):
            raise ConfigError(f"strength must be a whole number from 0 to {STRENGTHS[-1]}, not {strength!r}")
        if strength == 0:
            return faces.copy()
        spoilt = self.spoil(faces.astype(np.float32) / 255, self.amounts[strength - 1], chance)
        whole: np.ndarray = (spoilt * 255).round().clip(0, 255).astype(np.uint8)
        return whole


CORRUPTIONS: Registry[Corruption] = Registry("corruption")

Spoil = Callable[[np.ndarray, float, Chance], np.ndarray]


def _register(name: str, title: str, unit: str, *amounts: float) -> Callable[[Spoil], Spoil]:
    a, b, c, d, e = amounts

    def add(spoil: Spoil) -> Spoil:
        CORRUPTIONS.add(name, Corruption(title, unit, (a, b, c, d, e), spoil))
        return spoil

    return add


@_register("brightness", "every pixel darker, or every pixel brighter", "share of white", 0.1, 0.2, 0.3, 0.4, 0.5)
def _brightness(faces: np.ndarray, amount: float, chance: Chance) -> np.ndarray:
    return faces + amount * chance.signs()[:, None, None]


@_register("contrast", "greys drawn towards their mean", "share taken away", 0.3, 0.5, 0.65, 0.8, 0.9)
def _contrast(faces: np.ndarray, amount: float, chance: Chance) -> np.ndarray:
    mean = faces.mean(axis=(1, 2), keepdims=True)
    return mean + (1 - amount) * (faces - mean)


@_register("blur", "a Gaussian blur", "standard deviation in pixels", 0.6, 1.0, 1.5, 2.0, 3.0)
def _blur(faces: np.ndarray, amount: float, chance: Chance) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(faces, (0, amount, amount), mode="nearest")


@_register("noise", "Gaussian noise", "standard deviation, share of white", 0.02, 0.04, 0.07, 0.1, 0.15)
def _noise(faces: np.ndarray, amount: float, chance: Chance) -> np.ndarray:
    return faces + amount * chance.noise(faces.shape[1:])


@_register("rotation", "a turn to the left or to the right", "degrees", 8, 16, 24, 32, 40)
def _rotation(faces: np.ndarray, amount: float, chance: Chance) -> np.ndarray:
    from scipy.ndimage import rotate

    turned, signs = np.empty_like(faces), chance.signs()
    for sign in (-1, 1):
        turned[signs == sign] = rotate(
            faces[signs == sign], sign * amount, axes=(2, 1), reshape=False, order=1, mode="nearest"
        )
    return turned


@_register("occlusion", "a grey square over a part", "share of the area", 0.05, 0.1, 0.17, 0.26, 0.36)
def _occlusion(faces: np.ndarray, amount: float, chance: Chance) -> np.ndarray:
    side = faces.shape[1]
    length = round(side * amount**0.5)
    corners = np.round(chance.places() * (side - length))[..., None]  # (N, 2, 1)
    inside = (np.arange(side) >= corners) & (np.arange(side) < corners + length)  # (N, 2, side): rows, columns
    hole = inside[:, 0, :, None] & inside[:, 1, None, :]
    spoilt: np.ndarray = np.where(hole, 0.5, faces)
    return spoilt


def robustness_table(
    classifier: Classifier, dataset: FaceDataset, *, seed: int = 0, progress: Progress = unshown
) -> pd.DataFrame:
    """Judges a dataset as it is and under every corruption at every strength.

    Args:
        classifier: whose accuracy it is.
        dataset: faces; those without a label that it knows are left out.
        seed: of what is random about the corruptions.
        progress: wraps the passes over the dataset as they go by.

    Returns:
        Columns corruption (`clean` for the faces as they are), strength (0 to 5), n, accuracy in [0, 1].

    Raises:
        DataError: there is no face with a known label.
    """
    faces = known_faces(dataset, classifier.labels)
    passes = [(CLEAN, 0), *((name, strength) for name in CORRUPTIONS for strength in STRENGTHS)]
    shown = progress(passes, len(passes), "corruptions")
    lines = [(*one, len(faces), _accuracy(classifier, faces, *one, seed)) for one in shown]
    return pd.DataFrame(lines, columns=["corruption", "strength", "n", "accuracy"])


def summarise(table: pd.DataFrame) -> dict[str, float]:
    """`robustness_table` -> {"clean": accuracy as it is, corruption: mean over strengths, "mean": over all of them}."""
    spoilt = table[table["corruption"] != CLEAN]
    by_name = spoilt.groupby("corruption")["accuracy"].mean()
    clean = float(table.loc[table["corruption"] == CLEAN, "accuracy"].iloc[0])
    means = {str(name): float(value) for name, value in by_name.items()}
    return {CLEAN: clean, **means, "mean": float(spoilt["accuracy"].mean())}


def some(dataset: FaceDataset, limit: int | None, seed: int = 0) -> FaceDataset:
    """At most `limit` faces, drawn without replacement, in their order; all of them where it is None."""
    if limit is not None and limit < 1:
        raise ConfigError(f"the limit ({limit}) must be at least 1 face")
    chosen = at_most(limit, np.arange(len(dataset)), seed)
    return dataset if len(chosen) == len(dataset) else dataset.select(chosen)


def _accuracy(classifier: Classifier, faces: FaceDataset, name: str, strength: int, seed: int) -> float:
    right = 0
    for start in range(0, len(faces), CHUNK):
        part = faces.select(np.arange(start, min(start + CHUNK, len(faces))))
        pixels = np.asarray(part.pixels)
        if name != CLEAN:
            pixels = CORRUPTIONS[name](pixels, strength, Chance(part.table["row"].to_numpy(), seed))
        right += int((classifier.predict_proba(pixels).argmax(1) == part.labels).sum())
    return right / len(faces)
