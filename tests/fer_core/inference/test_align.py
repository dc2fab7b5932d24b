"""The geometry of crops: transforms, the fit onto FER2013's framing, and what the warp samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fer_core.inference import align

angles = st.floats(-np.pi, np.pi)
scales = st.floats(0.01, 20)
offsets = st.floats(-5000, 5000)


@st.composite
def similarities(draw: st.DrawFn) -> np.ndarray:
    angle, scale = draw(angles), draw(scales)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.column_stack([turn, [draw(offsets), draw(offsets)]])


points = st.lists(st.tuples(offsets, offsets), min_size=1, max_size=6).map(np.array)


@given(similarities(), points)
def test_the_inverse_undoes(transform: np.ndarray, places: np.ndarray) -> None:
    back = align.apply(align.inverse(transform), align.apply(transform, places))
    assert np.allclose(back, places, atol=1e-5 * max(1, 1 / align.scale_of(transform)))


def test_the_framing_says_where_it_comes_from() -> None:
    framing = align.framing()
    assert set(framing["landmarks"]) == set(align.LANDMARKS)
    assert framing["faces"] > 1000
    assert framing["command"].startswith("python -m scripts.measure_framing")


def test_the_template_is_a_face() -> None:
    (left, right, nose, mouth_left, mouth_right) = align.template()
    assert left[0] < nose[0] < right[0]
    assert max(left[1], right[1]) < nose[1] < min(mouth_left[1], mouth_right[1])
    assert mouth_left[0] < mouth_right[0]
    assert ((align.template() > 5) & (align.template() < 43)).all()


@given(similarities())
def test_a_face_posed_at_will_is_put_back_into_its_frame(pose: np.ndarray) -> None:
    face = align.template()
    face[:2, 1] = face[:2, 1].mean()  # level eyes: what the crop makes of any face
    to_crop = align.fit_crop(align.apply(pose, face))
    upright = align.fit_crop(face)
    assert np.allclose(to_crop[:, :2] @ pose[:, :2], upright[:, :2], atol=1e-4)
    assert np.allclose(align.apply(to_crop, align.apply(pose, face)), align.template(), atol=0.5)


@given(st.lists(st.tuples(st.floats(0, 200), st.floats(0, 200)), min_size=5, max_size=5).map(np.array))
def test_any_five_points_give_level_eyes_and_a_transform_that_can_be_undone(landmarks: np.ndarray) -> None:
    to_crop = align.fit_crop(landmarks)
    eyes = align.apply(to_crop, landmarks[:2])
    assert eyes[0, 1] == pytest.approx(eyes[1, 1], abs=1e-6)
    assert eyes[0, 0] <= eyes[1, 0] + 1e-6
    assert np.isfinite(align.inverse(to_crop)).all()


def test_level_eyes_fit_as_scikit_image_does() -> None:
    from skimage.transform import SimilarityTransform

    chosen = list(align.FITTED)
    face = align.template()
    face[:2, 1] = face[:2, 1].mean()
    face[3:, 1] = face[3:, 1].mean()
    face[:, 0] = 24 + (face[:, 0] - face[chosen, 0].mean())
    symmetric = (face + np.array([48, 0]) + np.array([-1, 1]) * face[[1, 0, 2, 4, 3]]) / 2
    landmarks = symmetric * [3, 3.3] + [70, 20]  # a longer face: no similarity fits it exactly
    reference = SimilarityTransform.from_estimate(landmarks[chosen], align.template()[chosen])
    assert align.scale_of(align.fit_crop(landmarks)) == pytest.approx(float(reference.scale), rel=0.01)
    assert np.allclose(align.apply(align.fit_crop(landmarks), landmarks), reference(landmarks), atol=0.3)


def gradient(width: int, height: int) -> Image.Image:
    """Grey that rises by one level a 4 pixels to the right."""
    return Image.fromarray(np.tile((np.arange(width) // 4).astype(np.uint8), (height, 1)))


@pytest.mark.parametrize("side", [48, 96, 240, 480, 960])
def test_an_upright_square_is_averaged_by_area(side: int) -> None:
    rng = np.random.default_rng(side)
    photo = Image.fromarray(rng.integers(0, 256, (side + 40, side + 60), dtype=np.uint8))
    crop = align.warp(photo, align.square_to_crop((30, 20, side, side)))
    exact = np.asarray(photo.resize((48, 48), Image.Resampling.BOX, box=(30, 20, 30 + side, 20 + side)))
    tolerance = 1 if side == 48 else 0.45 * exact.std()  # the warp interpolates where a whole factor does not fit
    assert np.abs(crop.astype(int) - exact).mean() <= tolerance
    assert np.corrcoef(crop.ravel(), exact.ravel())[0, 1] > 0.9


def test_a_warp_that_moves_nothing_changes_nothing() -> None:
    photo = Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8))
    assert (align.warp(photo, np.eye(2, 3)) == np.asarray(photo)).all()


@given(st.floats(0, 300), st.floats(0, 300), st.floats(20, 600), st.floats(-np.pi, np.pi))
def test_the_crop_shows_what_the_transform_says(x: float, y: float, side: float, angle: float) -> None:
    scale = 48 / side
    linear = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    to_crop = np.column_stack([linear, np.array([24, 24]) - linear @ [x + 300, y + 300]])
    crop = align.warp(gradient(1000, 1000), to_crop)
    centres = np.stack(np.meshgrid(np.arange(48) + 0.5, np.arange(48) + 0.5), axis=-1).reshape(-1, 2)
    places = align.apply(align.inverse(to_crop), centres)
    inside = ((places > 10) & (places < 990)).all(axis=1)
    expected = (places[:, 0] / 4 - 0.5).reshape(48, 48)
    assert np.abs(crop - expected)[inside.reshape(48, 48)].max(initial=0) <= 1.6


def test_fine_texture_does_not_alias() -> None:
    checks = Image.fromarray((np.indices((960, 960)).sum(axis=0) % 2 * 255).astype(np.uint8))
    angle = np.radians(7)
    linear = 48 / 900 * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    crop = align.warp(checks, np.column_stack([linear, np.array([24, 24]) - linear @ [480, 480]]))
    assert np.abs(crop[8:40, 8:40].astype(int) - 127).max() <= 12


def test_outside_the_photo_its_border_goes_on() -> None:
    photo = gradient(400, 300)
    crop = align.warp(photo, align.square_to_crop((-200.0, -50.0, 400.0, 400.0)))
    assert (crop[:, :20] == 0).all()
    assert crop[0, -1] == pytest.approx(crop[24, -1], abs=1)
    far = align.warp(photo, align.square_to_crop((5000.0, 5000.0, 400.0, 400.0)))
    assert (far == 99).all()


@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(48, 1000))
def test_shrinking_knows_its_true_scales(width: int, height: int, longest: int) -> None:
    small, across, down = align.shrink(Image.new("L", (width, height)), longest)
    assert max(small.size) <= max(longest, 1)
    assert (small.width, small.height) == pytest.approx((width * across, height * down))


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_the_centre_square_is_in_the_centre(width: int, height: int) -> None:
    x, y, side, again = align.centre_square((width, height))
    assert side == again == min(width, height)
    assert x * 2 + side == width
    assert y * 2 + side == height
    corners = align.apply(align.square_to_crop((x, y, side, side)), np.array([[x, y], [x + side, y + side]]))
    assert np.allclose(corners, [[0, 0], [48, 48]])
