"""Defects of a known number, planted in drawn faces."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pandas as pd
from PIL import Image

from fer_core.data.table import FaceDataset
from fer_core.labels import VOTE_COLUMNS


def places(dataset: FaceDataset, split: str, label: int | None = None) -> np.ndarray:
    """Positions of the faces of a split (and label)."""
    mask = (dataset.table["split"] == split).to_numpy()
    return np.flatnonzero(mask if label is None else mask & (dataset.labels == label))


def with_pixels(dataset: FaceDataset, changes: dict[int, np.ndarray]) -> FaceDataset:
    """A copy with other pixels at some positions."""
    pixels = np.array(dataset.pixels)
    for place, face in changes.items():
        pixels[place] = face
    return replace(dataset, pixels=pixels)


def copied(dataset: FaceDataset, pairs: list[tuple[int, int]]) -> FaceDataset:
    """A copy in which each (source, target) pair has the source's pixels."""
    return with_pixels(dataset, {target: dataset.pixels[source] for source, target in pairs})


def with_labels(dataset: FaceDataset, changes: dict[int, int]) -> FaceDataset:
    """A copy with other labels at some positions."""
    labels = np.array(dataset.labels)
    labels[list(changes)] = list(changes.values())
    return replace(dataset, table=dataset.table.assign(label=labels))


def without_votes(dataset: FaceDataset) -> FaceDataset:
    """A copy without FER+."""
    return replace(dataset, table=dataset.table.drop(columns=list(VOTE_COLUMNS)))


def dataset_of(pixels: np.ndarray, split: str = "Training", label: int = 0) -> FaceDataset:
    """Any faces as a dataset."""
    n = len(pixels)
    table = pd.DataFrame(
        {"row": np.arange(n), "split": pd.Series([split] * n, dtype="str"), "label": np.full(n, label)}
    )
    return FaceDataset(table, pixels)


def noisy(face: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.clip(face + rng.normal(0, 4, face.shape), 0, 255).astype(np.uint8)


def brighter(face: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.clip(face * 0.8 + 25, 0, 255).astype(np.uint8)


def recompressed(face: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(face).save(buffer, "JPEG", quality=60)
    return np.asarray(Image.open(buffer))


def shifted(face: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.pad(face, ((1, 0), (0, 1)), mode="edge")[:-1, 1:]


def mirrored(face: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return face[:, ::-1]


DISGUISES = (noisy, brighter, recompressed, shifted, mirrored)
