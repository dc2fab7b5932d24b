"""Pictures: geometry, opacity, what stays untouched, and labels that can be read."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fer_core.errors import ConfigError
from fer_core.explain.boxes import DARK_INK, label_rects, line_width
from fer_core.explain.heat_colours import colour, rgb, table
from fer_core.explain.overlay import draw_boxes, legend, overlay_face, overlay_photo
from fer_core.inference.faces import Face
from fer_core.labels import COLOURS, EMOTIONS, contrast, ink_on

Rect = tuple[float, float, float, float]


def _face(box: Rect, to_crop: np.ndarray | None = None) -> Face:
    identity = np.array([[1.0, 0, 0], [0, 1, 0]])
    return Face(box, 0.99, None, np.zeros((48, 48), np.uint8), identity if to_crop is None else to_crop)


def _turned(side: float, angle: float, centre: tuple[float, float]) -> np.ndarray:
    """Photo -> crop of a square of that side, turned by `angle` degrees about its centre."""
    scale, turn = 48 / side, np.deg2rad(angle)
    linear = scale * np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return np.column_stack([linear, np.array([24.0, 24.0]) - linear @ np.array(centre)])


def _spot(x: int, y: int, value: float = 1.0) -> np.ndarray:
    """Heat around one crop pixel."""
    down, across = np.mgrid[:48, :48]
    return (value * np.exp(-((across - x) ** 2 + (down - y) ** 2) / 8)).astype(np.float32)


@pytest.fixture
def crop() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (48, 48)).astype(np.uint8)


@pytest.fixture
def photo() -> Image.Image:
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (300, 400, 3)).astype(np.uint8))


def test_opacity_zero_is_the_plain_face(crop: np.ndarray) -> None:
    plain = Image.fromarray(crop).resize((336, 336), Image.Resampling.BICUBIC).convert("RGB")
    assert np.array_equal(np.asarray(overlay_face(crop, _spot(10, 30), 0)), np.asarray(plain))


def test_heat_is_where_it_belongs(crop: np.ndarray) -> None:
    plain = np.asarray(overlay_face(crop, _spot(10, 30), 0, 480)).astype(int)
    heated = np.asarray(overlay_face(crop, _spot(10, 30), 1, 480)).astype(int)
    change = np.abs(heated - plain).sum(2)
    assert change[:, 200:].max() == 0
    assert tuple(heated[305, 105]) == pytest.approx(rgb("#fcffa4"), abs=6)


def test_opacity_grows(crop: np.ndarray) -> None:
    plain = np.asarray(overlay_face(crop, _spot(24, 24), 0)).astype(float)
    changes = [np.abs(np.asarray(overlay_face(crop, _spot(24, 24), o)) - plain).sum() for o in (0.2, 0.5, 0.9)]
    assert changes == sorted(changes)
    assert changes[0] > 0


@pytest.mark.parametrize("opacity", [-0.1, 1.1, float("nan")])
def test_opacity_out_of_range(opacity: float, crop: np.ndarray, photo: Image.Image) -> None:
    with pytest.raises(ConfigError, match=r"from 0 .* to 1"):
        overlay_face(crop, _spot(1, 1), opacity)
    with pytest.raises(ConfigError, match=r"from 0 .* to 1"):
        overlay_photo(photo, _face((0, 0, 48, 48)), _spot(1, 1), opacity)


def test_zero_heat_changes_nothing(crop: np.ndarray, photo: Image.Image) -> None:
    nothing = np.zeros((48, 48), np.float32)
    assert overlay_face(crop, nothing, 1).tobytes() == overlay_face(crop, nothing, 0).tobytes()
    assert overlay_photo(photo, _face((0, 0, 48, 48)), nothing, 1).tobytes() == photo.tobytes()


def test_against_is_blue_and_for_is_red(crop: np.ndarray) -> None:
    heat = _spot(12, 24) + _spot(36, 24, -1)
    picture = np.asarray(overlay_face(crop, heat, 1, 48)).astype(int)
    assert picture[24, 12, 0] > picture[24, 12, 2] + 80
    assert picture[24, 36, 2] > picture[24, 36, 0] + 80


@pytest.mark.parametrize(("side", "angle"), [(48.0, 0.0), (96.0, 0.0), (130.0, 20.0), (200.0, -35.0), (30.0, 10.0)])
def test_heat_lands_where_the_crop_was_taken(side: float, angle: float, photo: Image.Image) -> None:
    to_crop = _turned(side, angle, (190.0, 140.0))
    face = _face((150, 100, 80, 80), to_crop)
    heated = overlay_photo(photo, face, _spot(14, 30), 1)
    change = np.abs(np.asarray(heated).astype(int) - np.asarray(photo)).sum(2).astype(float)
    hot = np.argwhere(change > 0)[:, ::-1] + 0.5  # pixel i covers [i, i + 1)
    weight = change[change > 0]
    on_crop = (to_crop[:, :2] @ ((hot * weight[:, None]).sum(0) / weight.sum())) + to_crop[:, 2]
    assert on_crop == pytest.approx((14.5, 30.5), abs=0.8)


def test_the_rest_of_the_photo_is_untouched(photo: Image.Image) -> None:
    to_crop = _turned(120, 15, (200, 150))
    heated = overlay_photo(photo, _face((140, 90, 120, 120), to_crop), np.ones((48, 48), np.float32), 1)
    down, across = np.mgrid[:300, :400] + 0.5
    on_crop = np.einsum("ij,jhw->ihw", to_crop, np.stack([across, down, np.ones_like(down)]))
    outside = ((on_crop < 0) | (on_crop > 48)).any(0)
    change = np.abs(np.asarray(heated).astype(int) - np.asarray(photo)).sum(2)
    assert change[outside].max() == 0
    inside = ((on_crop > 12) & (on_crop < 36)).all(0)
    assert (np.asarray(heated)[inside] == rgb("#fcffa4")).all()


def test_heat_fades_towards_the_border() -> None:
    grey = Image.new("RGB", (200, 200), (128, 128, 128))
    heated = np.asarray(overlay_photo(grey, _face((0, 0, 1, 1), _turned(96, 0, (100, 100))), np.ones((48, 48)), 1))
    row = np.abs(heated[100].astype(int) - 128).sum(1)
    rise = row[52:66]
    assert row[51] == 0
    assert rise[0] < 15
    assert (np.diff(rise) >= 0).all()
    assert np.diff(rise).max() < 70


@pytest.mark.parametrize("centre", [(0.0, 0.0), (400.0, 300.0), (-20.0, 150.0), (200.0, 310.0)])
def test_crops_beyond_the_edge(centre: tuple[float, float], photo: Image.Image) -> None:
    heated = overlay_photo(photo, _face((0, 0, 10, 10), _turned(100, 12, centre)), np.ones((48, 48), np.float32), 0.8)
    assert heated.size == photo.size
    assert heated.tobytes() != photo.tobytes()


def test_a_crop_outside_leaves_the_photo(photo: Image.Image) -> None:
    face = _face((0, 0, 10, 10), _turned(50, 0, (900, 900)))
    assert overlay_photo(photo, face, np.ones((48, 48)), 1).tobytes() == photo.tobytes()


def test_grey_photos_and_the_callers_copy() -> None:
    grey = Image.new("L", (96, 96), 100)
    before = grey.tobytes()
    assert overlay_photo(grey, _face((0, 0, 48, 48)), np.ones((48, 48)), 0.5).mode == "RGB"
    assert draw_boxes(grey, [_face((10, 30, 40, 40))], ["happy"]).mode == "RGB"
    assert grey.tobytes() == before
    colourful = Image.new("RGB", (96, 96))
    draw_boxes(colourful, [_face((10, 30, 40, 40))], ["happy"])
    overlay_photo(colourful, _face((0, 0, 48, 48)), np.ones((48, 48)), 0.5)
    assert not np.asarray(colourful).any()


def _overlap(a: Rect, b: Rect) -> bool:
    return min(a[2], b[2]) > max(a[0], b[0]) and min(a[3], b[3]) > max(a[1], b[1])


def test_twenty_faces_have_twenty_labels_apart() -> None:
    boxes = [(40 + 150 * column, 60 + 150 * row, 110, 120) for row in range(4) for column in range(5)]
    emotions = [EMOTIONS[i % 7] for i in range(20)]
    rects = label_rects((820, 700), [(x, y, x + w, y + h) for x, y, w, h in boxes], [f"{e}  100 %" for e in emotions])
    assert not any(_overlap(a, b) for i, a in enumerate(rects) for b in rects[:i])
    assert all(left >= 0 and top >= 0 and right <= 820 and bottom <= 700 for left, top, right, bottom in rects)
    picture = draw_boxes(Image.new("RGB", (820, 700), "white"), [_face(b) for b in boxes], emotions, [1.0] * 20)
    for (left, top, _right, _bottom), emotion in zip(rects, emotions, strict=True):
        assert picture.getpixel((round(left) + 5, round(top) + 4)) == rgb(COLOURS[emotion])


def test_a_label_at_the_top_edge_does_not_cover_the_face() -> None:
    box = (100.0, 4.0, 200.0, 104.0)
    (rect,) = label_rects((400, 300), [box], ["happy  87 %"])
    assert not _overlap(rect, box)


def test_crowded_faces_keep_their_labels_apart() -> None:
    boxes = [(30.0 + 34 * i, 50.0, 62.0 + 34 * i, 88.0) for i in range(8)]
    rects = label_rects((330, 160), boxes, ["surprise  87 %"] * 4 + ["sad  9 %"] * 4)
    assert sum(_overlap(a, b) for i, a in enumerate(rects) for b in rects[:i]) <= 2


@pytest.mark.parametrize(
    "box", [(0, 0, 60, 60), (340, 240, 60, 60), (0, 240, 400, 60), (0, 0, 400, 300), (395, 5, 4, 4)]
)
def test_labels_stay_in_the_photo(box: Rect) -> None:
    x, y, width, height = box
    ((left, top, right, bottom),) = label_rects((400, 300), [(x, y, x + width, y + height)], ["surprise  100 %"])
    assert left >= 0
    assert top >= 0
    assert right <= 400
    assert bottom <= 300


def test_lines_grow_with_the_photo() -> None:
    widths = [line_width(size) for size in ((48, 48), (640, 480), (1280, 960), (4000, 3000))]
    assert widths == sorted(widths)
    assert widths[0] == 2
    assert widths[-1] >= 10


def test_selected_box_is_thicker(photo: Image.Image) -> None:
    face = _face((100, 100, 80, 80))
    pixels = [np.asarray(draw_boxes(photo, [face], ["sad"], selected=chosen)) for chosen in (None, 0)]
    counts = [(p == rgb(COLOURS["sad"])).all(2).sum() for p in pixels]
    assert counts[1] > counts[0] * 1.2


def test_numbers_change_the_labels(photo: Image.Image) -> None:
    face = _face((100, 100, 80, 80))
    assert draw_boxes(photo, [face], ["sad"]).tobytes() != draw_boxes(photo, [face], ["sad"], numbered=True).tobytes()


def test_no_faces_is_the_photo(photo: Image.Image) -> None:
    assert draw_boxes(photo, [], []).tobytes() == photo.tobytes()


def test_lists_must_agree(photo: Image.Image) -> None:
    with pytest.raises(ConfigError, match="1 faces"):
        draw_boxes(photo, [_face((1, 1, 9, 9))], ["sad", "happy"])


@pytest.mark.parametrize("emotion", list(COLOURS))
def test_labels_can_be_read_on_their_colours(emotion: str) -> None:
    colour = COLOURS[emotion]
    assert contrast(ink_on(colour, dark=DARK_INK), colour) >= 4.0


@pytest.mark.parametrize("signed", [False, True])
def test_colour_maps_are_ordered_by_lightness(signed: bool) -> None:
    from skimage.color import rgb2lab

    lightness = rgb2lab(table(signed)[None] / 255.0)[0, :, 0]
    halves = [lightness] if not signed else [lightness[:128], lightness[128:][::-1]]
    for half in halves:
        assert np.diff(half).min() > -0.6
        assert half[-1] - half[0] > 40


def test_colour_ends() -> None:
    assert tuple(colour(np.array(1.0), signed=False)) == tuple(table(False)[-1])
    assert tuple(colour(np.array(-1.0), signed=True)) == tuple(table(True)[0])
    assert colour(np.array(0.0), signed=True).min() > 230


@pytest.mark.parametrize("signed", [False, True])
def test_legend(signed: bool) -> None:
    picture = legend(signed, 300, target="surprise")
    assert picture.size == (300, 44)
    assert np.abs(np.asarray(picture)[8, 0].astype(int) - table(signed)[0]).max() <= 3
    assert np.abs(np.asarray(picture)[8, -1].astype(int) - table(signed)[-1]).max() <= 3
    assert (np.asarray(picture)[20:] < 160).any()  # words


def test_a_face_is_anything_with_box_and_transform(photo: Image.Image) -> None:
    stand_in: Any = SimpleNamespace(box=(10, 10, 48, 48), to_crop=np.array([[1.0, 0, -10], [0, 1, -10]]))
    assert overlay_photo(photo, stand_in, _spot(24, 24), 1).tobytes() != photo.tobytes()
