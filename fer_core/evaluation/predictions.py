"""The predictions table: one row per judged face, without its pixels.

| column | type | meaning |
| --- | --- | --- |
| row | int64 | number of the row in the dataset's source |
| split | str | PublicTest or PrivateTest (Training where asked for) |
| label | int64 | true class id |
| p_angry ... | float32 | probability of each class, in the order of the labels |
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd

from fer_core.artifacts import PREDICTIONS
from fer_core.classifiers.base import Classifier
from fer_core.data.progress import Progress, unshown
from fer_core.data.table import FaceDataset
from fer_core.errors import CheckpointError, DataError
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
    known = (dataset.labels >= 0) & (dataset.labels < len(classifier.labels))
    if not known.any():
        raise DataError("there is no face with a label that this model knows, so there is nothing to evaluate")
    dataset = dataset.select(known)
    judge = judge or classifier.predict_proba
    chunks = [slice(start, start + CHUNK) for start in range(0, len(dataset), CHUNK)]
    shown = progress(chunks, len(chunks), "answers")
    probabilities = np.concatenate([judge(np.asarray(dataset.pixels[chunk])) for chunk in shown])
    table = dataset.table[["row", "split", "label"]].copy()
    for index, name in enumerate(classifier.labels):
        table[f"p_{name}"] = probabilities[:, index].astype(np.float32)
    return table


def probabilities_of(table: pd.DataFrame, labels: tuple[str, ...]) -> np.ndarray:
    """float32 (N, C) of a predictions table."""
    return table[[f"p_{name}" for name in labels]].to_numpy(np.float32)


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
    classes = [name for name in table.columns if name.startswith("p_")]
    if missing := [name for name in ("row", "split", "label") if name not in table.columns]:
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
