"""Faces in photos: found where they are, at any size, place and orientation, and nowhere else."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fer_core.errors import ConfigError
from fer_core.inference import FaceDetector, align, crop_face, open_image
from fer_core.inference.faces import whole_picture
from tests.fer_core.inference.pictures import ASTRONAUT_LANDMARKS, FACELESS, astronaut, collage, skimage_picture


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector()


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


@pytest.mark.parametrize("name", FACELESS)
def test_no_face_where_there_is_none(detector: FaceDetector, name: str) -> None:
    assert detector.detect(skimage_picture(name)) == []


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (3000, 3), (12, 12), (47, 48), (1, 20_000), (70_000, 2)])
def test_odd_sizes_have_no_face(detector: FaceDetector, size: tuple[int, int]) -> None:
    assert detector.detect(Image.new("RGB", size, "tan")) == []


@pytest.mark.parametrize("side", [160, 400, 900, 2500])
def test_landmarks_are_in_photo_pixels(detector: FaceDetector, side: int) -> None:
    (face,) = detector.detect(astronaut().resize((side, side)))
    assert np.abs(face.landmarks * 512 / side - ASTRONAUT_LANDMARKS).max() < 6
    assert face.landmarks.dtype == np.float32
    assert 0.93 <= face.score <= 1


def test_twenty_faces(detector: FaceDetector) -> None:
    faces = detector.detect(collage(5, 4))
    assert len(faces) == 20
    cells = {(int((x + w / 2) // 160), int((y + h / 2) // 160)) for x, y, w, h in (face.box for face in faces)}
    assert len(cells) == 20


def group(columns: int, rows: int, side: int, size: tuple[int, int]) -> Image.Image:
    """A large photo with heads of `side` pixels (the face is half of that) spread over it."""
    head = astronaut().crop((140, 10, 310, 180)).resize((side, side))
    photo = Image.new("RGB", size, "grey")
    across, down = size[0] // columns, size[1] // rows
    for index in range(columns * rows):
        photo.paste(head, (index % columns * across + across // 3, index // columns * down + down // 3))
    return photo


@pytest.mark.parametrize("side", [110, 150])
def test_small_faces_of_a_group_in_a_large_photo(detector: FaceDetector, side: int) -> None:
    photo = group(10, 6, side, (4000, 3000))
    faces = detector.detect(photo)
    assert len(faces) == 60
    cells = {(int((x + w / 2) // 400), int((y + h / 2) // 500)) for x, y, w, h in (face.box for face in faces)}
    assert len(cells) == 60
    assert all(0.5 * side < max(face.box[2:]) < 0.8 * side for face in faces)


def test_a_normal_photo_is_searched_once(detector: FaceDetector, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    search = FaceDetector._search
    monkeypatch.setattr(
        FaceDetector, "_search", lambda self, image, longest: (sizes.append(longest), search(self, image, longest))[1]
    )
    detector.detect(astronaut().resize((3000, 3000)))
    detector.detect(collage(5, 4))
    detector.detect(Image.new("RGB", (1280, 960)))
    assert sizes == [640, 640, 640]
    detector.detect(Image.new("RGB", (4000, 3000)))
    assert sizes[3:] == [640, 1920]


def test_small_faces_behind_a_large_one_on_request(detector: FaceDetector) -> None:
    photo = group(6, 4, 90, (3000, 2250))
    photo.paste(astronaut().resize((1200, 1200)), (900, 600))
    assert len(detector.detect(photo)) == 1
    faces = FaceDetector(small_faces=True).detect(photo)
    assert len(faces) > 10
    assert faces[0].box == detector.detect(photo)[0].box


@pytest.mark.parametrize("name", FACELESS)
def test_no_face_in_large_photos_without_one(detector: FaceDetector, name: str) -> None:
    tile = skimage_picture(name)
    photo = Image.new("RGB", (3000, 2250))
    for left in range(0, 3000, tile.width):
        for top in range(0, 2250, tile.height):
            photo.paste(tile, (left, top))
    assert detector.detect(photo) == []


def test_the_largest_comes_first(detector: FaceDetector) -> None:
    photo = Image.new("RGB", (900, 512), "grey")
    photo.paste(astronaut().resize((300, 300)), (0, 0))
    photo.paste(astronaut(), (388, 0))
    areas = [face.box[2] * face.box[3] for face in detector.detect(photo)]
    assert len(areas) == 2
    assert areas[0] > 2 * areas[1]


@pytest.mark.parametrize("cut", [(225 - 50, 30, 400, 300), (100, 75, 400, 300), (100, 0, 262, 300), (100, 0, 300, 160)])
def test_a_face_partly_outside_the_photo(detector: FaceDetector, cut: tuple[int, int, int, int]) -> None:
    photo = astronaut().crop(cut)
    (found,) = detector.detect(photo)
    x, y, width, height = found.box
    assert min(x, y) >= 0
    assert x + width <= photo.width
    assert y + height <= photo.height
    assert np.abs(found.landmarks + cut[:2] - ASTRONAUT_LANDMARKS).max() < 12
    assert crop_face(photo, found).crop.shape == (48, 48)


def test_a_crop_that_is_all_face(detector: FaceDetector) -> None:
    face = crop_face(astronaut(), detector.detect(astronaut())[0])
    tight = Image.fromarray(face.crop).resize((224, 224), Image.Resampling.BICUBIC)
    (again,) = detector.detect(tight)
    assert correlation(crop_face(tight, again).crop, face.crop) > 0.97


@pytest.mark.parametrize("turn", [-25, -10, 10, 25])
def test_crops_are_levelled(detector: FaceDetector, turn: int) -> None:
    upright = crop_face(astronaut(), detector.detect(astronaut())[0])
    photo = astronaut().rotate(turn, expand=True, resample=Image.Resampling.BICUBIC)
    face = crop_face(photo, max(detector.detect(photo), key=lambda found: found.score))
    assert face.landmarks is not None
    eyes = align.apply(face.to_crop, face.landmarks[:2])
    assert eyes[0, 1] == pytest.approx(eyes[1, 1], abs=1e-3)
    assert correlation(face.crop, upright.crop) > 0.9


def test_grey_and_colour_give_the_same_crop(detector: FaceDetector) -> None:
    (face,) = detector.detect(astronaut().convert("L"))
    colour, grey = crop_face(astronaut(), face).crop, crop_face(astronaut().convert("L"), face).crop
    assert (colour == grey).all()


ORIENTATIONS = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""EXIF orientation -> how a camera that was held so stored the upright picture."""


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_every_exif_orientation_gives_the_same_faces(detector: FaceDetector, orientation: int) -> None:
    upright = astronaut().crop((100, 0, 420, 250))
    stored = upright if (how := ORIENTATIONS[orientation]) is None else upright.transpose(how)
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    stored.save(file, "PNG", exif=exif)
    opened = open_image(file.getvalue())
    assert opened.tobytes() == upright.tobytes()
    (found,), (expected,) = detector.detect(opened), detector.detect(upright)
    assert found.box == expected.box
    assert (crop_face(opened, found).crop == crop_face(upright, expected).crop).all()


@settings(max_examples=8)
@given(st.floats(0.35, 3.0), st.integers(0, 200), st.integers(0, 150))
def test_boxes_follow_a_face_that_is_moved_and_scaled(scale: float, left: int, top: int) -> None:
    head = astronaut().crop((100, 0, 380, 280))
    scaled = head.resize((round(280 * scale), round(280 * scale)))
    photo = Image.new("RGB", (scaled.width + left + 60, scaled.height + top + 60), "grey")
    photo.paste(scaled, (left, top))
    (found,), (expected,) = FaceDetector(min_face=14).detect(photo), FaceDetector().detect(head)
    moved = np.array(expected.box) * scale + [left, top, 0, 0]
    assert np.abs(np.array(found.box) - moved).max() < 0.16 * expected.box[3] * scale


def test_the_whole_picture_as_a_face() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
    face = whole_picture(Image.fromarray(pixels))
    assert (face.crop == pixels).all()
    assert (face.box, face.score, face.landmarks) == ((0, 0, 48, 48), 1, None)
    assert np.allclose(face.to_crop, np.eye(2, 3))


@pytest.mark.parametrize("size", [(96, 96), (480, 96), (97, 480), (30, 20), (1, 1), (5000, 2), (2, 5000)])
def test_the_centre_square_of_any_picture(size: tuple[int, int]) -> None:
    face = whole_picture(Image.new("RGB", size, (90, 90, 90)))
    assert (face.crop == 90).all()
    assert face.box[2] == face.box[3] == min(size)


def test_the_centre_square_is_averaged_by_area() -> None:
    photo = Image.fromarray(np.random.default_rng(1).integers(0, 256, (200, 480), dtype=np.uint8))
    exact = photo.resize((48, 48), Image.Resampling.BOX, box=(140, 0, 340, 200))
    assert np.abs(whole_picture(photo).crop.astype(int) - exact).max() <= 1


@pytest.mark.parametrize(
    "options", [{"longest": 20}, {"min_face": 3}, {"min_face": 900}, {"thresholds": (0.5, 0.5, 1.5)}]
)
def test_options_that_cannot_work(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(options))):
        FaceDetector(**options)  # type: ignore[arg-type]
