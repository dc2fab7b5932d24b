"""From a checkpoint's predictions (row, split, label, p_angry .. p_neutral) to the tables that pages show."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fer_core.data.predictions import classes_of, probability_columns
from fer_core.metrics import reliability_bins


def answers(predictions: pd.DataFrame) -> pd.DataFrame:
    """One line per image in words.

    Returns:
        columns row, split, true, predicted (emotions), confidence (of the predicted one), doubt (probability of the
        predicted emotion minus that of the true one, 0 to 1: 0 where the model agrees), and p_*.
    """
    columns, names = probability_columns(predictions), np.array(classes_of(predictions), dtype=object)
    scores = predictions[columns].to_numpy(float)
    labels = predictions["label"].to_numpy()
    confidence = scores.max(axis=1) if len(scores) else np.zeros(0)
    own = scores[np.arange(len(scores)), labels]
    words = pd.DataFrame(
        {
            "row": predictions["row"].to_numpy(),
            "split": predictions["split"].to_numpy(),
            "true": names[labels],
            "predicted": names[scores.argmax(axis=1)] if len(scores) else names[:0],
            "confidence": confidence,
            "doubt": confidence - own,
        }
    )
    return pd.concat([words, predictions[columns].reset_index(drop=True)], axis=1)


def cell(table: pd.DataFrame, true: str | None, predicted: str | None) -> pd.DataFrame:
    """The images of one cell of the confusion matrix (None: any), most confident first."""
    mask = np.ones(len(table), bool)
    if true is not None:
        mask &= (table["true"] == true).to_numpy()
    if predicted is not None:
        mask &= (table["predicted"] == predicted).to_numpy()
    return table[mask].sort_values("confidence", ascending=False, kind="stable").reset_index(drop=True)


def most_doubted(table: pd.DataFrame) -> pd.DataFrame:
    """The images whose label the model contradicts, most firmly first."""
    wrong = table[table["true"] != table["predicted"]]
    return wrong.sort_values("doubt", ascending=False, kind="stable").reset_index(drop=True)


def per_class_table(per_class: dict[str, dict[str, float]]) -> pd.DataFrame:
    """`{emotion: {precision, recall, f1, support}}` of a report -> a table with one line per emotion."""
    table = pd.DataFrame.from_dict(per_class, orient="index")[["precision", "recall", "f1", "support"]]
    return table.rename_axis("emotion").reset_index().astype({"support": int})


def reliability(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy within the equal-width bins of confidence that the expected calibration error is computed over.

    Args:
        table: from `answers`.

    Returns:
        columns lower, upper (edges), confidence (mean), accuracy (both 0 to 1), images; only bins with images.
    """
    names = classes_of(table)
    true = table["true"].map({name: index for index, name in enumerate(names)}).to_numpy()
    bins = pd.DataFrame(reliability_bins(true, table[probability_columns(table)].to_numpy(float)))
    width = 1 / len(bins)
    bins.insert(0, "lower", bins.index * width)
    bins.insert(1, "upper", (bins.index + 1) * width)
    bins = bins.rename(columns={"count": "images"})
    return bins[bins["images"] > 0].reset_index(drop=True)
