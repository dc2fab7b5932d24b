"""What a reader is, and the registry of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from fer_core.data.readers._label_maps import LabelMap
from fer_core.data.source import Source
from fer_core.data.table import FaceDataset
from fer_core.errors import Rejection
from fer_core.registry import Registry

if TYPE_CHECKING:
    from PIL.Image import Image

Progress = Callable[[int, int], None]
"""Called now and then with (steps done, steps in all); a step is a byte or a picture."""

Frame = Callable[["Image"], "np.ndarray | None"]
"""A grey picture of any size -> its face as uint8 (48, 48), or None where it shows none."""


@dataclass(frozen=True)
class ReadOptions:
    """What a caller may choose; the forms of FER2013 need none of it.

    Attributes:
        label_map: what the folders of pictures mean, for datasets in no form of their own.
        first_neutral: take the first frames of CK+'s sequences as neutral faces, besides the labelled last ones.
        frame: cuts the face out of larger pictures; by default their centre square is taken for it.
        progress: hears how far the reading has come.
    """

    label_map: LabelMap | None = None
    first_neutral: bool = False
    frame: Frame | None = None
    progress: Progress | None = None

    @property
    def key(self) -> str:
        """The same for options that read the same faces; empty for the defaults."""
        named = self.label_map.key if self.label_map else ""
        flags = [name for name, on in (("neutral", self.first_neutral), ("framed", self.frame)) if on]
        return " ".join(filter(None, [named, *flags]))


@dataclass(frozen=True)
class ReadResult:
    """The good rows of a source, and the broken ones by name.

    Attributes:
        dataset: every row that is right.
        rejected: every row that is not, and why.
        total: the rows of the source, good and broken.
        unnumbered: a picture without a number of its own in its name, so that rows were counted instead; "" where
            every one has its own.
    """

    dataset: FaceDataset
    rejected: tuple[Rejection, ...]
    total: int
    unnumbered: str = ""


@dataclass(frozen=True)
class Reader:
    """One raw form.

    Attributes:
        name: public name, kept as the dataset's `source_format`.
        looks_like: what tells the form, for people: its header or its layout.
        rank: where a source fits several forms, the lowest rank reads it.
        fits: whether a source is in this form.
        read: reads a source that fits.
        numbered: how its row numbers relate to `fer2013.csv`, for joining FER+ votes: "order" (row i is row i),
            "name" (picture names carry row numbers) or "none".
    """

    name: str
    looks_like: str
    rank: int
    fits: Callable[[Source], bool]
    read: Callable[[Source, ReadOptions], ReadResult]
    numbered: str = "none"


READERS: Registry[Reader] = Registry("raw form", package="fer_core.data.readers")


def face_table(row: np.ndarray, split: list[str], label: np.ndarray) -> pd.DataFrame:
    """The three columns that every face table has."""
    return pd.DataFrame(
        {
            "row": np.asarray(row, np.int64),
            "split": pd.Series(split, dtype="str"),
            "label": np.asarray(label, np.int64),
        }
    )
