"""The face table and the pixel array that every stage hands on.

The table is a pandas DataFrame with one row per face, in the order of the pixel array:

| column | type | meaning |
| --- | --- | --- |
| row | int64 | 0-based number of the row in its source; unique |
| split | str | Training, PublicTest or PrivateTest |
| label | int64 | index into `labels.EMOTIONS` (7: contempt), -1 where the source has none |
| source_label | str | the dataset's own name of a label that is no emotion here, else ""; only where there are any |
| centre_of | str | "640x490", a larger picture's size, where its centre square was taken, else ""; only where any |
| subject | str | who is shown, a person or a cartoon's character, else ""; only where the source says it |
| votes_* | int64 | FER+'s ten vote counts (`labels.VOTE_COLUMNS`); only where FER+ was joined |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from fer_core.config import SIDE
from fer_core.errors import DataError
from fer_core.labels import FERPLUS_EMOTIONS, SPLITS, UNLABELLED, VOTE_COLUMNS, labels_for

REQUIRED_COLUMNS = ("row", "split", "label")


@dataclass(frozen=True)
class FaceDataset:
    """Faces, what is known of each, and where they came from.

    Attributes:
        table: the face table (see the module's docstring).
        pixels: uint8 (N, 48, 48); row i belongs to table row i; memory-mapped when read back.
        source_format: name of the reader that produced it, such as `kaggle_csv`.
        fingerprint: SHA-256 over pixels, labels and splits; the same data has the same one.
    """

    table: pd.DataFrame
    pixels: np.ndarray
    source_format: str = "memory"
    fingerprint: str = field(default="", compare=False)

    def __len__(self) -> int:
        return len(self.table)

    @property
    def has_votes(self) -> bool:
        """Whether FER+ votes were joined."""
        return VOTE_COLUMNS[0] in self.table.columns

    @property
    def labels(self) -> np.ndarray:
        """int64 (N,)."""
        return self.table["label"].to_numpy()

    @property
    def class_names(self) -> tuple[str, ...]:
        """The seven emotions, or eight where a label is contempt."""
        return labels_for(8 if (self.labels == 7).any() else 7)

    def select(self, mask: np.ndarray) -> FaceDataset:
        """The rows where `mask` (bool, (N,)) holds, or the rows of an index array, as a dataset of their own."""
        table = self.table.loc[mask] if mask.dtype == bool else self.table.iloc[mask]
        return replace(self, table=table.reset_index(drop=True), pixels=self.pixels[mask])

    def known_to(self, labels: Sequence[str]) -> FaceDataset:
        """The faces whose label is one of a model's classes."""
        return self.select((self.labels >= 0) & (self.labels < len(labels)))

    def split(self, name: str) -> FaceDataset:
        """The faces of one split; raises DataError where it has none."""
        if name not in SPLITS:
            raise DataError(f"no split {name!r}; there are {', '.join(SPLITS)}")
        part = self.select((self.table["split"] == name).to_numpy())
        if not len(part):
            others = " and ".join(split for split in SPLITS if (self.table["split"] == split).any()) or "no split"
            raise DataError(f"the dataset has no face in {name}, only in {others}")
        return part


def source_labels(table: pd.DataFrame) -> dict[str, int]:
    """{the source's name of a label that is no emotion of the project: faces with it}, the commonest first."""
    if "source_label" not in table.columns:
        return {}
    words = table.loc[table["source_label"] != "", "source_label"]
    return {str(word): int(faces) for word, faces in words.value_counts().items()}


def centre_squares(table: pd.DataFrame) -> dict[str, int]:
    """{size of pictures ("640x490") that went in as their centre square, unframed: faces}, the commonest first."""
    if "centre_of" not in table.columns:
        return {}
    sizes = table.loc[table["centre_of"] != "", "centre_of"]
    return {str(size): int(faces) for size, faces in sizes.value_counts().items()}


def check(dataset: FaceDataset) -> FaceDataset:
    """Returns the dataset if table and pixels keep the schema, and raises DataError at the first point where not."""
    table, pixels = dataset.table, dataset.pixels
    missing = [column for column in REQUIRED_COLUMNS if column not in table.columns]
    if missing:
        raise DataError(f"the face table has no column {', '.join(missing)}")
    if pixels.dtype != np.uint8 or pixels.shape != (len(table), SIDE, SIDE):
        raise DataError(f"pixels must be uint8 ({len(table)}, {SIDE}, {SIDE}), not {pixels.dtype} {pixels.shape}")
    if not table["row"].is_unique:
        raise DataError("the face table names a row twice")
    if not table["split"].isin(SPLITS).all():
        raise DataError(f"the face table has a split other than {', '.join(SPLITS)}")
    if not table["label"].between(UNLABELLED, len(FERPLUS_EMOTIONS) - 1).all():
        raise DataError("the face table has a label outside -1..7")
    return dataset


def counts(table: pd.DataFrame) -> dict[str, dict[str, int]]:
    """{split: {emotion: faces}} over the splits that have rows; an `unlabelled` key only where there are such rows."""
    result: dict[str, dict[str, int]] = {}
    names = labels_for(8 if (table["label"] == 7).any() else 7)
    for split in SPLITS:
        labels = table.loc[table["split"] == split, "label"]
        if labels.empty:
            continue
        result[split] = {name: int((labels == index).sum()) for index, name in enumerate(names)}
        if unlabelled := int((labels == UNLABELLED).sum()):
            result[split]["unlabelled"] = unlabelled
    return result
