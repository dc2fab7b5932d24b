"""Faces as picture files: which file is which face, and its pixels."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

import numpy as np

from fer_core.data.readers._base import Progress, ReadResult, face_table
from fer_core.data.readers._names import EMOTION_ALIASES, closest, label_of_word, number_in, split_of_part
from fer_core.data.source import Source
from fer_core.data.table import SIDE, FaceDataset
from fer_core.errors import FormatError, Rejection

_MODES: Final = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV", "LAB")


@dataclass(frozen=True)
class Picture:
    """One file and what its place says of it.

    Attributes:
        name: the member of the source.
        split: the split.
        label: index of the emotion, or -1.
    """

    name: str
    split: str
    label: int


@dataclass(frozen=True)
class Place:
    """A member as `.../part/emotion/file`."""

    name: str
    part: str
    emotion: str
    file: str


def places(source: Source) -> Iterator[Place]:
    """The members whose grandparent folder is a split's (`train`, `test`, `validation`, ...)."""
    for name in source.members:
        parts = PurePosixPath(name).parts
        if len(parts) >= 3 and split_of_part(parts[-3]):
            yield Place(name, parts[-3], parts[-2], parts[-1])


def sort_out(found: Sequence[tuple[Place, str]]) -> tuple[list[Picture], list[Rejection]]:
    """Places and their splits -> pictures to read, and those in a folder that is no emotion."""
    pictures, rejected = [], []
    for place, split in found:
        label = label_of_word(place.emotion)
        if label is None:
            rejected.append(Rejection(place.name, _no_emotion(place.emotion)))
        else:
            pictures.append(Picture(place.name, split, label))
    return pictures, rejected


def read_pictures(
    source: Source,
    pictures: Sequence[Picture],
    rejected: Sequence[Rejection],
    source_format: str,
    progress: Progress | None,
    more: Callable[[Sequence[str]], dict[str, np.ndarray]] = lambda names: {},
) -> ReadResult:
    """Reads the pictures in the order of the numbers in their names, or as they come where those are not unique.

    Args:
        source: where they are.
        pictures: what to read.
        rejected: what was found broken before.
        source_format: name of the form.
        progress: hears how many are read.
        more: names of the good pictures, in order -> further columns of the table.

    Raises:
        FormatError: there is no picture.
    """
    if not pictures and not rejected:
        raise FormatError(f"{source.label} holds no pictures; get it again")
    rows = row_numbers([picture.name for picture in pictures])
    order = np.argsort(rows, kind="stable")
    ordered, rows = [pictures[index] for index in order], rows[order]
    pixels, broken = _load(source, [picture.name for picture in ordered], progress)
    good = np.array([picture.name not in broken for picture in ordered], bool)
    kept = [picture for picture, fine in zip(ordered, good, strict=True) if fine]
    table = face_table(rows[good], [picture.split for picture in kept], np.array([p.label for p in kept], np.int64))
    reasons = [*rejected, *(Rejection(p.name, broken[p.name]) for p in ordered if p.name in broken)]
    table = table.assign(**more([picture.name for picture in kept]))
    dataset = FaceDataset(table, pixels if good.all() else pixels[good], source_format)
    return ReadResult(dataset, tuple(reasons), len(pictures) + len(rejected))


def row_numbers(names: Sequence[str]) -> np.ndarray:
    """int64 (N,): the number in each name where all have one and no two the same, else 0..N-1."""
    numbers = [number_in(name) for name in names]
    found = [number for number in numbers if number is not None]
    unique = len(found) == len(names) == len(set(found))
    return np.array(found if unique else range(len(names)), np.int64)


def decode(content: bytes) -> np.ndarray:
    """A picture file -> uint8 (48, 48), colours made grey.

    Raises:
        ValueError: it is no picture of that size; the message says what it is.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of huge pictures, which are refused below
            with Image.open(io.BytesIO(content)) as image:
                _require_face(image.size, image.mode)
                return np.asarray(image.convert("L"), np.uint8)
    except ValueError:
        raise
    except Exception as error:  # Pillow's decoders raise nearly anything on broken files
        raise ValueError("not an image, or a damaged one" if content else "an empty file") from error


def _require_face(size: tuple[int, int], mode: str) -> None:
    if size != (SIDE, SIDE):
        raise ValueError(f"the picture is {size[0]}x{size[1]} pixels, not {SIDE}x{SIDE}")
    if mode not in _MODES:
        raise ValueError(f"the picture's pixels are of a kind ({mode}) other than 8 bits")


def _load(source: Source, names: Sequence[str], progress: Progress | None) -> tuple[np.ndarray, dict[str, str]]:
    """uint8 (N, 48, 48) in the order of `names`, and why a name has none."""
    places_in = {name: index for index, name in enumerate(names)}
    pixels = np.zeros((len(names), SIDE, SIDE), np.uint8)
    broken = {}
    for done, (name, content) in enumerate(source.pictures(names), 1):
        try:
            pixels[places_in[name]] = decode(content)
        except ValueError as error:
            broken[name] = str(error)
        if progress and (done % 64 == 0 or done == len(names)):
            progress(done, len(names))
    return pixels, broken


def _no_emotion(folder: str) -> str:
    words = [word for words in EMOTION_ALIASES.values() for word in words.split()]
    near = closest(folder, words)
    return f"the folder {folder!r} is no emotion" + (f"; closest: {near!r}" if near else "")
