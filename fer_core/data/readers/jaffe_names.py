"""JAFFE: pictures named by person, expression and number, such as `KA.AN1.39.tiff`.

Lyons et al. 1998, https://doi.org/10.1109/AFGR.1998.670949. There are no splits: every face is put into PrivateTest.
The person's two letters are the `subject`.
"""

from __future__ import annotations

import re
from typing import Final

from fer_core.data.readers._base import READERS, Reader, ReadOptions, ReadResult
from fer_core.data.readers._decoding import photo_decoder
from fer_core.data.readers._label_maps import LABEL_MAPS
from fer_core.data.readers._names import parts_of
from fer_core.data.readers._pictures import Picture, picture_names, read_pictures
from fer_core.data.source import Source
from fer_core.errors import Rejection

NAME: Final = "jaffe_names"
_FACE = re.compile(r"([a-z]{2})[.\-_](an|di|fe|ha|ne|sa|su)\d?[.\-_]\d+\s*(?:\(\d+\))?\.\w+", re.IGNORECASE)


def _codes(name: str) -> tuple[str, str] | None:
    """The person's and the expression's two letters, or None where the name is no face of JAFFE."""
    match = _FACE.fullmatch(parts_of(name)[-1])
    return (match[1].upper(), match[2]) if match else None


def _fits(source: Source) -> bool:
    return any(_codes(name) for name in picture_names(source))


def _read(source: Source, options: ReadOptions) -> ReadResult:
    pictures, rejected = [], []
    for name in picture_names(source):
        if codes := _codes(name):
            person, expression = codes
            pictures.append(Picture(name, "PrivateTest", *LABEL_MAPS["jaffe"].label(expression), subject=person))
        else:
            rejected.append(Rejection(name, "the name says no expression; JAFFE's are like `KA.AN1.39.tiff`"))
    return read_pictures(source, pictures, rejected, NAME, options.progress, decode=photo_decoder(options.frame))


READERS.add(NAME, Reader(NAME, "picture names `KA.AN1.39.tiff`", 64, _fits, _read))
