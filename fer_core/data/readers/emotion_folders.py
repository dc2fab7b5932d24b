"""Pictures of any size in folders by emotion: `anger/S010_004.png`, `train/happy/image1.jpg`, any words for emotions.

CK+ cut to 48x48 and AffectNet with named folders come like this. A folder `train`, `val` or `test` above says the
split; faces without one are put into PrivateTest. Folders by split whose pictures are 48x48 are `row_folders`.
"""

from __future__ import annotations

from typing import Final

from fer_core.data.readers._base import READERS, Reader, ReadOptions, ReadResult
from fer_core.data.readers._decoding import photo_decoder, picture_size
from fer_core.data.readers._label_maps import WORDS, LabelMap
from fer_core.data.readers._names import parts_of, split_of_part
from fer_core.data.readers._pictures import Picture, picture_names, read_pictures
from fer_core.data.source import Source
from fer_core.data.table import SIDE
from fer_core.errors import Rejection
from fer_core.labels import UNLABELLED

NAME: Final = "emotion_folders"
_TRIED: Final = 5


def _fits(source: Source) -> bool:
    named = [name for name in picture_names(source) if _is_emotion(name)]
    return bool(named) and (not any(_has_split(name) for name in named) or _is_larger(source, named[:_TRIED]))


def _is_emotion(name: str) -> bool:
    folders = parts_of(name)[-2:-1]
    return any(folder in WORDS and WORDS.label(folder)[0] != UNLABELLED for folder in folders)


def _has_split(name: str) -> bool:
    return any(split_of_part(folder) for folder in parts_of(name)[-3:-2])


def _is_larger(source: Source, names: list[str]) -> bool:
    """Whether the first picture that can be read has another size than FER2013's."""
    sizes = (picture_size(content) for _, content in source.pictures(names))
    return next((size != (SIDE, SIDE) for size in sizes if size), False)


def _read(source: Source, options: ReadOptions) -> ReadResult:
    return read_folders(source, options, WORDS, NAME)


def read_folders(source: Source, options: ReadOptions, labels: LabelMap, form: str) -> ReadResult:
    """Reads pictures by the nearest folder above them that a label map knows."""
    pictures, rejected = [], []
    for name in picture_names(source):
        folders = parts_of(name)[:-1]
        word = next((folder for folder in reversed(folders) if folder in labels), None)
        if word is None:
            rejected.append(Rejection(name, _unknown(folders, labels)))
        else:
            pictures.append(Picture(name, _split(folders), *labels.label(word)))
    return read_pictures(source, pictures, rejected, form, options.progress, decode=photo_decoder(options.frame))


def _split(folders: tuple[str, ...]) -> str:
    """The split that the nearest folder names, PrivateTest where none does."""
    return next((split for folder in reversed(folders) if (split := split_of_part(folder))), "PrivateTest")


def _unknown(folders: tuple[str, ...], labels: LabelMap) -> str:
    if not folders:
        return "it is in no folder"
    near = labels.closest(folders[-1])
    return f"the folder {folders[-1]!r} is not among {labels.title}" + (f"; closest: {near!r}" if near else "")


READERS.add(NAME, Reader(NAME, "folders `anger/x.png` or `train/anger/x.jpg`, any size", 75, _fits, _read))
