"""Many faces in one picture, so that a page sends one image and not hundreds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

SCALE = 2
PAD, BAR, TEXT = 8, 5, 26
GREY = (128, 132, 149, 255)


def contact_sheet(
    faces: np.ndarray,
    captions: Sequence[str],
    colours: Sequence[str],
    *,
    columns: int = 6,
    places: Sequence[int] | None = None,
) -> Image.Image:
    """Faces in rows, each over a coloured bar and its caption, on a transparent ground.

    Args:
        faces: uint8 (N, H, W).
        captions: N short texts, such as row numbers.
        colours: N colours (`#rrggbb`) of the bars, such as those of the labels.
        columns: faces in a row.
        places: the cell that each face takes, counted along the rows (default: one after the other).

    Returns:
        RGBA; `columns` faces wide even where there are fewer, so that every page of a list has one scale.
    """
    height, width = faces.shape[1:]
    places = range(len(faces)) if places is None else places
    cell_w, cell_h = width * SCALE + PAD, height * SCALE + BAR + TEXT + PAD
    sheet = Image.new("RGBA", (columns * cell_w, (max(places, default=0) // columns + 1) * cell_h))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(19)
    for index, face, caption, colour in zip(places, faces, captions, colours, strict=True):
        x, y = index % columns * cell_w + PAD // 2, index // columns * cell_h
        tile = Image.fromarray(np.ascontiguousarray(face)).resize(
            (width * SCALE, height * SCALE), Image.Resampling.BICUBIC
        )
        sheet.paste(tile, (x, y))
        bottom = y + height * SCALE
        draw.rectangle((x, bottom, x + width * SCALE - 1, bottom + BAR - 1), fill=ImageColor.getrgb(colour))
        draw.text((x + width * SCALE / 2, bottom + BAR + TEXT / 2), caption, GREY, font=font, anchor="mm")
    return sheet
