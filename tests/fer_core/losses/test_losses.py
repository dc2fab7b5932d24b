"""Losses against their formulas in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from fer_core.errors import ConfigError
from fer_core.losses import LOSSES, Criterion, any_accepted, build_loss, smooth, soft_cross_entropy

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(0, 3, (16, 7))
LABELS = RNG.integers(0, 7, 16)
HARD = np.eye(7)[LABELS]
SOFT = RNG.dirichlet(np.ones(7), 16)
LOG_P = LOGITS - np.log(np.exp(LOGITS).sum(1, keepdims=True))
P = np.exp(LOG_P)
P_TRUE = P[np.arange(16), LABELS]


def _hinge(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.maximum(0, 1 - y * z) ** 2


FORMULAS: dict[str, tuple[dict[str, Any], np.ndarray, np.ndarray]] = {
    "cross_entropy": ({}, -np.log(P_TRUE), -(SOFT * LOG_P).sum(1)),
    "focal": ({"gamma": 1.5}, -((1 - P_TRUE) ** 1.5) * np.log(P_TRUE), -(SOFT * (1 - P) ** 1.5 * LOG_P).sum(1)),
    "l2_svm": ({}, _hinge(LOGITS, 2 * HARD - 1).sum(1), _hinge(LOGITS, 2 * SOFT - 1).sum(1)),
    "generalised_cross_entropy": ({"q": 0.6}, (1 - P_TRUE**0.6) / 0.6, (SOFT * (1 - P**0.6) / 0.6).sum(1)),
    # of a hard label's reverse cross-entropy, minus log 0 times the mass on all other classes is left
    "symmetric_cross_entropy": (
        {"alpha": 0.3, "beta": 2.0, "log_zero": -4.0},
        -0.3 * np.log(P_TRUE) + 2.0 * 4.0 * (1 - P_TRUE),
        -0.3 * (SOFT * LOG_P).sum(1) - 2.0 * (P * np.maximum(np.log(SOFT), -4.0)).sum(1),
    ),
}


def tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(array.copy())


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_is_its_formula(name: str) -> None:
    options, hard, soft = FORMULAS[name]
    loss = build_loss(name, **options)
    np.testing.assert_allclose(loss(tensor(LOGITS), tensor(HARD)), hard, rtol=1e-12)
    np.testing.assert_allclose(loss(tensor(LOGITS), tensor(SOFT)), soft, rtol=1e-12)


def test_limits_that_the_papers_name() -> None:
    logits, hard = tensor(LOGITS), tensor(HARD)
    entropy = build_loss("cross_entropy")(logits, hard)
    torch.testing.assert_close(build_loss("focal", gamma=0.0)(logits, hard), entropy)
    near_zero = build_loss("generalised_cross_entropy", q=1e-9)(logits, hard)
    torch.testing.assert_close(near_zero, entropy, rtol=1e-5, atol=1e-5)
    absolute = build_loss("generalised_cross_entropy", q=1.0)(logits, hard)
    torch.testing.assert_close(absolute, tensor(np.abs(P - HARD).sum(1) / 2))


def test_multi_label_settles_for_the_likeliest_accepted_emotion() -> None:
    accepted = (RNG.random((16, 7)) < 0.4) | (HARD > 0)
    expected = -np.where(accepted, LOG_P, -np.inf).max(1)
    np.testing.assert_allclose(any_accepted(tensor(LOGITS), tensor(accepted.astype(float))), expected, rtol=1e-12)


def test_soft_cross_entropy_leaves_out_faces_without_votes() -> None:
    shares = SOFT.copy()
    shares[:4] = 0
    expected = -(shares * LOG_P).sum(1)[4:].mean()
    assert soft_cross_entropy(tensor(LOGITS), tensor(shares)).item() == pytest.approx(expected)
    assert soft_cross_entropy(tensor(LOGITS), torch.zeros(16, 7, dtype=torch.float64)).item() == 0


def test_smoothing_spreads_a_share_evenly() -> None:
    shares = np.full((16, 7), 0.2 / 7)
    shares[np.arange(16), LABELS] += 0.8
    np.testing.assert_allclose(smooth(tensor(HARD), 0.2), shares)
    criterion = Criterion(build_loss("cross_entropy"), smoothing=0.2)
    assert criterion(tensor(LOGITS), tensor(HARD)).item() == pytest.approx(-(shares * LOG_P).sum(1).mean())


def test_class_weights_make_a_weighted_mean() -> None:
    weights = RNG.random(7)
    criterion = Criterion(build_loss("cross_entropy"), weights=tensor(weights))
    theirs = torch.nn.functional.cross_entropy(tensor(LOGITS), tensor(LABELS), weight=tensor(weights))
    assert criterion(tensor(LOGITS), tensor(HARD)).item() == pytest.approx(theirs.item())
    of_faces = SOFT @ weights
    expected = (of_faces * -(SOFT * LOG_P).sum(1)).sum() / of_faces.sum()
    assert criterion(tensor(LOGITS), tensor(SOFT)).item() == pytest.approx(expected)


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_falls_along_its_gradient(name: str) -> None:
    criterion = Criterion(build_loss(name), smoothing=0.1)
    logits, targets = tensor(LOGITS), tensor(HARD)
    logits.requires_grad_()
    before = criterion(logits, targets)
    (gradient,) = torch.autograd.grad(before, logits)
    assert gradient.isfinite().all()
    assert criterion(logits - 0.1 * gradient, targets) < before


def test_unknown_options_are_named() -> None:
    with pytest.raises(ConfigError, match="'focal' has no option 'gama'; it has: gamma"):
        build_loss("focal", gama=1)
    with pytest.raises(ConfigError, match=r"loss_options: gamma \('2'\) must be a number"):
        build_loss("focal", gamma="2")


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("focal", {"gamma": -1.0}, "gamma"),
        ("generalised_cross_entropy", {"q": 0.0}, "q"),
        ("generalised_cross_entropy", {"q": 1.5}, "q"),
    ],
)
def test_options_that_mean_nothing_are_refused(name: str, options: dict[str, float], words: str) -> None:
    with pytest.raises(ConfigError, match=rf"{words} \("):
        build_loss(name, **options)(tensor(LOGITS), tensor(HARD))


def test_focal_has_a_slope_where_the_answer_is_certain() -> None:
    logits = torch.tensor([[80.0, 0.0, 0.0]], requires_grad=True)
    build_loss("focal", gamma=0.5)(logits, torch.tensor([[1.0, 0.0, 0.0]])).sum().backward()
    assert torch.isfinite(logits.grad).all()
