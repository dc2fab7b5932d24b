"""How evenly the emotions are spread."""

from __future__ import annotations

import pandas as pd

from fer_core.data.table import counts

UNKNOWN = "unlabelled"
"""Column of the faces without a label."""


def class_counts(table: pd.DataFrame) -> pd.DataFrame:
    """Faces of a face table per split (index, in the usual order) and emotion (columns).

    There is a last column `unlabelled` where a face has no label.
    """
    found = pd.DataFrame.from_dict(counts(table), orient="index").fillna(0).astype(int)
    return found.rename_axis(index="split", columns="emotion")


def class_balance(table: pd.DataFrame) -> pd.DataFrame:
    """One row per split and emotion of a face table: split, emotion, faces, share of the split in [0, 1]."""
    rows = [
        {"split": split, "emotion": emotion, "faces": faces, "share": faces / max(1, sum(emotions.values()))}
        for split, emotions in counts(table).items()
        for emotion, faces in emotions.items()
    ]
    return pd.DataFrame(rows, columns=["split", "emotion", "faces", "share"])


def imbalance_ratios(counts: pd.DataFrame) -> pd.Series:
    """Per split of `class_counts`: faces of the commonest emotion for one of the rarest that occurs.

    1 is even; NaN where no face of the split has a label.
    """
    known = counts.drop(columns=UNKNOWN, errors="ignore")
    return known.max(axis=1) / known.where(known > 0).min(axis=1)
