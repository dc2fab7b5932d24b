"""Every kind of picture file, whole and broken: a correct picture or one sentence."""

from __future__ import annotations

import contextlib
import io
import struct
import subprocess
import sys
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image, ImageCms

from fer_core.errors import ImageError
from fer_core.inference.image import MAX_PIXELS, open_image, open_photo
from tests.fer_core.inference.pictures import astronaut

ROOT = Path(__file__).resolve().parents[3]


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    return astronaut().resize((128, 96))


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean difference in grey levels."""
    assert one.size == other.size
    return float(np.abs(np.asarray(one.convert("RGB"), int) - np.asarray(other.convert("RGB"), int)).mean())


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM", "TGA", "ICO"])
def test_every_format_opens(photo: Image.Image, form: str) -> None:
    opened = open_image(encoded(photo, form, **({"sizes": [(128, 96)]} if form == "ICO" else {})))
    assert opened.mode in ("RGB", "L")
    if form != "ICO":
        assert difference(opened, photo) < 8


def test_every_source_gives_the_same_picture(photo: Image.Image, tmp_path: Path) -> None:
    path = tmp_path / "a photo.png"
    photo.save(path)
    with path.open("rb") as file:
        opened = [open_image(source) for source in (path, str(path), path.read_bytes(), file, photo, np.asarray(photo))]
    assert {image.tobytes() for image in opened} == {photo.tobytes()}


def test_the_callers_picture_is_left_alone(photo: Image.Image) -> None:
    before = photo.tobytes()
    open_image(photo).putpixel((0, 0), (1, 2, 3))
    assert photo.tobytes() == before


def test_sixteen_bit_grey_is_scaled() -> None:
    values = np.linspace(0, 65535, 64 * 48).round().astype(np.uint16).reshape(48, 64)
    for form in ("PNG", "TIFF", "PPM"):
        opened = open_image(encoded(Image.fromarray(values), form))
        assert opened.mode == "L"
        assert np.abs(np.asarray(opened) - values / 257).max() <= 1
    assert np.asarray(open_image(encoded(Image.fromarray(values), "PNG"))).max() == 255


def test_a_dim_sixteen_bit_picture_stays_dim() -> None:
    opened = open_image(encoded(Image.fromarray(np.full((5, 5), 2570, np.uint16)), "PNG"))
    assert np.asarray(opened).tolist() == [[10] * 5] * 5


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.0, 1.0, (0, 255)), (0.0, 200.0, (0, 200)), (0.0, 65535.0, (0, 255)), (-50.0, 150.0, (0, 255))],
)
def test_floating_point_pictures_by_their_range(low: float, high: float, expected: tuple[int, int]) -> None:
    values = np.linspace(low, high, 300).astype(np.float32).reshape(15, 20)
    grey = np.asarray(open_image(encoded(Image.fromarray(values), "TIFF")))
    assert (grey[0, 0], grey[-1, -1]) == expected
    assert (np.diff(grey.ravel().astype(int)) >= 0).all()


def test_32_bit_pictures() -> None:
    values = np.arange(0, 300_000, 1000, dtype=np.int32).reshape(15, 20)
    grey = np.asarray(open_image(encoded(Image.fromarray(values), "TIFF")))
    assert (grey[0, 0], grey[-1, -1]) == (0, 255)


def test_values_that_are_not_numbers_are_refused_or_black() -> None:
    values = np.full((4, 4), 0.5, np.float32)
    values[0, 0] = np.nan
    assert np.asarray(open_image(encoded(Image.fromarray(values), "TIFF")))[0].tolist() == [0, 128, 128, 128]
    for bad in (np.full((4, 4), np.nan, np.float32), np.full((4, 4), np.inf, np.float32)):
        with pytest.raises(ImageError, match="not numbers"):
            open_image(encoded(Image.fromarray(bad), "TIFF"))


def test_cmyk(photo: Image.Image) -> None:
    for form in ("JPEG", "TIFF"):
        assert difference(open_image(encoded(photo.convert("CMYK"), form)), photo) < 8


def test_lab() -> None:
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    picture = astronaut().resize((64, 64))
    lab = ImageCms.profileToProfile(picture, *profiles, outputMode="LAB")
    assert lab is not None
    assert difference(open_image(encoded(lab, "TIFF")), picture) < 8


def test_grey_and_black_and_white(photo: Image.Image) -> None:
    assert open_image(encoded(photo.convert("L"), "PNG")).mode == "L"
    bilevel = open_image(encoded(photo.convert("1"), "PNG"))
    assert bilevel.mode == "L"
    assert set(np.unique(np.asarray(bilevel))) == {0, 255}


def test_palettes(photo: Image.Image) -> None:
    opened = open_image(encoded(photo.quantize(64), "PNG"))
    assert opened.mode == "RGB"
    assert difference(opened, photo) < 12


def test_transparent_parts_become_white(photo: Image.Image) -> None:
    clear = photo.convert("RGBA")
    clear.putalpha(Image.new("L", clear.size, 0))
    half = photo.convert("RGBA")
    half.putalpha(128)
    for form in ("PNG", "WEBP", "TIFF"):
        assert np.asarray(open_image(encoded(clear, form))).min() == 255
    assert difference(open_image(half), Image.blend(photo, Image.new("RGB", photo.size, "white"), 127 / 255)) < 1.5
    grey = open_image(Image.merge("LA", [photo.convert("L"), Image.new("L", photo.size, 0)]))
    assert grey.mode == "L"
    assert np.asarray(grey).min() == 255


def test_transparent_palettes_and_colours() -> None:
    picture = Image.new("P", (4, 4), 3)
    picture.putpalette([0, 0, 0, 9, 9, 9, 20, 20, 20, 200, 10, 10])
    for transparency in (3, bytes([255, 255, 255, 0])):
        opened = open_image(encoded(picture, "PNG", transparency=transparency))
        assert np.asarray(opened).min() == 255
    keyed = Image.new("RGB", (4, 4), (1, 2, 3))
    assert np.asarray(open_image(encoded(keyed, "PNG", transparency=(1, 2, 3)))).min() == 255


@pytest.mark.parametrize(
    ("form", "kind"), [("GIF", "frames"), ("PNG", "frames"), ("WEBP", "frames"), ("TIFF", "pages")]
)
def test_of_an_animation_the_first_frame(form: str, kind: str) -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ((200, 0, 0), (0, 200, 0), (0, 0, 200))]
    data = encoded(frames[0], form, save_all=True, append_images=frames[1:])
    opened = open_photo(data)
    assert np.abs(np.asarray(opened.image, int) - [200, 0, 0]).max() < 12
    assert opened.notes == (f"the file has several {kind}, the first was used",)
    later = Image.open(io.BytesIO(data))
    later.seek(2)
    assert open_image(later).tobytes() == opened.image.tobytes()


def test_a_phones_jpeg_with_previews_is_one_photo(photo: Image.Image) -> None:
    opened = open_photo(encoded(photo, "MPO", save_all=True, append_images=[photo.resize((64, 48))]))
    assert opened.image.size == photo.size
    assert opened.notes == ()


def test_the_name_does_not_matter(photo: Image.Image, tmp_path: Path) -> None:
    path = tmp_path / "really a png.jpg"
    path.write_bytes(encoded(photo, "PNG"))
    assert open_image(path).tobytes() == photo.tobytes()


def test_damaged_exif_data_count_as_none(photo: Image.Image) -> None:
    for junk in (
        b"Exif\0\0",
        b"Exif\0\0MM\0*\0\0\0\x08\xff\xff",
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0",
        b"x" * 99,
    ):
        assert open_image(encoded(photo, "JPEG", exif=junk)).size == photo.size


def png_header(width: int, height: int) -> bytes:
    """A PNG that says how large it is, and has hardly any pixels."""
    parts = [b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0), b"IDAT" + zlib.compress(bytes(100))]
    chunks = [struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part)) for part in parts]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


JPEG = encoded(astronaut().resize((200, 200)), "JPEG")
PNG = encoded(astronaut().resize((60, 60)), "PNG")
BROKEN: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "text": (b"hello, I am a text file\n" * 20, "not a picture"),
    "zeros": (bytes(5000), "not a picture"),
    "html": (b"<!doctype html><title>404</title>", "not a picture"),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "not a picture"),
    "heic": (b"\0\0\0\x18ftypheic" + bytes(100), "HEIC"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n", "not a picture"),
    "cut jpeg": (JPEG[: len(JPEG) // 2], "damaged or cut off"),
    "cut png": (PNG[: len(PNG) // 2], "damaged or cut off"),
    "jpeg header": (JPEG[:10], "picture"),
    "png header": (png_header(100, 100), "damaged or cut off"),
    "bomb": (png_header(60_000, 60_000), "shrink it"),
    "large": (png_header(10_000, 6_000), "10000x6000 pixels (60 megapixels), over the limit of 50 megapixels"),
    "between": (png_header(12_000, 10_000), "shrink it"),
    "no pixels": (png_header(0, 10), "picture"),
    "bad zip data": (PNG[:60] + b"\xff" * 40 + PNG[100:], "damaged"),
    "cut gif": (encoded(astronaut().resize((90, 90)), "GIF")[:900], "damaged"),
    "cut webp": (encoded(astronaut(), "WEBP")[:3000], "damaged"),
    "cut tiff": (encoded(astronaut(), "TIFF")[:3000], "picture"),
    "cut bmp": (encoded(astronaut(), "BMP")[:3000], "damaged"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_gets_one_sentence(name: str, tmp_path: Path) -> None:
    data, part = BROKEN[name]
    path = tmp_path / f"{name}.png"
    path.write_bytes(data)
    for source in (path, data):
        with pytest.raises(ImageError) as raised:
            open_image(source)
        message = str(raised.value)
        assert part in message
        assert message.startswith(path.name if source is path else "the picture")
        assert len(message) < 260
        assert "\n" not in message


def test_paths_that_are_no_pictures(tmp_path: Path) -> None:
    for path, part in (
        (tmp_path, "is a folder"),
        (tmp_path / "gone.png", "no picture"),
        (Path("/dev/null"), "plain file"),
    ):
        with pytest.raises(ImageError, match=part):
            open_image(path)
    with pytest.raises(ImageError, match="cannot be opened"):
        open_image("a\0b.png")


@settings(max_examples=60)
@given(st.data())
def test_bytes_changed_at_random_never_crash(data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from([JPEG[:3000] + JPEG[-2:], PNG, GIF, TIFF, BMP, WEBP])))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(1, len(whole)))])
    with contextlib.suppress(ImageError):  # one that is refused is as good as one that opens; anything else is a crash
        assert open_image(cut).mode in ("RGB", "L")


SMALL = astronaut().resize((24, 20))
GIF, TIFF, BMP, WEBP = (encoded(SMALL, form) for form in ("GIF", "TIFF", "BMP", "WEBP"))


def test_filters_for_warnings_are_put_back(photo: Image.Image) -> None:
    before = list(warnings.filters)
    open_image(encoded(photo, "PNG"))
    with pytest.raises(ImageError):
        open_image(b"text")
    assert warnings.filters == before


@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=20)))
def test_grey_arrays_are_taken_as_they_are(values: np.ndarray) -> None:
    assert (np.asarray(open_image(values)) == values).all()
    assert (np.asarray(open_image(values[..., None])) == values).all()
    assert (np.asarray(open_image(values.astype(np.uint16) * 257)) == values).all()
    assert (np.asarray(open_image(values.astype(float))) == (values if values.max() > 1 else values * 255)).all()
    assert (np.asarray(open_image(values > 100)) == (values > 100) * 255).all()


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((0, 5), np.uint8),
        np.zeros(5, np.uint8),
        np.zeros((5, 5, 2), np.uint8),
        np.zeros((2, 5, 5, 3), np.uint8),
        np.full((5, 5), np.nan),
        np.full((5, 5), -1.0),
        np.full((5, 5), 300),
        np.full((5, 5), "a"),
    ],
)
def test_arrays_that_are_no_pictures(values: np.ndarray) -> None:
    with pytest.raises(ImageError, match="array"):
        open_image(values)


def test_the_limit_is_fifty_megapixels() -> None:
    assert MAX_PIXELS == 50_000_000


MEMORY = """
import re, sys
from pathlib import Path
from fer_core.inference import Predictor
from fer_core.inference.predictor import NO_FACE
from tests.fer_core.inference.pictures import Brightness
result = Predictor(Brightness()).predict(sys.argv[1])
assert (result.width, result.height) == (7000, 7000), result
assert result.message.startswith(NO_FACE) or result.faces
status = Path("/proc/self/status").read_text()  # getrusage would count the parent's memory before exec, too
print(int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) // 1024)
"""

PLAIN = Image.linear_gradient("L").resize((7000, 7000))


def _progressive(path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    PLAIN.convert("RGB").save(path, "JPEG", progressive=True, subsampling=0, exif=exif)


LARGE: dict[str, Callable[[Path], None]] = {
    "progressive jpeg on its side": _progressive,
    "cmyk jpeg": lambda path: Image.merge("CMYK", [PLAIN] * 4).save(path, "JPEG"),
    "transparent png": lambda path: Image.merge("RGBA", [PLAIN] * 4).save(path, "PNG", compress_level=1),
    "16-bit png": lambda path: Image.new("I;16", (7000, 7000), 3000).save(path, "PNG", compress_level=1),
    "32-bit tiff": lambda path: Image.new("F", (7000, 7000), 0.5).save(path, "TIFF"),
}


@pytest.mark.parametrize("name", LARGE)
def test_49_megapixels_stay_below_a_gigabyte(name: str, tmp_path: Path) -> None:
    path = tmp_path / "large.bin"
    LARGE[name](path)
    command = [sys.executable, "-c", MEMORY, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 1000
    assert done.stderr == ""
