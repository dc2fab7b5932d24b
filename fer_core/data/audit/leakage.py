"""Test faces that were trained on."""

from __future__ import annotations

import numpy as np

from fer_core.data.audit.duplicates import exact_groups, pixel_hashes
from fer_core.data.table import FaceDataset

TESTS = ("PublicTest", "PrivateTest")


def twins_in_training(dataset: FaceDataset) -> np.ndarray:
    """bool (N,): faces outside Training whose pixels are, byte for byte, those of a training face."""
    return in_training(exact_groups(pixel_hashes(dataset.pixels)), dataset.table["split"].to_numpy())


def in_training(groups: np.ndarray, split: np.ndarray) -> np.ndarray:
    """bool (N,): faces outside Training whose group (-1: none) has a member in Training."""
    trained = np.unique(groups[(split == "Training") & (groups >= 0)])
    return (split != "Training") & np.isin(groups, trained)


def leakage(groups: np.ndarray, split: np.ndarray) -> dict[str, int]:
    """{test split: its faces with a group member in Training}."""
    leaked = in_training(groups, split)
    return {name: int((leaked & (split == name)).sum()) for name in TESTS}
