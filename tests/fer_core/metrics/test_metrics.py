"""Metrics against second opinions and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from fer_core.metrics import (
    accuracy,
    averaged_scores,
    chance_calibration_error,
    confusion,
    effective_count,
    expected_calibration_error,
    macro_f1,
    per_class_scores,
    reliability_bins,
    wilson_interval,
)


def random_case(seed: int, n: int = 200, classes: int = 7) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, classes, n), rng.dirichlet(np.full(classes, 0.4), n).astype(np.float32)


def test_by_hand() -> None:
    true, predicted = np.array([0, 0, 1, 1, 1]), np.array([0, 1, 1, 1, 0])
    assert accuracy(true, predicted) == pytest.approx(3 / 5)
    assert macro_f1(true, predicted, 7) == pytest.approx((0.5 + 2 / 3) / 2)
    assert confusion(true, predicted, 3).tolist() == [[1, 1, 0], [1, 2, 0], [0, 0, 0]]
    scores = per_class_scores(true, predicted, ("angry", "disgust"))
    assert scores["disgust"] == pytest.approx({"precision": 2 / 3, "recall": 2 / 3, "f1": 2 / 3, "support": 3})


def test_macro_and_weighted_differ_from_accuracy() -> None:
    true, predicted = np.array([0] * 9 + [1]), np.zeros(10, int)
    assert averaged_scores(true, predicted, [0, 1], "macro")["recall"] == pytest.approx(0.5)
    assert averaged_scores(true, predicted, [0, 1], "weighted")["recall"] == pytest.approx(0.9)


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_torchmetrics(seed: int) -> None:
    import torch
    from torchmetrics.functional.classification import (
        multiclass_calibration_error,
        multiclass_confusion_matrix,
        multiclass_f1_score,
    )

    true, probabilities = random_case(seed)
    truth, tensor = torch.from_numpy(true), torch.from_numpy(probabilities)
    predicted = probabilities.argmax(1)
    assert macro_f1(true, predicted, 7) == pytest.approx(multiclass_f1_score(tensor, truth, 7).item(), abs=1e-6)
    assert expected_calibration_error(true, probabilities) == pytest.approx(
        multiclass_calibration_error(tensor, truth, 7, n_bins=15).item(), abs=1e-5
    )
    assert (confusion(true, predicted, 7) == multiclass_confusion_matrix(tensor, truth, 7).numpy()).all()


def test_perfect_and_worst_calibration() -> None:
    true = np.array([0, 1, 2])
    sure = np.eye(3)
    assert expected_calibration_error(true, sure) == 0
    assert expected_calibration_error((true + 1) % 3, sure) == 1


def test_what_chance_alone_makes_of_calibration() -> None:
    """As the error of labels drawn from the answers themselves; less on more faces, 0 where sure."""
    import torch
    from torchmetrics.functional.classification import multiclass_calibration_error

    _, probabilities = random_case(3, n=400)
    rng = np.random.default_rng(1)
    drawn = [(probabilities.cumsum(1) > rng.random((400, 1))).argmax(1) for _ in range(60)]
    errors = [
        multiclass_calibration_error(torch.from_numpy(probabilities), torch.from_numpy(true), 7, n_bins=15).item()
        for true in drawn
    ]
    few = chance_calibration_error(probabilities.max(1))
    assert few == pytest.approx(np.mean(errors), rel=0.1)
    assert chance_calibration_error(np.tile(probabilities.max(1), 16)) == pytest.approx(few / 4, rel=0.2)
    assert chance_calibration_error(np.ones(9)) == 0


@given(st.integers(0, 10_000))
def test_reliability_bins_hold_every_face(seed: int) -> None:
    true, probabilities = random_case(seed, n=50)
    assert reliability_bins(true, probabilities)["count"].sum() == 50


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_interval_holds_the_share(case: tuple[int, int]) -> None:
    successes, n = case
    low, high = wilson_interval(successes, n)
    assert 0 <= low <= successes / n + 1e-12
    assert successes / n - 1e-12 <= high <= 1


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_interval_is_scipys(case: tuple[int, int]) -> None:
    expected = binomtest(*case).proportion_ci(0.95, method="wilson")
    assert wilson_interval(*case) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize(("successes", "n"), [(1, 0), (-1, 5), (6, 5)])
def test_an_interval_needs_a_share(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="is no share"):
        wilson_interval(successes, n)


def test_copies_do_not_count_as_new_ones() -> None:
    assert effective_count(np.arange(10)) == 10
    assert effective_count(np.repeat(np.arange(10), 7)) == pytest.approx(10)
    assert effective_count(np.array([5, 5, 5, 1])) == pytest.approx(16 / 10)  # 4^2 / (3^2 + 1^2)


def test_interval_of_private_test_is_the_known_one() -> None:
    low, high = wilson_interval(round(0.65 * 3589), 3589)
    assert (high - low) / 2 == pytest.approx(0.0156, abs=2e-4)
