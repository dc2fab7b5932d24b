"""Test faces that were trained on."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fer_core.data.audit.duplicates import exact_groups, pixel_hashes
from fer_core.data.table import FaceDataset
from fer_core.labels import TESTS


def twins_in_training(dataset: FaceDataset) -> np.ndarray:
    """bool (N,): faces outside Training whose pixels are, byte for byte, those of a training face."""
    return in_training(exact_groups(pixel_hashes(dataset.pixels)), dataset.table["split"].to_numpy())


def in_training(groups: np.ndarray, split: np.ndarray) -> np.ndarray:
    """bool (N,): faces outside Training whose group (-1: none) has a member in Training."""
    trained = np.unique(groups[(split == "Training") & (groups >= 0)])
    return (split != "Training") & np.isin(groups, trained)


def leakage_by_split(rows: pd.DataFrame, twins: str = "twin_in_training") -> pd.DataFrame:
    """What each test split shares with Training.

    Args:
        rows: of an audit or a profile.
        twins: the column of who has a twin there; `near_twin_in_training` counts look-alikes, too.

    Returns:
        Index test split, also where the dataset has no face of it; columns images, twins, and share (0 to 1).
    """
    leaked = rows[twins].to_numpy(bool)
    images = {name: (rows["split"] == name).to_numpy() for name in TESTS}
    found = {name: {"images": int(mask.sum()), "twins": int((mask & leaked).sum())} for name, mask in images.items()}
    table = pd.DataFrame.from_dict(found, orient="index").rename_axis("split")
    return table.assign(share=table["twins"] / table["images"].clip(lower=1))


def leaked_rows(rows: pd.DataFrame) -> np.ndarray:
    """Row numbers of the faces outside Training that have a byte-identical twin in it."""
    return rows.loc[rows["twin_in_training"], "row"].to_numpy()
