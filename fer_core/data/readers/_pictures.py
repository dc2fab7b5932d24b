"""Faces as picture files: which file is which face, and its pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from fer_core.data.readers._base import Progress, ReadResult, face_table
from fer_core.data.readers._decoding import Decoder, decode_face
from fer_core.data.readers._names import EMOTION_ALIASES, closest, label_of_word, number_in, parts_of, split_of_part
from fer_core.data.source import Source
from fer_core.data.table import SIDE, FaceDataset
from fer_core.errors import FormatError, Rejection
from fer_core.labels import UNLABELLED

SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".tif", ".tiff", ".gif", ".webp", ".pgm", ".ppm"))
"""Endings of the picture files that datasets come in."""


@dataclass(frozen=True)
class Picture:
    """One file and what its place says of it.

    Attributes:
        name: the member of the source.
        split: the split.
        label: index of the emotion, or -1.
        word: the dataset's name of a label that is no emotion of the project.
        subject: who is shown, where the place says it.
        centre_of: the size of the picture of which the centre square was taken, where it was.
    """

    name: str
    split: str
    label: int
    word: str = ""
    subject: str = ""
    centre_of: str = ""


@dataclass(frozen=True)
class Place:
    """A member as `.../part/emotion/file`."""

    name: str
    part: str
    emotion: str
    file: str


def picture_names(source: Source) -> list[str]:
    """The members that are pictures by their ending."""
    return [name for name in source.members if name[name.rfind(".") :].lower() in SUFFIXES]


def places(source: Source) -> Iterator[Place]:
    """The members whose grandparent folder is a split's (`train`, `test`, `validation`, ...)."""
    for name in source.members:
        parts = parts_of(name)
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
    *,
    decode: Decoder = decode_face,
) -> ReadResult:
    """Reads the pictures in the order of the numbers in their names, or as they come where those are not unique.

    Args:
        source: where they are.
        pictures: what to read.
        rejected: what was found broken before.
        source_format: name of the form.
        progress: hears how many are read.
        more: names of the good pictures, in order -> further columns of the table.
        decode: how a file becomes a face.

    Raises:
        FormatError: there is no picture.
    """
    if not pictures and not rejected:
        raise FormatError(f"{source.label} holds no pictures; get it again")
    names = [picture.name for picture in pictures]
    rows = row_numbers(names)
    order = np.argsort(rows, kind="stable")
    ordered, rows = [pictures[index] for index in order], rows[order]
    loaded = _load(source, [picture.name for picture in ordered], decode, progress)
    good = np.array([picture.name not in loaded.broken for picture in ordered], bool)
    kept = [loaded.named(picture) for picture, fine in zip(ordered, good, strict=True) if fine]
    table = face_table(rows[good], [picture.split for picture in kept], np.array([p.label for p in kept], np.int64))
    reasons = [*rejected, *(Rejection(p.name, loaded.broken[p.name]) for p in ordered if p.name in loaded.broken)]
    table = table.assign(**_texts(kept), **more([picture.name for picture in kept]))
    dataset = FaceDataset(table, loaded.pixels if good.all() else loaded.pixels[good], source_format)
    return ReadResult(dataset, tuple(reasons), len(pictures) + len(rejected), unnumbered(names))


def row_numbers(names: Sequence[str]) -> np.ndarray:
    """int64 (N,): the number in each name where all have one and no two the same, else 0..N-1."""
    return np.array(range(len(names)) if unnumbered(names) else [number_in(name) for name in names], np.int64)


def unnumbered(names: Sequence[str]) -> str:
    """The first name that has no number, or one that a name before it has; "" where there is none."""
    seen: set[int | None] = {None}
    for name in names:
        number = number_in(name)
        if number in seen:
            return name
        seen.add(number)
    return ""


@dataclass(frozen=True)
class _Loaded:
    """uint8 (N, 48, 48), why a name has no pixels, under which name a face is left out, what was cut to its centre."""

    pixels: np.ndarray
    broken: dict[str, str]
    left_out: dict[str, str]
    centre_of: dict[str, str]

    def named(self, picture: Picture) -> Picture:
        """The picture, without its label where its file shows no face."""
        if size := self.centre_of.get(picture.name):
            return replace(picture, centre_of=size)
        word = self.left_out.get(picture.name)
        return replace(picture, label=UNLABELLED, word=word) if word else picture


def _load(source: Source, names: Sequence[str], decode: Decoder, progress: Progress | None) -> _Loaded:
    """Decodes the members `names`, in their order."""
    places_in = {name: index for index, name in enumerate(names)}
    loaded = _Loaded(np.zeros((len(names), SIDE, SIDE), np.uint8), {}, {}, {})
    for done, (name, content) in enumerate(source.pictures(names), 1):
        try:
            loaded.pixels[places_in[name]], word, size = decode(content)
            if word:
                loaded.left_out[name] = word
            if size:
                loaded.centre_of[name] = size
        except ValueError as error:
            loaded.broken[name] = str(error)
        if progress and (done % 64 == 0 or done == len(names)):
            progress(done, len(names))
    return loaded


def _texts(pictures: Sequence[Picture]) -> dict[str, pd.Series]:
    """The columns `source_label`, `subject` and `centre_of`, each where any picture has one."""
    texts = {
        "source_label": [picture.word for picture in pictures],
        "subject": [picture.subject for picture in pictures],
        "centre_of": [picture.centre_of for picture in pictures],
    }
    return {column: pd.Series(found, dtype="str") for column, found in texts.items() if any(found)}


def _no_emotion(folder: str) -> str:
    words = [word for words in EMOTION_ALIASES.values() for word in words.split()]
    near = closest(folder, words)
    return f"the folder {folder!r} is no emotion" + (f"; closest: {near!r}" if near else "")
