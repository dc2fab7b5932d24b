"""Losses against their formulas in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fer_core.losses import LOSSES, cross_entropy, focal, soft_cross_entropy

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(0, 3, (16, 7))
TARGETS = RNG.integers(0, 7, 16)
LOG_P = LOGITS - np.log(np.exp(LOGITS).sum(1, keepdims=True))


def tensors() -> tuple[torch.Tensor, torch.Tensor]:
    return torch.from_numpy(LOGITS), torch.from_numpy(TARGETS)


def test_smoothed_cross_entropy() -> None:
    shares = np.full((16, 7), 0.2 / 7)
    shares[np.arange(16), TARGETS] += 0.8
    assert cross_entropy(*tensors(), 0.2).item() == pytest.approx(-(shares * LOG_P).sum(1).mean())


def test_focal() -> None:
    p = np.exp(LOG_P[np.arange(16), TARGETS])
    assert focal(*tensors(), gamma=2.0).item() == pytest.approx((-((1 - p) ** 2) * np.log(p)).mean())
    assert focal(*tensors(), gamma=0.0).item() == pytest.approx(cross_entropy(*tensors()).item())


def test_soft_cross_entropy_leaves_out_faces_without_votes() -> None:
    shares = RNG.dirichlet(np.ones(7), 16)
    shares[:4] = 0
    expected = -(shares * LOG_P).sum(1)[4:].mean()
    assert soft_cross_entropy(tensors()[0], torch.from_numpy(shares)).item() == pytest.approx(expected)
    assert soft_cross_entropy(tensors()[0], torch.zeros(16, 7, dtype=torch.float64)).item() == 0


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_falls_along_its_gradient(name: str) -> None:
    logits, targets = tensors()
    logits.requires_grad_()
    before = LOSSES[name](logits, targets, 0.1)
    (gradient,) = torch.autograd.grad(before, logits)
    assert LOSSES[name](logits - 0.1 * gradient, targets, 0.1) < before
