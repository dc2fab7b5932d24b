"""AffectNet as its makers give it: `train_set/images/0.jpg` with `train_set/annotations/0_exp.npy`, and `val_set`.

Mollahosseini et al. 2017, https://arxiv.org/abs/1708.03985. The number of the expression is a NumPy array of one string
or whole number; valence, arousal and landmarks beside it are not read. Nothing is unpickled. `val_set` alone may be
named as the source, too.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Final

import numpy as np

from fer_core.data.readers._base import READERS, Reader, ReadOptions, ReadResult
from fer_core.data.readers._decoding import photo_decoder
from fer_core.data.readers._label_maps import LABEL_MAPS
from fer_core.data.readers._names import parts_of, split_of_part
from fer_core.data.readers._pictures import Picture, picture_names, read_pictures
from fer_core.data.source import Source
from fer_core.errors import Rejection

NAME: Final = "affectnet_annotations"
ENDING: Final = "_exp.npy"
LABELS: Final = LABEL_MAPS["affectnet"]

Key = tuple[tuple[str, ...], str]


def _annotations(source: Source) -> dict[Key, str]:
    """{(folders of the part, number of the face): member}."""
    names = (name for name in source.members if name.lower().endswith(ENDING))
    return {_key(name, parts_of(name)[-1][: -len(ENDING)]): name for name in names}


def _key(name: str, stem: str) -> Key:
    return tuple(part.lower() for part in parts_of(name)[:-2]), stem.lower()


def _read(source: Source, options: ReadOptions) -> ReadResult:
    members = _annotations(source)
    words = dict(source.pictures(list(members.values())))
    pictures, rejected = [], []
    for name in picture_names(source):
        try:
            pictures.append(_picture(name, members, words, source.root))
        except ValueError as error:
            rejected.append(Rejection(name, str(error)))
    return read_pictures(source, pictures, rejected, NAME, options.progress, decode=photo_decoder(options.frame))


def _picture(name: str, members: Mapping[Key, str], words: Mapping[str, bytes], root: str) -> Picture:
    """A picture with its annotation; raises ValueError where one of its label and split is not to be had."""
    folders, stem = _key(name, parts_of(name)[-1].rsplit(".", 1)[0])
    split = next((split for folder in (*reversed(folders), root) if (split := split_of_part(folder))), None)
    if split is None:
        raise ValueError("it is neither in train_set nor in val_set")
    if (folders, stem) not in members:
        raise ValueError(f"there is no annotation {stem}{ENDING} for it")
    word = _word(words[members[folders, stem]])
    if word not in LABELS:
        raise ValueError(f"its annotation {stem}{ENDING} gives the unknown expression {word[:20]!r}")
    return Picture(name, split, *LABELS.label(word))


def _word(content: bytes) -> str:
    """The one value of a NumPy file."""
    try:
        return str(np.load(io.BytesIO(content), allow_pickle=False).item())
    except (ValueError, EOFError, OSError) as error:
        raise ValueError("its annotation is no NumPy file with one value; get it again") from error


READERS.add(
    NAME,
    Reader(
        NAME,
        "`train_set/images/0.jpg` with `annotations/0_exp.npy` (AffectNet)",
        60,
        lambda source: bool(_annotations(source)),
        _read,
    ),
)
