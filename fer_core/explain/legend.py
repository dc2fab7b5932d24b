"""What the colours of heat mean."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

from fer_core.explain.heat_colours import table

PAPER, INK, FAINT = (255, 255, 255), (28, 30, 36), (104, 110, 122)
HEIGHT = 44


def legend(signed: bool, width: int = 336, *, target: str = "", targeted: bool = True) -> Image.Image:
    """The colours as a strip with words at its ends on white, RGB (44, width).

    Args:
        signed: which of the two colour maps.
        width: in pixels, from about 240 up.
        target: the emotion, named at the ends of a signed strip.
        targeted: whether the heat is about the emotion at all; attention is not.
    """
    picture = Image.new("RGB", (width, HEIGHT), PAPER)
    strip = Image.fromarray(table(signed)[None]).resize((width, 16), Image.Resampling.BILINEAR)
    picture.paste(strip, (0, 0))
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(14)
    first, last = legend_words(signed, target, targeted=targeted)
    pen.text((0, 22), first, fill=FAINT, font=font)
    pen.text((width, 22), last, fill=FAINT, font=font, anchor="ra")
    return picture


def legend_words(signed: bool, target: str = "", *, targeted: bool = True) -> tuple[str, str]:
    """The words at the cold (or opposing) and at the hot end; `targeted` as of the method."""
    if not targeted:
        return "average or less", "attended most"
    if signed:
        return f"against {target}".strip(), f"for {target}".strip()
    return "hardly matters", f"matters for {target}" if target else "matters most"
