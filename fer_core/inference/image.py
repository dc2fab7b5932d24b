"""Any picture file -> an upright RGB or grey picture, or one sentence that says why not.

What is decided here, in the order in which it happens:

- Only formats that people keep photos in are tried (`FORMATS`), whatever the file is called: a PNG named `.jpg` opens,
  a text file named `.png` does not.
- The size is read from the header; a picture over 50 megapixels is refused before a pixel is decoded.
- Of an animation or a file of several pages the first frame is used, and `Photo.notes` says so.
- 16-bit grey is divided by 257, so that 65535 becomes 255; other deep pictures are scaled by their range.
- Transparent parts become white.
- The EXIF orientation is applied, so that faces stand upright; damaged EXIF data count as none.

Pictures are decoded one at a time, which bounds the memory (below 1 GB with everything else that serving loads) and
lets Pillow's warnings be silenced without a race.
"""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageCms, UnidentifiedImageError

from fer_core.errors import ImageError

MAX_PIXELS = 50_000_000
"""Largest picture that is decoded, in pixels."""

MAX_PIXELS_OF = {"JPEG2000": 40_000_000, "WEBP": 40_000_000}
"""Lower limits for formats whose decoders need several times the memory of the picture."""

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "AVIF", "JPEG2000", "PPM", "ICO", "TGA")
SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".jfif", ".mpo", ".png", ".apng", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff", ".avif")
) | {".jp2", ".j2k", ".pgm", ".ppm", ".pnm", ".ico", ".tga"}
"""File name endings that `scripts.predict` looks for in a folder."""

ADVICE = "use a JPEG, PNG, WebP, GIF, BMP or TIFF picture"
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
_DECODING = threading.Lock()

ImageSource = str | Path | bytes | BinaryIO | Image.Image | np.ndarray


@dataclass(frozen=True)
class Photo:
    """A picture as the rest of the project uses it.

    Attributes:
        image: mode RGB or L, upright.
        notes: what a user should know about how the file was read, one clause each, such as "first of 12 frames".
    """

    image: Image.Image
    notes: tuple[str, ...] = ()


def open_image(source: ImageSource) -> Image.Image:
    """The picture alone, mode RGB or L, upright; see `open_photo`."""
    return open_photo(source).image


def open_photo(source: ImageSource) -> Photo:
    """Reads a picture.

    Args:
        source: a path, the bytes of a file, an open binary file, a Pillow image, or an array: (H, W), (H, W, 1), RGB or
            RGBA as bool, uint8, uint16 or float (up to 1.0, or up to 255).

    Raises:
        ImageError: it cannot be read; the message is one sentence.
    """
    if isinstance(source, np.ndarray):
        source = _from_array(source)
    if isinstance(source, Image.Image):
        return _decoded(source, "the picture")
    with _opened_file(source) as (file, name):
        return _read(file, name)


@contextmanager
def _opened_file(source: str | Path | bytes | BinaryIO) -> Iterator[tuple[BinaryIO, str]]:
    """The source as a seekable file, and what to call it in messages."""
    if isinstance(source, bytes):
        yield io.BytesIO(source), "the picture"
    elif isinstance(source, (str, Path)):
        with _open_path(Path(source)) as file:
            yield file, Path(source).name
    else:
        yield source, Path(str(getattr(source, "name", "the picture"))).name


def _open_path(path: Path) -> BinaryIO:
    try:
        if path.is_dir():
            raise ImageError(f"{path} is a folder; name a picture in it")
        if path.exists() and not path.is_file():
            raise ImageError(f"{path} is not a plain file; save the picture to one first")
        return path.open("rb")
    except FileNotFoundError:
        raise ImageError(f"there is no picture {path}; check its name") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ImageError(f"{path} cannot be opened ({reason}); check its name and rights") from None


def _read(file: BinaryIO, name: str) -> Photo:
    with _decoder(name):
        head = file.read(32)
        file.seek(0)
        if not head:
            raise ImageError(f"{name} is empty; choose another file")
        try:
            picture = Image.open(file, formats=FORMATS)
        except UnidentifiedImageError:
            if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
                raise ImageError(
                    f"{name} is a HEIC picture, which cannot be read here; save it as JPEG first"
                ) from None
            raise ImageError(f"{name} is not a picture, or one that is damaged or of a rare kind; {ADVICE}") from None
        with picture:
            return _upright(picture, name)


def _decoded(picture: Image.Image, name: str) -> Photo:
    with _decoder(name):
        return _upright(picture, name)


@contextmanager
def _decoder(name: str) -> Iterator[None]:
    """One picture at a time, without warnings; whatever a decoder raises becomes an ImageError."""
    with _DECODING, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            yield
        except ImageError:
            raise
        except (Image.DecompressionBombWarning, Image.DecompressionBombError):
            raise ImageError(f"{name} has more than {_megapixels(MAX_PIXELS)}; shrink it first") from None
        except MemoryError:
            raise ImageError(f"{name} needs more memory than there is; shrink it first") from None
        except Exception as error:  # decoders raise all sorts on damaged files: struct.error, SyntaxError, EOFError ...
            raise ImageError(f"{name} is damaged or cut off ({_reason(error)}); {ADVICE}") from error


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split()).rstrip(".")
    return text[:120] or type(error).__name__


def _upright(picture: Image.Image, name: str) -> Photo:
    _check_size(picture, name)
    notes = _frame_notes(picture)
    if getattr(picture, "is_animated", False) and picture.format != "MPO":
        picture.seek(0)
    picture.load()
    orientation = _orientation(picture)
    plain = to_rgb_or_grey(picture)
    if orientation is not None:
        plain = plain.transpose(orientation)
    elif plain is picture:
        plain = picture.copy()
    plain.info = {}
    return Photo(plain, notes)


def _check_size(picture: Image.Image, name: str) -> None:
    width, height = picture.size
    limit = MAX_PIXELS_OF.get(picture.format or "", MAX_PIXELS)
    if width < 1 or height < 1:
        raise ImageError(f"{name} has no pixels; choose another file")
    if width * height > limit:
        kind = f" for {picture.format}" if limit != MAX_PIXELS else ""
        size = f"{width}x{height} pixels ({_megapixels(width * height)})"
        raise ImageError(f"{name} has {size}, over the limit of {_megapixels(limit)}{kind}; shrink it first")


def _megapixels(pixels: int) -> str:
    return f"{pixels / 1e6:.3g} megapixels" if pixels < 1e9 else f"{pixels / 1e6:.0f} megapixels"


def _frame_notes(picture: Image.Image) -> tuple[str, ...]:
    several = getattr(picture, "is_animated", False)  # to count the frames would be to read them all
    if not several or picture.format == "MPO":  # MPO: a phone's JPEG with previews or a depth map behind it
        return ()
    kind = "pages" if picture.format == "TIFF" else "frames"
    return (f"the file has several {kind}, the first was used",)


_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _orientation(picture: Image.Image) -> Image.Transpose | None:
    """What turns the picture upright; None where it is, or where its EXIF data are damaged."""
    try:
        return _TRANSPOSITIONS.get(picture.getexif().get(0x0112, 1))
    except Exception:  # damaged EXIF data raise all sorts, and none of it matters for the pixels
        return None


def to_rgb_or_grey(picture: Image.Image) -> Image.Image:
    """Any of Pillow's modes -> RGB or L; transparent parts over white."""
    mode = picture.mode
    if mode in ("RGB", "L"):
        return _over_white(picture.convert("RGBA")) if "transparency" in picture.info else picture
    if mode.startswith("I;16"):
        return _grey_from(picture, 1 / 257)
    if mode in ("I", "F"):
        return _grey_from(picture, *_range_of(picture))
    if mode in ("RGBA", "LA", "PA", "RGBa", "La"):
        return _over_white(picture if mode in ("RGBA", "LA") else picture.convert("RGBA"))
    if mode == "P":
        return _over_white(picture.convert("RGBA")) if "transparency" in picture.info else picture.convert("RGB")
    if mode == "LAB":
        profiles = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(picture, *profiles, outputMode="RGB")
        assert converted is not None  # it is None only for in-place conversions
        return converted
    return picture.convert("L" if mode == "1" else "RGB")


def _over_white(picture: Image.Image) -> Image.Image:
    """RGBA or LA over white, in the mode without alpha."""
    mode = "RGB" if picture.mode == "RGBA" else "L"
    canvas = Image.new(mode, picture.size, "white")
    canvas.paste(picture.convert(mode), mask=picture.getchannel("A"))
    return canvas


def _bands(picture: Image.Image) -> Iterator[tuple[int, np.ndarray]]:
    """(first row, float32 values) of about a million pixels at a time; a copy of the whole would cost memory."""
    rows = max(1, 1_000_000 // picture.width)
    for top in range(0, picture.height, rows):
        band = picture.crop((0, top, picture.width, min(top + rows, picture.height)))
        yield top, np.asarray(band).astype(np.float32)


def _range_of(picture: Image.Image) -> tuple[float, float]:
    """(factor, offset) that bring 32-bit values to 0..255: by the unit they seem to be in, else by their range."""
    limits = [(np.nanmin(band), np.nanmax(band)) for _, band in _bands(picture)]
    low, high = float(np.nanmin(limits)), float(np.nanmax(limits))
    if not np.isfinite([low, high]).all():
        raise ImageError("the picture holds values that are not numbers; save it with 8 bits a channel")
    units = (1.0, 255.0, 65535.0) if picture.mode == "F" else (255.0, 65535.0)
    unit = next((unit for unit in units if 0 <= low and high <= unit), None)
    return (255 / unit, 0.0) if unit else (255 / (high - low or 1.0), -low)


def _grey_from(picture: Image.Image, factor: float, offset: float = 0.0) -> Image.Image:
    """A deep grey picture as L: (values + offset) * factor, rounded; values that are not numbers become 0."""
    grey = np.empty((picture.height, picture.width), np.uint8)
    for top, band in _bands(picture):
        grey[top : top + len(band)] = ((np.nan_to_num(band) + offset) * factor).round().clip(0, 255)
    return Image.fromarray(grey)


def _from_array(values: np.ndarray) -> Image.Image:
    """An array of pixels as a picture; raises ImageError where its shape or type is not one of a picture."""
    values = values[..., 0] if values.ndim == 3 and values.shape[2] == 1 else values
    channels = values.shape[2] if values.ndim == 3 else 1
    if values.ndim not in (2, 3) or channels not in (1, 3, 4) or not values.size:
        raise ImageError(f"an array of shape {values.shape} is no picture; give (H, W), (H, W, 3) or (H, W, 4)")
    if values.shape[0] * values.shape[1] > MAX_PIXELS:
        raise ImageError(f"the picture is over the limit of {_megapixels(MAX_PIXELS)}; shrink it first")
    return Image.fromarray(np.ascontiguousarray(_as_bytes(values)))


def _as_bytes(values: np.ndarray) -> Any:
    """Array of bool, uint8, uint16 or float -> uint8 in 0..255."""
    if values.dtype == np.uint8:
        return values
    if values.dtype == bool:
        return values.astype(np.uint8) * 255
    if values.dtype == np.uint16:
        return (values // 257).astype(np.uint8)
    if values.dtype.kind not in "iuf":
        raise ImageError(f"an array of {values.dtype} is no picture; give uint8 values from 0 to 255")
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > 255:
        raise ImageError("the array has values outside 0..255; give uint8 values, or floats from 0 to 1")
    factor = 255 if values.dtype.kind == "f" and values.max() <= 1 else 1
    return (values * factor).round().astype(np.uint8)
