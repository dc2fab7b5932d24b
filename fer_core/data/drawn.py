"""Faces drawn by code: cartoons whose mouth, brows and eyes follow the emotion.

They belong to nobody and may be shipped: tests use them as a small dataset, the pages as bundled examples. A face is
drawn on a canvas of several times its size, in unit coordinates (the head spans about -1..1, y points down), and then
averaged down, so that it is smooth at 48 pixels and at 512.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from fer_core.data.table import SIDE, FaceDataset
from fer_core.errors import ConfigError
from fer_core.labels import EMOTIONS, FERPLUS_EMOTIONS, SPLITS, VOTE_COLUMNS

VOTERS: Final = 10
"""FER+ asked ten people a face."""

_MINIMUM_CANVAS: Final = 240
_INK: Final = 0.10
_WHITE: Final = 0.97

Window = tuple[slice, slice]
"""Rows and columns of a picture."""


@dataclass(frozen=True)
class Expression:
    """What an emotion does to a face. Lengths are in units of half the picture; y points down.

    The mouth lies between an upper and a lower lip curve that meet in the corners; the upper lid is a straight line
    that covers the eye from above, tilted outwards (positive) or inwards (negative).
    """

    brow_inner: float
    brow_outer: float
    brow_arch: float
    brow_skew: float
    eye_open: float
    lid: float
    lid_tilt: float
    iris: float
    mouth_width: float
    corner: float
    upper: float
    lower: float
    squareness: float = 0.5
    teeth: float = 0.0
    tongue: float = 0.0
    tilt: float = 0.0
    wobble: float = 0.0


EXPRESSIONS: Final = {
    "angry": Expression(0.13, -0.09, 0.00, 0.0, 0.14, -0.02, -0.42, 0.085, 0.31, 0.10, -0.09, 0.09, 0.30, teeth=0.5),
    "disgust": Expression(0.10, 0.02, 0.04, 0.10, 0.10, -0.03, 0.02, 0.075, 0.27, 0.08, -0.07, 0.06, 0.6, 0, 0.9, 0.07),
    "fear": Expression(
        -0.20, -0.04, 0.05, 0.0, 0.23, -0.30, 0.0, 0.062, 0.31, 0.10, -0.05, 0.17, 0.35, 0.30, 0, 0, 0.03
    ),
    "happy": Expression(-0.08, -0.02, 0.09, 0.0, 0.15, -0.30, 0.0, 0.095, 0.42, -0.11, -0.03, 0.27, 0.75, 0.42, 0.35),
    "sad": Expression(-0.17, 0.06, -0.02, 0.0, 0.15, -0.04, 0.32, 0.090, 0.24, 0.09, -0.05, 0.00, 1.0),
    "surprise": Expression(-0.23, -0.17, 0.12, 0.0, 0.22, -0.40, 0.0, 0.090, 0.19, 0.0, -0.17, 0.25, 0.5, 0, 0.25),
    "neutral": Expression(-0.06, -0.04, 0.05, 0.0, 0.15, -0.12, 0.0, 0.090, 0.26, 0.0, 0.0, 0.02, 1.0),
    "contempt": Expression(0.02, 0.00, 0.03, -0.12, 0.12, -0.03, 0.0, 0.085, 0.25, 0.0, 0.02, 0.05, 1.0, 0, 0, -0.09),
}
"""How each emotion is drawn before chance varies it."""


@dataclass(frozen=True)
class Look:
    """Who is drawn: greys in 0..1, shapes in units of half the picture."""

    backdrop: float
    skin: float
    hair: float
    iris: float
    width: float
    jaw: float
    eye_gap: float
    eye_width: float
    brow: float
    nose: float
    fringe: int
    long_hair: bool
    glasses: bool
    freckles: bool
    parting: float
    gaze: tuple[float, float]


class Canvas:
    """A square grey picture drawn on in unit coordinates through a similarity transform.

    Args:
        side: height and width in pixels.
        level: the grey (0..1) that fills it.
        angle: rotation in radians.
        scale: pixels of the picture per unit of the face, over side / 2.
        shift: (x, y) in units.
    """

    def __init__(self, side: int, level: float, angle: float, scale: float, shift: tuple[float, float]) -> None:
        self.side = side
        self.grey = np.full((side, side), level, np.float32)
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        self._matrix = turn * scale * side / 2
        self._offset = (np.array(shift) + 1) * side / 2
        self._pixels = scale * side / 2

    def mask(self, points: np.ndarray) -> np.ndarray:
        """float32 (side, side): 1 inside the polygon (float (P, 2), units), with a soft edge."""
        mask = np.zeros((self.side, self.side), np.float32)
        window, part = self._polygon(points)
        mask[window] = part
        return mask

    def fill(self, points: np.ndarray, grey: float, inside: np.ndarray | None = None) -> None:
        """Paints a polygon, where `inside` (a mask) allows it."""
        self._paint(*self._polygon(points), grey, inside)

    def line(self, points: np.ndarray, grey: float, width: float, inside: np.ndarray | None = None) -> None:
        """Draws a curve with round ends; `width` in units."""
        import cv2

        thickness = max(1, round(width * self._pixels))
        fixed = self._fixed(points)
        window, part, moved = self._window(fixed, margin=thickness)
        cv2.polylines(part, [moved], False, 255, thickness, cv2.LINE_AA, shift=4)
        self._paint(window, part.astype(np.float32) / 255, grey, inside)

    def blend(self, mask: np.ndarray, grey: float | np.ndarray) -> None:
        """Mixes `grey` in by `mask` (0 keeps the picture, 1 replaces it)."""
        self.grey += mask * (grey - self.grey)

    def finish(self, side: int) -> np.ndarray:
        """uint8 (side, side), averaged down."""
        import cv2

        small = cv2.resize(self.grey, (side, side), interpolation=cv2.INTER_AREA)
        return np.clip(small * 255 + 0.5, 0, 255).astype(np.uint8)

    def _fixed(self, points: np.ndarray) -> np.ndarray:
        pixels = np.asarray(points) @ self._matrix.T + self._offset
        return np.round(pixels * 16).astype(np.int32)  # four binary places, as OpenCV's `shift` wants them

    def _polygon(self, points: np.ndarray) -> tuple[Window, np.ndarray]:
        import cv2

        window, part, moved = self._window(self._fixed(points), margin=2)
        cv2.fillPoly(part, [moved], 255, cv2.LINE_AA, shift=4)
        return window, part.astype(np.float32) / 255

    def _window(self, fixed: np.ndarray, margin: int) -> tuple[Window, np.ndarray, np.ndarray]:
        """The part of the picture that a shape touches, an empty uint8 mask of it, and the points moved into it."""
        low = np.clip(fixed.min(axis=0) // 16 - margin, 0, self.side - 1)
        high = np.clip(fixed.max(axis=0) // 16 + margin + 2, low + 1, self.side)
        part = np.zeros(tuple((high - low)[::-1]), np.uint8)
        return (slice(low[1], high[1]), slice(low[0], high[0])), part, fixed - (low * 16).astype(np.int32)

    def _paint(self, window: Window, part: np.ndarray, grey: float, inside: np.ndarray | None) -> None:
        mask = part if inside is None else part * inside[window]
        self.grey[window] += mask * (grey - self.grey[window])


def draw_face(emotion: str, *, rng: np.random.Generator, side: int = SIDE) -> np.ndarray:
    """A cartoon of one emotion, uint8 (side, side); who it is, and how strongly it shows, comes from `rng`.

    Args:
        emotion: one of the seven emotions, or contempt.
        rng: the same state draws the same face, at every size.
        side: height and width in pixels, 16 to 1024.

    Raises:
        ConfigError: there is no such emotion, or the side is out of range.
    """
    if emotion not in EXPRESSIONS:
        raise ConfigError(f"no drawn face for {emotion!r}; there are {', '.join(FERPLUS_EMOTIONS)}")
    if not 16 <= side <= 1024:
        raise ConfigError(f"a drawn face has 16 to 1024 pixels a side, not {side}")
    look, expression = _look(rng), _vary(EXPRESSIONS[emotion], rng)
    pose = (rng.normal(0, 0.06), rng.uniform(0.90, 1.0), (rng.normal(0, 0.03), rng.normal(0.02, 0.03)))
    canvas = Canvas(side * max(3, math.ceil(_MINIMUM_CANVAS / side)), look.backdrop, *pose)
    _draw_back(canvas, look)
    head = _draw_head(canvas, look)
    _draw_signs(canvas, look, emotion, head)
    _draw_nose(canvas, look, emotion)
    for sign in (-1, 1):
        _draw_eye(canvas, look, expression, sign, smiling=emotion == "happy" and look.parting > 0)
        _draw_brow(canvas, look, expression, sign)
    _draw_mouth(canvas, look, expression)
    _draw_fringe(canvas, look, head)
    if look.glasses:
        _draw_glasses(canvas, look)
    if emotion in ("fear", "sad"):
        _draw_drop(canvas, emotion, look)
    return canvas.finish(side)


def drawn_dataset(
    per_class: int = 12,
    *,
    seed: int = 0,
    splits: Sequence[str] = SPLITS,
    votes: bool = True,
    imbalance: Sequence[float] | None = None,
) -> FaceDataset:
    """A small dataset of drawn faces with the schema of the real one.

    Args:
        per_class: faces of each emotion in each split.
        seed: the same seed draws the same dataset.
        splits: the splits that it has.
        votes: whether it carries FER+'s vote columns (ten votes a row, most for the label).
        imbalance: seven factors on `per_class`, one an emotion; every emotion keeps at least one face.
    """
    rng = np.random.default_rng(seed)
    factors = imbalance or [1.0] * len(EMOTIONS)
    sizes = [max(1, round(per_class * factor)) for factor in factors]
    split = np.repeat(np.array(splits, dtype=object), sum(sizes))
    label = np.tile(np.repeat(np.arange(len(EMOTIONS)), sizes), len(splits))
    order = np.concatenate([part * sum(sizes) + rng.permutation(sum(sizes)) for part in range(len(splits))])
    label = label[order]
    pixels = np.stack([draw_face(EMOTIONS[index], rng=rng) for index in label])
    table = pd.DataFrame({"row": np.arange(len(label)), "split": pd.Series(split, dtype="str"), "label": label})
    if votes:
        table = table.assign(**_draw_votes(label, rng))
    return FaceDataset(table, pixels, "drawn")


def _draw_votes(label: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """FER+'s ten columns, each int64 (N,): six to ten votes for the label, the rest wherever chance puts them."""
    votes = np.zeros((len(label), len(VOTE_COLUMNS)), np.int64)
    for row, index in enumerate(label):
        sure = int(rng.integers(6, VOTERS + 1))
        votes[row] = rng.multinomial(VOTERS - sure, np.full(len(VOTE_COLUMNS), 1 / len(VOTE_COLUMNS)))
        votes[row, index] += sure
    return {column: votes[:, index] for index, column in enumerate(VOTE_COLUMNS)}


def _look(rng: np.random.Generator) -> Look:
    skin = rng.uniform(0.52, 0.90)
    dark_hair = skin < 0.62 or rng.random() < 0.7
    return Look(
        backdrop=rng.uniform(0.10, 0.34) if skin > 0.72 or rng.random() < 0.5 else rng.uniform(0.84, 0.93),
        skin=skin,
        hair=rng.uniform(0.05, 0.28) if dark_hair else min(skin + rng.uniform(0.08, 0.16), 0.98),
        iris=rng.uniform(0.16, 0.42),
        width=rng.uniform(0.66, 0.80),
        jaw=rng.uniform(0.55, 0.95),
        eye_gap=rng.uniform(0.30, 0.36),
        eye_width=rng.uniform(0.165, 0.20),
        brow=rng.uniform(0.055, 0.095),
        nose=rng.uniform(0.06, 0.11),
        fringe=(fringe := int(rng.integers(0, 5))),
        long_hair=bool(rng.random() < 0.4) and fringe < 4,
        glasses=bool(rng.random() < 0.15),
        freckles=bool(rng.random() < 0.25),
        parting=rng.uniform(-0.5, 0.5),
        gaze=(rng.normal(0, 0.012), rng.normal(0, 0.008)),
    )


def _vary(base: Expression, rng: np.random.Generator) -> Expression:
    """The expression, a little stronger or weaker, and not quite the same twice."""
    strength = rng.uniform(0.85, 1.15)
    moved = {
        name: getattr(base, name) * strength * rng.uniform(0.92, 1.08)
        for name in ("brow_inner", "brow_outer", "brow_arch", "mouth_width", "corner", "upper", "lower", "tilt")
    }
    return replace(base, **moved, eye_open=base.eye_open * rng.uniform(0.92, 1.08))


def _ellipse(centre: tuple[float, float], radii: tuple[float, float], count: int = 72) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([centre[0] + radii[0] * np.cos(angle), centre[1] + radii[1] * np.sin(angle)], axis=1)


def _curve(start: Sequence[float], control: Sequence[float], end: Sequence[float], count: int = 32) -> np.ndarray:
    """A quadratic Bezier curve, float (count, 2)."""
    t = np.linspace(0, 1, count)[:, None]
    a, b, c = (np.asarray(point, float) for point in (start, control, end))
    return (1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c


def _head_outline(look: Look, grow: float = 0.0) -> np.ndarray:
    """A head that narrows towards the chin by `jaw`, float (P, 2)."""
    angle = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    x, y = np.cos(angle), np.sin(angle)
    narrow = np.where(y > 0, 1 - (1 - look.jaw) * 0.55 * y**2, 1.0)
    squarer = np.sign(x) * np.abs(x) ** 0.9
    return np.stack([squarer * (look.width + grow) * narrow, 0.04 + y * (0.88 + grow)], axis=1)


def _draw_back(canvas: Canvas, look: Look) -> None:
    """Backdrop, hair behind the head, neck and shoulders."""
    rows = np.linspace(0.06, -0.06, canvas.side, dtype=np.float32)[:, None]
    canvas.grey += rows
    if look.long_hair:
        sides = _ellipse((0, 0.12), (look.width + 0.20, 1.02))
        canvas.fill(np.concatenate([sides, [(look.width + 0.2, 1.3), (-look.width - 0.2, 1.3)]])[:36], look.hair)
        canvas.fill(_ellipse((0, 0.10), (look.width + 0.19, 1.03)), look.hair)
    canvas.fill(_ellipse((0, 1.42), (1.0, 0.46)), 0.5 * look.skin + 0.12)
    canvas.fill(np.array([(-0.3, 0.6), (0.3, 0.6), (0.34, 1.2), (-0.34, 1.2)]), 0.74 * look.skin)


def _draw_head(canvas: Canvas, look: Look) -> np.ndarray:
    """Ears and head, lit from the upper left; returns the head's mask."""
    for sign in (-1, 1):
        canvas.fill(_ellipse((sign * (look.width + 0.01), 0.06), (0.10, 0.17)), look.skin * 0.82)
        canvas.fill(_ellipse((sign * (look.width + 0.02), 0.06), (0.05, 0.10)), look.skin * 0.66)
    canvas.fill(_head_outline(look, grow=0.02), look.skin * 0.55)
    steps = np.linspace(-1, 1, canvas.side, dtype=np.float32)
    light = 1 - 0.13 * (steps[None, :] + 0.25) ** 2 - 0.10 * (steps[:, None] + 0.15) ** 2 - 0.05 * steps[None, :]
    head = canvas.mask(_head_outline(look))
    canvas.blend(head, np.clip(look.skin * light, 0, 1))
    return head


def _draw_signs(canvas: Canvas, look: Look, emotion: str, head: np.ndarray) -> None:
    """Freckles and what the skin shows: blushing cheeks, a furrowed brow, a wrinkled nose, a pale forehead."""
    dark = look.skin * 0.72
    if look.freckles:
        for x, y in ((0.40, 0.20), (0.48, 0.26), (0.36, 0.29)):
            for sign in (-1, 1):
                canvas.fill(_ellipse((sign * x, y), (0.018, 0.018), 12), dark)
    if emotion == "happy":
        for sign in (-1, 1):
            canvas.fill(_ellipse((sign * 0.48, 0.25), (0.15, 0.09)), look.skin * 0.86, head)
    if emotion == "angry":
        for sign in (-1, 1):
            canvas.line(_curve((sign * 0.07, -0.40), (sign * 0.03, -0.33), (sign * 0.06, -0.25)), look.skin * 0.5, 0.03)
    if emotion == "disgust":
        for y in (-0.16, -0.08, 0.0):
            canvas.line(_curve((-0.09, y), (0, y - 0.06), (0.09, y)), look.skin * 0.55, 0.026)
        for sign in (-1, 1):
            canvas.line(_curve((sign * 0.16, 0.20), (sign * 0.34, 0.24), (sign * 0.40, 0.46)), look.skin * 0.6, 0.03)
    if emotion == "fear":
        for x in (-0.09, 0.0, 0.09):
            canvas.line(_curve((x, -0.52), (x + 0.01, -0.46), (x, -0.40)), look.skin * 0.7, 0.022)


def _draw_nose(canvas: Canvas, look: Look, emotion: str) -> None:
    lift = -0.04 if emotion == "disgust" else 0.0
    points = _curve((-look.nose, 0.16 + lift), (0, 0.26 + lift), (look.nose, 0.16 + lift))
    canvas.line(points, look.skin * 0.55, 0.04)
    canvas.line(_curve((0.01, -0.06), (look.nose * 0.9, 0.06), (look.nose, 0.16 + lift)), look.skin * 0.8, 0.02)


def _eye_outline(look: Look, expression: Expression, sign: int) -> tuple[np.ndarray, np.ndarray]:
    """(upper edge, lower edge) of an eye, each float (P, 2), from its inner to its outer corner."""
    x = np.linspace(-1, 1, 41)
    arch = np.sqrt(np.clip(1 - x**2, 0, 1))
    top = np.maximum(-expression.eye_open * arch, expression.lid + expression.lid_tilt * x * look.eye_width)
    bottom = np.maximum(expression.eye_open * 0.9 * arch, top + 0.005)
    top = np.minimum(top, bottom)
    across = sign * (look.eye_gap + x * look.eye_width)
    return np.stack([across, -0.14 + top], axis=1), np.stack([across, -0.14 + bottom], axis=1)


def _draw_eye(canvas: Canvas, look: Look, expression: Expression, sign: int, *, smiling: bool) -> None:
    centre = sign * look.eye_gap
    if smiling:  # eyes closed by the cheeks
        ends = (centre - look.eye_width, -0.09), (centre, -0.36), (centre + look.eye_width, -0.09)
        canvas.line(_curve(*ends), _INK, 0.06)
        return
    top, bottom = _eye_outline(look, expression, sign)
    outline = np.concatenate([top, bottom[::-1]])
    inside = canvas.mask(outline)
    canvas.blend(inside, _WHITE)
    x, y = centre + look.gaze[0], -0.13 + look.gaze[1]
    size = expression.iris
    canvas.fill(_ellipse((x, y), (size * 1.25, size * 1.25)), look.iris, inside)
    canvas.fill(_ellipse((x, y), (size * 0.7, size * 0.7)), 0.03, inside)
    canvas.fill(_ellipse((x - size * 0.4, y - size * 0.45), (size * 0.33, size * 0.33)), 1.0, inside)
    canvas.line(top, _INK, 0.05)
    canvas.line(bottom, look.skin * 0.5, 0.02)


def _draw_brow(canvas: Canvas, look: Look, expression: Expression, sign: int) -> None:
    base = -0.38 - 0.4 * max(0.0, expression.eye_open - 0.16) - sign * expression.brow_skew
    inner = sign * (look.eye_gap - look.eye_width * 1.0), base + expression.brow_inner
    outer = sign * (look.eye_gap + look.eye_width * 1.2), base + expression.brow_outer
    middle = (inner[0] + outer[0]) / 2, (inner[1] + outer[1]) / 2 - 2 * expression.brow_arch
    spine = _curve(inner, middle, outer)
    half = look.brow * np.linspace(1.0, 0.45, len(spine))[:, None] / 2 * np.array([[0, 1]])
    outline = np.concatenate([spine - half, (spine + half)[::-1]])
    grey = min(look.hair, look.skin * 0.42)
    canvas.fill(outline, grey)
    canvas.line(spine, grey, look.brow * 0.5)


def _lips(expression: Expression) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(x, upper lip, lower lip), each float (P,), from corner to corner."""
    x = np.linspace(-1, 1, 61)
    arch = np.clip(1 - x**2, 0, 1) ** expression.squareness
    sway = expression.tilt * x + expression.wobble * np.sin(3.5 * np.pi * x)
    upper = expression.corner + (expression.upper - expression.corner) * arch + sway
    lower = expression.corner + (expression.lower - expression.corner) * arch + sway
    return x * expression.mouth_width, 0.50 + upper, 0.50 + lower


def _draw_mouth(canvas: Canvas, look: Look, expression: Expression) -> None:
    x, upper, lower = _lips(expression)
    top, bottom = np.stack([x, upper], axis=1), np.stack([x, lower], axis=1)
    gap = float((lower - upper).max())
    if gap < 0.08:  # closed
        canvas.line((top + bottom) / 2, look.skin * 0.26, 0.06)
        chin = bottom[30, 1] + 0.11
        canvas.line(_curve((-0.09, chin), (0, chin + 0.03), (0.09, chin)), look.skin * 0.7, 0.03)
        return
    inside = canvas.mask(np.concatenate([top, bottom[::-1]]))
    canvas.blend(inside, 0.10)
    if expression.teeth:
        _draw_teeth(canvas, expression, inside)
    if expression.tongue:
        _draw_tongue(canvas, expression, float(lower.max()), inside)
    edge = look.skin * 0.34
    canvas.line(top, edge, 0.045)
    canvas.line(bottom, edge, 0.045)


def _draw_teeth(canvas: Canvas, expression: Expression, inside: np.ndarray) -> None:
    """A row of teeth under the upper lip, or two clenched ones where `teeth` is a half."""
    x, upper, lower = _lips(expression)
    depth = 1.0 if expression.teeth == 0.5 else expression.teeth
    edge = upper + depth * (lower - upper)
    canvas.fill(np.stack([np.r_[x, x[::-1]], np.r_[upper, edge[::-1]]], axis=1), _WHITE, inside)
    if depth == 1.0:
        canvas.line(np.stack([x, (upper + lower) / 2], axis=1), 0.3, 0.022, inside)
        for tooth in np.linspace(-0.75, 0.75, 6) * expression.mouth_width:
            canvas.line(np.array([(tooth, 0.2), (tooth, 0.9)]), 0.45, 0.014, inside)


def _draw_tongue(canvas: Canvas, expression: Expression, bottom: float, inside: np.ndarray) -> None:
    """A tongue inside the mouth, or stuck out where `tongue` is near 1."""
    if expression.tongue < 0.6:
        canvas.fill(_ellipse((0, bottom), (expression.mouth_width * 0.55, 0.10)), 0.45, inside)
        return
    x, half = 0.05, 0.13
    tip = _curve((x - half, bottom), (x, bottom + 0.42), (x + half, bottom))
    shape = np.concatenate([[(x - half, bottom - 0.06)], tip, [(x + half, bottom - 0.06)]])
    canvas.fill(shape, 0.50)
    canvas.line(shape, 0.22, 0.028)
    canvas.line(np.array([(x, bottom - 0.03), (x, bottom + 0.11)]), 0.30, 0.02)


def _draw_fringe(canvas: Canvas, look: Look, head: np.ndarray) -> None:
    """Hair on the head in one of five cuts; the last is none."""
    crown = _head_outline(look, grow=0.08)
    if look.fringe == 4:
        return
    cap = np.concatenate([[(-1.3, -1.4), (1.3, -1.4)], _hairline(look)[::-1]])
    canvas.blend(np.maximum(canvas.mask(crown), head) * canvas.mask(cap), look.hair)
    shine = min(look.hair + 0.10, 1.0)
    canvas.line(
        _curve((-0.45, -0.76), (-0.2, -0.90), (0.1, -0.90)), shine, 0.035, canvas.mask(crown) * canvas.mask(cap)
    )


def _hairline(look: Look) -> np.ndarray:
    """The lower edge of the hair on the forehead, from the left to the right, float (P, 2)."""
    if look.fringe == 0:
        return _curve((-1.1, -0.22), (look.parting, -1.02), (1.1, -0.22))
    if look.fringe == 1:
        left = _curve((-1.1, -0.1), (-0.5, -0.66), (look.parting, -0.84))
        return np.concatenate([left, _curve((look.parting, -0.84), (0.6, -0.72), (1.1, -0.1))])
    if look.fringe == 2:
        x = np.linspace(-0.75, 0.75, 11)
        spikes = np.stack([x, np.where(np.arange(11) % 2, -0.57, -0.74)], axis=1)
        return np.concatenate([[(-1.1, -0.28)], spikes, [(1.1, -0.28)]])
    return _curve((-1.1, -0.62), (0.1, -0.74), (1.1, -0.16))


def _draw_glasses(canvas: Canvas, look: Look) -> None:
    ring = np.concatenate([_ellipse((0, 0), (1, 1)), _ellipse((0, 0), (1, 1))[:1]])
    for sign in (-1, 1):
        canvas.line(ring * 0.25 + (sign * look.eye_gap, -0.13), 0.12, 0.035)
    canvas.line(_curve((-look.eye_gap + 0.25, -0.15), (0, -0.20), (look.eye_gap - 0.25, -0.15)), 0.12, 0.035)


def _draw_drop(canvas: Canvas, emotion: str, look: Look) -> None:
    """A tear on the cheek of the sad, a drop of sweat on the temple of the afraid."""
    x, y = (look.eye_gap + 0.05, 0.22) if emotion == "sad" else (0.62, -0.30)
    left = _curve((x, y - 0.17), (x - 0.01, y - 0.05), (x - 0.065, y + 0.02))
    round_end = _ellipse((x, y + 0.03), (0.065, 0.07))[36::-1]
    drop = np.concatenate([left, round_end, left[::-1] * (-1, 1) + (2 * x, 0)])
    canvas.fill(drop, 0.99)
    canvas.line(drop, 0.38, 0.022)
    canvas.fill(_ellipse((x + 0.02, y + 0.05), (0.022, 0.03)), 0.75)
