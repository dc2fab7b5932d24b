"""Pictures for people: heat on the face, heat back on the photo, boxes with emotions, the legend of the colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from fer_core.errors import ConfigError
from fer_core.explain.boxes import draw_boxes
from fer_core.explain.heat_colours import colour
from fer_core.explain.legend import legend

if TYPE_CHECKING:
    from fer_core.inference.faces import Face

__all__ = ["OPACITY", "draw_boxes", "legend", "overlay_face", "overlay_photo"]

OPACITY = 0.65
SMOOTHING = 1.0
"""Standard deviation in crop pixels: single hot pixels become spots that the eye can follow."""
PALEST = 0.35
"""The weakest signed heat is painted in the colour of this strength, thinly."""
FEATHER = 0.08
"""Share of the crop's side over which the heat on a photo fades towards the crop's border."""
FINE = 8
"""The heat is enlarged this many times before it is bent onto the photo."""


def overlay_face(
    crop: np.ndarray, heatmap: np.ndarray, opacity: float = OPACITY, side: int = 336, *, signed: bool | None = None
) -> Image.Image:
    """The crop enlarged smoothly with the heat over it.

    Heat covers as far as it is hot: where nothing matters the face stays as it is. Opacity 0 shows the plain face.

    Args:
        crop: uint8 (H, W).
        heatmap: (H, W), in [0, 1] or, signed, [-1, 1].
        opacity: from 0 (the plain face) to 1 (the hottest places are covered).
        side: of the square picture, in pixels.
        signed: whether heat can be negative; told by the heatmap's sign unless given.

    Returns:
        RGB (side, side).
    """
    check_opacity(opacity)
    signed = _is_signed(heatmap, signed)
    face = np.asarray(Image.fromarray(crop).resize((side, side), Image.Resampling.BICUBIC).convert("RGB"))
    heat = _enlarge(heatmap, (side, side))
    return Image.fromarray(_blend(face, heat, _cover(heat) * opacity, signed))


def overlay_photo(
    photo: Image.Image, face: Face, heatmap: np.ndarray, opacity: float = OPACITY, *, signed: bool | None = None
) -> Image.Image:
    """The photo with the heat where the crop was taken, turned and scaled back, fading towards the crop's border.

    Args:
        photo: upright, the one the face was found in.
        face: whose `to_crop` maps the photo's coordinates to the crop's; pixel i covers [i, i + 1).
        heatmap, opacity, signed: as in `overlay_face`.

    Returns:
        RGB of the photo's size; every pixel outside the crop as it was.
    """
    check_opacity(opacity)
    signed = _is_signed(heatmap, signed)
    picture = photo.convert("RGB")
    left, top, right, bottom = _reach(face.to_crop, heatmap.shape, picture.size)
    if right <= left or bottom <= top or opacity == 0:
        return picture
    heat, fade = _on_photo(heatmap, face.to_crop, (left, top, right, bottom))
    part = np.asarray(picture.crop((left, top, right, bottom)))
    blended = _blend(part, heat, _cover(heat) * fade * opacity, signed)
    picture.paste(Image.fromarray(blended), (left, top))
    return picture


def check_opacity(opacity: float) -> None:
    """Raises ConfigError for an opacity outside [0, 1]."""
    if not 0 <= opacity <= 1:
        raise ConfigError(f"opacity must be from 0 (the plain face) to 1, not {opacity}")


def _is_signed(heatmap: np.ndarray, signed: bool | None) -> bool:
    return bool((heatmap < 0).any()) if signed is None else signed


def _enlarge(heatmap: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H, W) -> float32 of `size` (width, height), smoothed and bicubic."""
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(heatmap.astype(np.float32), SMOOTHING, mode="nearest")
    peak, smooth_peak = np.abs(heatmap).max(initial=0), np.abs(smooth).max(initial=0)
    if smooth_peak > 0:
        smooth = smooth * (peak / smooth_peak)  # the hottest place keeps its heat
    return np.clip(np.asarray(Image.fromarray(smooth).resize(size, Image.Resampling.BICUBIC)), -1, 1)


def _cover(heat: np.ndarray) -> np.ndarray:
    """How far heat covers the face, in [0, 1]: nothing below 12 % of the hottest, half at 40 %, all from 90 %."""
    share = np.clip((np.abs(heat) - 0.12) / 0.78, 0, 1)
    cover: np.ndarray = share**0.7
    return cover


def _blend(picture: np.ndarray, heat: np.ndarray, weight: np.ndarray, signed: bool) -> np.ndarray:
    """uint8 (h, w, 3) with heat (h, w) laid over by weight (h, w)."""
    if signed:  # skip the map's white middle, which would lighten the face where little speaks for or against
        heat = np.sign(heat) * (PALEST + (1 - PALEST) * np.abs(heat))
    share = weight[..., None]
    mixed: np.ndarray = np.rint(picture * (1 - share) + colour(heat, signed=signed) * share).astype(np.uint8)
    return mixed


def _reach(to_crop: np.ndarray, shape: tuple[int, ...], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the crop's square on the photo, cut to the photo."""
    height, width = shape
    corners = np.array([(x, y) for x in (0, width) for y in (0, height)])
    linear, shift = to_crop[:, :2], to_crop[:, 2]
    on_photo = np.linalg.solve(linear, (corners - shift).T).T  # (4, 2)
    low = np.clip(np.floor(on_photo.min(0)), 0, size).astype(int)
    high = np.clip(np.ceil(on_photo.max(0)), 0, size).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _on_photo(
    heatmap: np.ndarray, to_crop: np.ndarray, box: tuple[int, int, int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Heat and fading weight, both float32 (h, w), of the photo's pixels in `box`."""
    import cv2

    left, top, right, bottom = box
    height, width = heatmap.shape
    fine = _enlarge(heatmap, (width * FINE, height * FINE))
    to_fine = np.empty((2, 3))  # OpenCV counts from the centre of the first pixel, to_crop from its corner
    to_fine[:, :2] = FINE * to_crop[:, :2]
    to_fine[:, 2] = FINE * (to_crop @ np.array([left + 0.5, top + 0.5, 1.0])) - 0.5
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    layers = np.dstack([fine, _fade(fine.shape)])
    warped = cv2.warpAffine(layers, to_fine, (right - left, bottom - top), flags=flags)
    return np.clip(warped[..., 0], -1, 1), warped[..., 1]


def _fade(shape: tuple[int, ...]) -> np.ndarray:
    """float32 (h, w): 0 at the border, rising smoothly to 1 over FEATHER of the side."""

    def ramp(length: int) -> np.ndarray:
        place = np.arange(length)
        share = np.clip(np.minimum(place, length - 1 - place) / (FEATHER * length), 0, 1)
        return share * share * (3 - 2 * share)

    height, width = shape
    return np.minimum.outer(ramp(height), ramp(width)).astype(np.float32)
