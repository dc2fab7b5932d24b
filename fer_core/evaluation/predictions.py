"""From a classifier and faces to a predictions table (see `fer_core/data/predictions.py`), and to disk and back."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd

from fer_core.artifacts import PREDICTIONS
from fer_core.classifiers.base import Classifier
from fer_core.data.predictions import KEYS, predictions_table, probability_columns
from fer_core.data.progress import Progress, unshown
from fer_core.data.table import FaceDataset
from fer_core.errors import CheckpointError
from fer_core.evaluation.labels import known_faces
from fer_core.files import replacing

CHUNK = 256


class Judge(Protocol):
    """uint8 (N, 48, 48) -> float32 (N, C)."""

    def __call__(self, faces: np.ndarray) -> np.ndarray: ...


def predict_dataset(
    classifier: Classifier, dataset: FaceDataset, *, judge: Judge | None = None, progress: Progress = unshown
) -> pd.DataFrame:
    """Judges every labelled face of a dataset.

    Args:
        classifier: names the classes.
        dataset: faces; those without a label, or with one that the classifier does not know, are left out.
        judge: another way to ask the classifier, such as ten-crop; its `predict_proba` by default.
        progress: wraps the chunks as they pass.
    """
    dataset = known_faces(dataset, classifier.labels)
    answers = answers_to(dataset, judge or classifier.predict_proba, progress)
    return predictions_table(dataset.table, classifier.labels, answers)


def answers_to(dataset: FaceDataset, judge: Judge, progress: Progress = unshown) -> np.ndarray:
    """float32 (N, C): what is said of every face, asked chunk by chunk."""
    chunks = [slice(start, start + CHUNK) for start in range(0, len(dataset), CHUNK)]
    shown = progress(chunks, len(chunks), "answers")
    return np.concatenate([judge(np.asarray(dataset.pixels[chunk])) for chunk in shown])


def save_predictions(folder: Path, table: pd.DataFrame) -> None:
    """Writes a checkpoint's predictions in one step."""
    with replacing(folder / PREDICTIONS) as temporary:
        table.to_parquet(temporary, index=False, compression="zstd")


def load_predictions(folder: Path) -> pd.DataFrame:
    """Reads a checkpoint's predictions; raises CheckpointError where it has none."""
    file = folder / PREDICTIONS
    if not file.is_file():
        raise CheckpointError(
            f"{folder.name} carries no predictions; make them with `python -m scripts.evaluate {folder} --data DIR "
            "--record`"
        )
    try:
        return _checked(pd.read_parquet(file))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{file} cannot be read ({error}); restore it or evaluate again") from error


def _checked(table: pd.DataFrame) -> pd.DataFrame:
    """The table; raises ValueError where it is none of predictions."""
    classes = probability_columns(table)
    if missing := [name for name in KEYS if name not in table.columns]:
        raise ValueError(f"it has no column {missing[0]}")
    if not classes:
        raise ValueError("it has no probabilities, columns p_angry and so on")
    if not all(pd.api.types.is_integer_dtype(table[name]) for name in ("row", "label")):
        raise ValueError("row and label are no whole numbers")
    if not table["label"].between(0, len(classes) - 1).all():
        raise ValueError(f"it has labels that are none of its {len(classes)} classes")
    if not np.isfinite(table[classes].to_numpy(np.float64)).all():
        raise ValueError("it has probabilities that are no numbers")
    return table
