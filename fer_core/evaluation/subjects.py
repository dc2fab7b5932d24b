"""Accuracy by who is shown: the characters of FERG, the people of JAFFE and CK+."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fer_core.data.predictions import probabilities_of
from fer_core.data.table import FaceDataset


@dataclass(frozen=True)
class SubjectScore:
    """How many faces of one subject were judged, and the share of right answers in [0, 1]."""

    faces: int
    accuracy: float


def by_subject(predictions: pd.DataFrame, labels: tuple[str, ...], dataset: FaceDataset) -> dict[str, SubjectScore]:
    """{subject: its score}, by name; empty where the dataset names no subject.

    Args:
        predictions: a predictions table of faces of the dataset.
        labels: the model's classes.
        dataset: where `subject` comes from, by row.
    """
    if "subject" not in dataset.table:
        return {}
    of_row = dataset.table.drop_duplicates("row").set_index("row")["subject"]
    names = of_row.reindex(predictions["row"]).to_numpy()
    right = probabilities_of(predictions, labels).argmax(1) == predictions["label"].to_numpy()
    groups = pd.Series(right).groupby(np.asarray(names, object))
    return {str(name): SubjectScore(len(answers), float(answers.mean())) for name, answers in groups if name}
