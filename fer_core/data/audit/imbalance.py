"""How evenly the emotions are spread."""

from __future__ import annotations

import pandas as pd

from fer_core.data.table import counts


def class_balance(table: pd.DataFrame) -> pd.DataFrame:
    """One row per split and emotion of a face table: split, emotion, faces, share of the split in [0, 1]."""
    rows = [
        {"split": split, "emotion": emotion, "faces": faces, "share": faces / max(1, sum(emotions.values()))}
        for split, emotions in counts(table).items()
        for emotion, faces in emotions.items()
    ]
    return pd.DataFrame(rows, columns=["split", "emotion", "faces", "share"])


def imbalance_ratios(table: pd.DataFrame) -> dict[str, float]:
    """{split: faces of the commonest emotion per face of the rarest one that occurs}; 1 is even."""
    ratios = {}
    for split, emotions in counts(table).items():
        present = [faces for emotion, faces in emotions.items() if faces and emotion != "unlabelled"]
        if present:
            ratios[split] = round(max(present) / min(present), 2)
    return ratios
