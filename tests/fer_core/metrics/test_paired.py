"""Two models on the same faces, against direct computations."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_core.metrics import paired_difference, wilson_interval

CELLS = st.tuples(*[st.integers(0, 40)] * 4).filter(any)
"""Faces that both read rightly, the first alone, the second alone, neither."""


def answers(both: int, first: int, second: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    """Which faces two models read rightly."""
    counts = (both, first, second, neither)
    return np.repeat([True, True, False, False], counts), np.repeat([True, False, True, False], counts)


def covered(share: float, against: float, n: int) -> float:
    """How often the interval holds `share` - `against`, those alone being right so often; every outcome is counted."""
    total = 0.0
    for ahead in range(n + 1):
        for behind in range(n + 1 - ahead):
            low, high = paired_difference(*answers(n - ahead - behind, ahead, behind, 0)).interval
            ways = comb(n, ahead) * comb(n - ahead, behind)
            chance = ways * share**ahead * against**behind * (1 - share - against) ** (n - ahead - behind)
            total += chance * (low <= share - against <= high)
    return total


def test_by_hand() -> None:
    found = paired_difference(*answers(36, 12, 2, 0))
    assert (found.n, found.only_first, found.only_second) == (50, 12, 2)
    assert found.difference == pytest.approx(0.2)
    assert found.p_value == pytest.approx(2 * (1 + 14 + 91) / 2**14)
    centre, half = 10 / 52, 1.959964 * np.sqrt(15 - 100 / 52) / 52
    assert found.interval == pytest.approx((centre - half, centre + half), abs=1e-6)


@given(CELLS)
def test_p_is_twice_the_smaller_tail(cells: tuple[int, int, int, int]) -> None:
    _, ahead, behind, _ = cells
    tail = sum(comb(ahead + behind, k) for k in range(min(ahead, behind) + 1)) / 2 ** (ahead + behind)
    assert paired_difference(*answers(*cells)).p_value == pytest.approx(min(1.0, 2 * tail))


@given(CELLS)
def test_the_interval_holds_the_difference_and_turns_with_the_models(cells: tuple[int, int, int, int]) -> None:
    first, second = answers(*cells)
    one, other = paired_difference(first, second), paired_difference(second, first)
    assert -1 <= one.interval[0] <= one.difference <= one.interval[1] <= 1
    assert one.difference == -other.difference == pytest.approx(first.mean() - second.mean())
    assert one.interval == pytest.approx((-other.interval[1], -other.interval[0]))
    assert one.p_value == pytest.approx(other.p_value)


@pytest.mark.parametrize(("share", "against"), [(0.1, 0.1), (0.25, 0.1), (0.05, 0.02), (0.4, 0.2)])
def test_the_interval_holds_the_truth_about_as_often_as_it_says(share: float, against: float) -> None:
    assert 0.94 < covered(share, against, 30) <= 1


def test_intervals_of_their_own_may_overlap_where_two_models_differ() -> None:
    """The better model reads what the other one reads, and 60 faces of 3,589 more."""
    first, second = answers(2500, 60, 0, 1029)
    low, _ = wilson_interval(int(first.sum()), len(first))
    _, high = wilson_interval(int(second.sum()), len(second))
    found = paired_difference(first, second)
    assert low < high
    assert found.interval[0] > 0
    assert found.p_value < 1e-12


def test_models_that_answer_alike_do_not_differ() -> None:
    found = paired_difference(*answers(7, 0, 0, 3))
    assert (found.difference, found.p_value) == (0, 1)


@pytest.mark.parametrize("sizes", [(0, 0), (3, 4)])
def test_answers_must_be_pairs(sizes: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="are no pairs"):
        paired_difference(np.ones(sizes[0], bool), np.ones(sizes[1], bool))
