"""A picture file -> a face of 48x48 grey pixels, or one clause that says why not."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from fer_core.data.readers._base import Frame
from fer_core.data.table import SIDE

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS: Final = 50_000_000
"""Pixels of the largest photo that is decoded."""

NO_FACE: Final = "no face found"
"""Name under which photos are left out in which no face was found."""


class Decoded(NamedTuple):
    """What became of a picture file.

    Attributes:
        pixels: uint8 (48, 48).
        left_out: a name under which the face is left out, or "".
        centre_of: its size as "640x490" where the centre square was taken of a larger picture unasked, else "".
    """

    pixels: np.ndarray
    left_out: str = ""
    centre_of: str = ""


Decoder = Callable[[bytes], Decoded]
"""A file's content -> its face; ValueError: it is broken."""

_MODES: Final = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV", "LAB")


def decode_face(content: bytes) -> Decoded:
    """A picture of 48x48 pixels, colours made grey.

    Raises:
        ValueError: it is no picture of that size; the message says what it is.
    """
    with _opened(content) as image:
        if image.size != (SIDE, SIDE):
            raise ValueError(f"the picture is {image.size[0]}x{image.size[1]} pixels, not {SIDE}x{SIDE}")
        return Decoded(np.asarray(_grey(image), np.uint8))


def photo_decoder(frame: Frame | None) -> Decoder:
    """A decoder for pictures of any size: 48x48 as it is, of larger ones what `frame` cuts out, or the centre square.

    The square keeps a face's proportions, which squeezing the whole picture would not.
    """

    from PIL import ImageOps

    def decode(content: bytes) -> Decoded:
        with _opened(content) as image:
            if image.width * image.height > MOST_PIXELS:
                raise ValueError(f"the picture has {image.width}x{image.height} pixels, more than 50 million")
            grey = _grey(ImageOps.exif_transpose(image))
        if grey.size == (SIDE, SIDE):
            return Decoded(np.asarray(grey, np.uint8))
        if frame is None:
            unframed = f"{grey.width}x{grey.height}" if max(grey.size) > SIDE else ""
            return Decoded(_centre_square(grey), centre_of=unframed)
        found = frame(grey)
        return Decoded(_centre_square(grey), NO_FACE) if found is None else Decoded(found)

    return decode


def picture_size(content: bytes) -> tuple[int, int] | None:
    """(width, height) by the file's header, None where it is no picture."""
    try:
        with _opened(content) as image:
            return image.size
    except ValueError:
        return None


@contextmanager
def _opened(content: bytes) -> Iterator[Image]:
    """The picture, its pixels still undecoded; whatever goes wrong with it becomes a ValueError."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of huge pictures, which are refused by their size
            with Image.open(io.BytesIO(content)) as image:
                yield image
    except ValueError:
        raise
    except Exception as error:  # Pillow's decoders raise nearly anything on broken files
        raise ValueError("not an image, or a damaged one" if content else "an empty file") from error


def _grey(image: Image) -> Image:
    if image.mode not in _MODES:
        raise ValueError(f"the picture's pixels are of a kind ({image.mode}) other than 8 bits")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        return _over_white(image)
    return image.convert("L")


def _over_white(image: Image) -> Image:
    """As photos are shown: what is transparent is white."""
    from PIL import Image

    canvas = Image.new("RGBA", image.size, "white")
    canvas.alpha_composite(image.convert("RGBA"))
    return canvas.convert("L")


def _centre_square(grey: Image) -> np.ndarray:
    """uint8 (48, 48), by area averages (by interpolation where the picture is smaller)."""
    from PIL import Image, ImageOps

    method = Image.Resampling.BOX if min(grey.size) >= SIDE else Image.Resampling.BILINEAR
    return np.asarray(ImageOps.fit(grey, (SIDE, SIDE), method), np.uint8)
