"""One picture that a presenter can put on a slide: photo, what the model saw, heat, and what the colours mean."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fer_core.explain.base import EXPLAINERS
from fer_core.explain.boxes import draw_boxes
from fer_core.explain.face import Explanation
from fer_core.explain.legend import FAINT, INK, PAPER, legend
from fer_core.explain.overlay import OPACITY, overlay_face, overlay_photo

if TYPE_CHECKING:
    from fer_core.inference.faces import Face

SIDE = 384
"""Height of the panels."""
AROUND = 5
"""The photo is shown up to this many times the face's size."""
GAP = 20


def explanation_sheet(
    explanation: Explanation,
    crop: np.ndarray,
    *,
    photo: Image.Image | None = None,
    face: Face | None = None,
    opacity: float = OPACITY,
    side: int = SIDE,
    model: str = "the model",
) -> Image.Image:
    """Panels side by side under one heading, with the legend under the last.

    Args:
        explanation: of this crop.
        crop: uint8 (48, 48).
        photo: the photo the face was found in, shown first with box and heat; left out with `face`.
        face: where it was found.
        opacity: of the heat.
        side: height of the panels in pixels.
        model: whose answer is explained, for the heading.
    """
    panels = [
        ("what the model saw", _plain(crop, side)),
        (_caption(explanation), _heat_panel(explanation, crop, opacity, side)),
    ]
    panels[1:1] = [(words, _plain(picture, side)) for words, picture in explanation.pictures.items()]
    if photo is not None and face is not None:
        panels.insert(0, ("the photo", _photo_panel(explanation, photo, face, opacity, side)))
    colours = legend(explanation.signed, side, target=explanation.target, targeted=explanation.targeted)
    return _compose(_heading(explanation, model), panels, colours, _note(explanation))


def _heading(explanation: Explanation, model: str) -> tuple[str, str]:
    named = f"{explanation.emotion} {100 * explanation.probabilities[explanation.emotion]:.0f} %"
    title = EXPLAINERS[explanation.method].title
    if not explanation.targeted:
        return f"{title}: where the network attends", f"{model} says {named}"
    first = f"{title}: why {explanation.target}?"
    if explanation.target == explanation.emotion:
        return first, f"{model} says {named}"
    chance = 100 * explanation.probabilities[explanation.target]
    return first, f"{model} says {named}, and {explanation.target} {chance:.0f} %"


def _caption(explanation: Explanation) -> str:
    if explanation.message:
        return explanation.message
    if explanation.targeted:
        return "explained"
    return f"attended ({explanation.range_text})" if explanation.range_text else "attended"


def _note(explanation: Explanation) -> str:
    areas = explanation.faithfulness
    if areas is None:
        return ""
    return (
        f"faithfulness: deletion {areas['deletion']:.2f} (lower is better), "
        f"insertion {areas['insertion']:.2f} (higher is better)"
    )


def _plain(crop: np.ndarray, side: int) -> Image.Image:
    """The model's pixels as they are: squares."""
    return Image.fromarray(crop).convert("RGB").resize((side, side), Image.Resampling.NEAREST)


def _heat_panel(explanation: Explanation, crop: np.ndarray, opacity: float, side: int) -> Image.Image:
    return overlay_face(crop, explanation.heatmap, opacity, side, signed=explanation.signed)


def _photo_panel(explanation: Explanation, photo: Image.Image, face: Face, opacity: float, side: int) -> Image.Image:
    """The photo about the face with heat and box, scaled to the height (at most twice as wide as high)."""
    near, there = _closer(photo, face)
    heated = overlay_photo(near, there, explanation.heatmap, opacity, signed=explanation.signed)
    confidence = explanation.probabilities[explanation.emotion]
    boxed = draw_boxes(heated, [there], [explanation.emotion], [confidence])
    scale = min(side / boxed.height, 2 * side / boxed.width)
    size = (max(1, round(boxed.width * scale)), max(1, round(boxed.height * scale)))
    return boxed.resize(size, Image.Resampling.LANCZOS)


def _closer(photo: Image.Image, face: Face) -> tuple[Image.Image, Face]:
    """The part of the photo up to AROUND times the face's size, and the face there: a small face stays visible."""
    x, y, width, height = face.box
    reach = AROUND * max(width, height) / 2
    left, top = max(0, int(x + width / 2 - reach)), max(0, int(y + height / 2 - reach))
    right = min(photo.width, max(left + 1, round(x + width / 2 + reach)))
    bottom = min(photo.height, max(top + 1, round(y + height / 2 + reach)))
    to_crop = face.to_crop.copy()
    to_crop[:, 2] += face.to_crop[:, :2] @ (left, top)
    return photo.crop((left, top, right, bottom)), replace(
        face, box=(x - left, y - top, width, height), to_crop=to_crop
    )


def _compose(
    heading: tuple[str, str], panels: list[tuple[str, Image.Image]], colours: Image.Image, note: str
) -> Image.Image:
    top, height = 84, max(panel.height for _, panel in panels)
    width = GAP + sum(panel.width + GAP for _, panel in panels)
    sheet = Image.new("RGB", (width, top + height + 34 + colours.height + GAP), PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((GAP, 16), heading[0], fill=INK, font=ImageFont.load_default(28))
    pen.text((GAP, 52), heading[1], fill=FAINT, font=ImageFont.load_default(18))
    left = GAP
    for caption, panel in panels:
        sheet.paste(panel, (left, top + (height - panel.height) // 2))
        pen.text((left, top + height + 8), caption, fill=FAINT, font=ImageFont.load_default(14))
        left += panel.width + GAP
    pen.text((GAP, top + height + 56), note, fill=FAINT, font=ImageFont.load_default(14))
    sheet.paste(colours, (width - GAP - colours.width, top + height + 34))
    return sheet
