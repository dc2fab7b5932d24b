"""Box arithmetic against slow references and its own laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fer_core.inference import boxes
from fer_core.inference.boxes import Overlap


@st.composite
def scored_boxes(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    count = draw(st.integers(0, 25))
    corners = draw(arrays(np.int64, (count, 2), elements=st.integers(-20, 40))).astype(float)
    sizes = draw(arrays(np.int64, (count, 2), elements=st.integers(0, 30))).astype(float)
    scores = draw(arrays(np.int64, count, elements=st.integers(0, 9))) / 10
    return np.hstack([corners, corners + sizes]), scores


def slow_overlap(a: np.ndarray, b: np.ndarray, over: Overlap) -> float:
    wide = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    high = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    whole = sum(areas) - wide * high if over == "union" else min(areas)
    return wide * high / whole if whole > 0 else 0.0


def slow_suppress(rects: np.ndarray, scores: np.ndarray, threshold: float, over: Overlap) -> list[int]:
    kept: list[int] = []
    for index in sorted(range(len(rects)), key=lambda i: (-scores[i], i)):
        if all(slow_overlap(rects[index], rects[other], over) <= threshold for other in kept):
            kept.append(index)
    return kept


@given(scored_boxes(), st.sampled_from([0.0, 0.3, 0.5, 0.7, 1.0]), st.sampled_from(["union", "smaller"]))
def test_suppression_is_the_slow_one(given: tuple[np.ndarray, np.ndarray], threshold: float, over: Overlap) -> None:
    rects, scores = given
    slow = slow_suppress(rects, scores, threshold, over)
    assert boxes.suppress(rects, scores, threshold, over).tolist() == slow
    assert boxes.suppress(rects, scores, threshold, over, most=3).tolist() == slow[:3]


def test_overlap_of_a_known_pair() -> None:
    box, others = np.array([0.0, 0, 10, 10]), np.array([[5.0, 0, 15, 10], [0, 0, 5, 10], [20, 20, 30, 30]])
    assert boxes.overlaps(box, others) == pytest.approx([1 / 3, 0.5, 0])
    assert boxes.overlaps(box, others, "smaller") == pytest.approx([0.5, 1, 0])


@given(scored_boxes())
def test_squares_keep_their_centres_and_hold_their_boxes(given: tuple[np.ndarray, np.ndarray]) -> None:
    rects, _ = given
    squares = boxes.squared(rects)
    sides = squares[:, 2:] - squares[:, :2]
    assert np.allclose(sides[:, 0], sides[:, 1])
    assert np.allclose(squares[:, :2] + squares[:, 2:], rects[:, :2] + rects[:, 2:])
    assert (squares[:, :2] <= rects[:, :2] + 1e-9).all()


def test_offsets_are_fractions_of_the_box() -> None:
    moved = boxes.shift(np.array([[10.0, 20, 30, 60]]), np.array([[0.1, -0.1, 0.5, 0.25]]))
    assert moved.tolist() == [[12, 16, 40, 70]]


@given(scored_boxes())
def test_clipped_boxes_lie_in_the_picture(given: tuple[np.ndarray, np.ndarray]) -> None:
    inside = boxes.clipped(given[0], 30, 20)
    assert (inside >= 0).all()
    assert (inside[:, [0, 2]] <= 30).all()
    assert (inside[:, [1, 3]] <= 20).all()
