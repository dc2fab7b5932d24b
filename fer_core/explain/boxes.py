"""Boxes around faces with their emotions, readable on any photo at any size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

from fer_core.errors import ConfigError
from fer_core.labels import COLOURS, ink_on

if TYPE_CHECKING:
    from fer_core.inference.faces import Face

Rect = tuple[float, float, float, float]
"""Left, top, right, bottom."""

SMALLEST_FONT = 11
DARK_INK, HALO = "#18181c", "#101014"


def draw_boxes(
    photo: Image.Image,
    faces: Sequence[Face],
    emotions: Sequence[str],
    confidences: Sequence[float] | None = None,
    *,
    numbered: bool = False,
    selected: int | None = None,
) -> Image.Image:
    """The photo with a box and a label for each face.

    Lines and letters grow with the photo, letters shrink with small faces down to 11 pixels; a label stands above its
    box, or else below or inside it, where it stays in the photo and covers no other face or label if there is room.

    Args:
        photo: upright.
        faces: whose `box` is (x, y, width, height) in the photo's pixels.
        emotions: one for each face.
        confidences: probabilities in [0, 1], one for each face, or None to leave them out.
        numbered: whether labels begin with the face's number, from 1.
        selected: index of the face whose box is drawn thicker, and over the others.

    Returns:
        RGB of the photo's size.
    """
    if len(faces) != len(emotions) or (confidences is not None and len(confidences) != len(faces)):
        raise ConfigError(f"there are {len(faces)} faces; give as many emotions and confidences")
    picture = photo.convert("RGB")
    pen = ImageDraw.Draw(picture)
    boxes = [_rect(face) for face in faces]
    order = sorted(range(len(faces)), key=lambda i: (i == selected, i))
    width = line_width(picture.size)
    for i in order:
        _draw_box(pen, boxes[i], _colour(emotions[i]), width * (2 if i == selected else 1))
    texts = [
        _text(i, emotions[i], None if confidences is None else confidences[i], numbered) for i in range(len(faces))
    ]
    _draw_labels(pen, picture.size, boxes, texts, [_colour(emotion) for emotion in emotions])
    return picture


def line_width(size: tuple[int, int]) -> int:
    """Pixels; 2 on a small picture, 4 on one of 1280x960, 12 on one of 12 megapixels."""
    return max(2, round(min(size) / 260))


def _rect(face: Face) -> Rect:
    x, y, width, height = (float(value) for value in face.box)
    return x, y, x + width, y + height


def _colour(emotion: str) -> str:
    return COLOURS.get(emotion, "#7d8597")


def _text(index: int, emotion: str, confidence: float | None, numbered: bool) -> str:
    parts = [str(index + 1)] if numbered else []
    parts.append(emotion)
    if confidence is not None:
        parts.append(f"{100 * confidence:.0f} %")
    return "  ".join(parts)


def _draw_box(pen: ImageDraw.ImageDraw, box: Rect, colour: str, width: int) -> None:
    left, top, right, bottom = box
    rim = max(1, width // 3)  # a dark rim inside and outside keeps the line apart from any background
    pen.rectangle((left - rim, top - rim, right + rim, bottom + rim), outline=HALO, width=width + 2 * rim)
    pen.rectangle(box, outline=colour, width=width)


def _draw_labels(
    pen: ImageDraw.ImageDraw,
    size: tuple[int, int],
    boxes: Sequence[Rect],
    texts: Sequence[str],
    colours: Sequence[str],
) -> None:
    for rect, box, text, colour in zip(label_rects(size, boxes, texts), boxes, texts, colours, strict=True):
        font = _font(size, box)
        pen.rounded_rectangle(rect, radius=font.size / 5, fill=colour, outline=HALO)
        centre = ((rect[0] + rect[2]) / 2, (rect[1] + rect[3]) / 2)
        pen.text(centre, text, fill=ink_on(colour, dark=DARK_INK), font=font, anchor="mm")


def label_rects(size: tuple[int, int], boxes: Sequence[Rect], texts: Sequence[str]) -> list[Rect]:
    """Where the labels of the boxes stand on a photo of that size, each chosen with the earlier ones in view."""
    placed: list[Rect] = []
    for i, (box, text) in enumerate(zip(boxes, texts, strict=True)):
        others = [*boxes[:i], *boxes[i + 1 :]]
        label = _label_size(_font(size, box), text)
        placed.append(_place(box, label, size, ([*placed, *others, box], [*placed, *others], placed)))
    return placed


def _font(size: tuple[int, int], box: Rect) -> ImageFont.FreeTypeFont:
    """Letters of 1/32 of the photo's shorter side, at most 1/6 of the box's width, at least 11 pixels."""
    height = min(min(size) / 32, (box[2] - box[0]) / 6)
    font = ImageFont.load_default(max(SMALLEST_FONT, round(height)))
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise ConfigError("this Pillow has no FreeType, which labels need; install Pillow from its wheel")
    return font


def _label_size(font: ImageFont.FreeTypeFont, text: str) -> tuple[float, float]:
    return font.getlength(text) + 0.9 * font.size, 1.5 * font.size


def _place(box: Rect, label: tuple[float, float], size: tuple[int, int], obstacles: Sequence[Sequence[Rect]]) -> Rect:
    """The first place that is free of the first obstacles, else of the second, ..., else covers least of the last."""
    places = [_inside(rect, size) for rect in _places(box, label)]
    for taken in obstacles:
        for rect in places:
            if not any(_overlap(rect, other) for other in taken):
                return rect
    return min(places, key=lambda rect: sum(_overlap(rect, other) for other in obstacles[-1]))


def _places(box: Rect, label: tuple[float, float]) -> Iterator[Rect]:
    left, top, right, bottom = box
    width, height = label
    for y in (top - height - 2, bottom + 2, top + 2, bottom - height - 2):
        for x in (left, right - width):
            yield x, y, x + width, y + height


def _inside(rect: Rect, size: tuple[int, int]) -> Rect:
    """The rectangle, pushed into the photo."""
    left = min(max(rect[0], 0), max(0, size[0] - 1 - (rect[2] - rect[0])))
    top = min(max(rect[1], 0), max(0, size[1] - 1 - (rect[3] - rect[1])))
    return left, top, left + rect[2] - rect[0], top + rect[3] - rect[1]


def _overlap(a: Rect, b: Rect) -> float:
    """Common area."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return width * height if width > 0 and height > 0 else 0.0
