"""FERG, cartoon faces in folders by character and emotion: `aia/aia_anger/aia_anger_1.png`.

Aneja et al. 2016, https://grail.cs.washington.edu/projects/deepexpr/. There are no splits: every face is put into
PrivateTest. The character is the `subject`.
"""

from __future__ import annotations

from typing import Final

from fer_core.data.readers._base import READERS, Reader, ReadOptions, ReadResult
from fer_core.data.readers._decoding import photo_decoder
from fer_core.data.readers._label_maps import WORDS
from fer_core.data.readers._names import parts_of
from fer_core.data.readers._pictures import Picture, picture_names, read_pictures
from fer_core.data.source import Source
from fer_core.errors import Rejection

NAME: Final = "ferg_folders"


def _place(name: str) -> tuple[str, str] | None:
    """("aia", "anger") of `aia/aia_anger/x.png`; None where the folder does not begin with the one above it."""
    parts = parts_of(name)
    if len(parts) < 3:
        return None
    character, folder = parts[-3].lower(), parts[-2].lower()
    return (character, folder.removeprefix(f"{character}_")) if folder.startswith(f"{character}_") else None


def _fits(source: Source) -> bool:
    words = {place[1] for name in picture_names(source) if (place := _place(name))}
    return any(word in WORDS for word in words)


def _read(source: Source, options: ReadOptions) -> ReadResult:
    pictures, rejected = [], []
    for name in picture_names(source):
        character, word = _place(name) or ("", None)
        if word is None or word not in WORDS:
            rejected.append(Rejection(name, _problem(parts_of(name), word)))
        else:
            pictures.append(Picture(name, "PrivateTest", *WORDS.label(word), subject=character))
    return read_pictures(source, pictures, rejected, NAME, options.progress, decode=photo_decoder(options.frame))


def _problem(parts: tuple[str, ...], word: str | None) -> str:
    if word is None:
        return "it is in no folder like `aia/aia_anger`"
    near = WORDS.closest(word)
    return f"the folder {parts[-2]!r} names no emotion" + (f"; closest: {near!r}" if near else "")


READERS.add(NAME, Reader(NAME, "folders `aia/aia_anger/aia_anger_1.png` (FERG)", 66, _fits, _read))
