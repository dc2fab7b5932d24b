"""Boxes as float arrays (N, 4) of corners x1, y1, x2, y2 in pixels, the far edge not included."""

from __future__ import annotations

from typing import Literal

import numpy as np

Overlap = Literal["union", "smaller"]
"""What an intersection is divided by: the area of both boxes together, or the area of the smaller one."""


def overlaps(box: np.ndarray, others: np.ndarray, over: Overlap = "union") -> np.ndarray:
    """Shared area of one box (4,) with each of (N, 4), as a fraction in [0, 1]: float (N,); 0 for empty boxes."""
    sides = np.maximum(np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2]), 0)
    shared, area, areas = sides[:, 0] * sides[:, 1], _areas(box[None])[0], _areas(others)
    whole = area + areas - shared if over == "union" else np.minimum(area, areas)
    return shared / np.where(whole > 0, whole, 1)


def _areas(boxes: np.ndarray) -> np.ndarray:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def suppress(
    boxes: np.ndarray, scores: np.ndarray, threshold: float, over: Overlap = "union", most: int | None = None
) -> np.ndarray:
    """Greedy non-maximum suppression.

    Args:
        boxes: (N, 4) corners.
        scores: (N,); of equal ones the earlier box goes first.
        threshold: a box goes where it overlaps a better one by more than this fraction.
        over: what the overlap is measured against.
        most: how many boxes stay at most.

    Returns:
        Indices of the boxes that stay, best first.
    """
    waiting = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while waiting.size and len(kept) != most:
        best, waiting = waiting[0], waiting[1:]
        kept.append(best)
        waiting = waiting[overlaps(boxes[best], boxes[waiting], over) <= threshold]
    return np.array(kept, dtype=np.intp)


def shift(boxes: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Moves each corner by a fraction of its box's size; offsets (N, 4) as MTCNN's nets give them."""
    size = boxes[:, 2:] - boxes[:, :2]
    return boxes + offsets * np.tile(size, 2)


def squared(boxes: np.ndarray) -> np.ndarray:
    """The smallest square around each box, with the same centre."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
    return np.hstack([centre - half, centre + half])


def clipped(boxes: np.ndarray, width: float, height: float) -> np.ndarray:
    """The part of each box that lies in the picture."""
    return np.clip(boxes, 0, [width, height, width, height])
