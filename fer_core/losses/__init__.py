"""Functions of logits (B, C) and targets (B, C); `LOSSES` lists them, a `Criterion` makes one number of a batch."""

from fer_core.losses.base import LOSSES, Criterion, Loss, build_loss, smooth
from fer_core.losses.cross_entropy import any_accepted, cross_entropy, focal, soft_cross_entropy
from fer_core.losses.l2_svm import l2_svm
from fer_core.losses.noise import generalised_cross_entropy, symmetric_cross_entropy

__all__ = [
    "LOSSES",
    "Criterion",
    "Loss",
    "any_accepted",
    "build_loss",
    "cross_entropy",
    "focal",
    "generalised_cross_entropy",
    "l2_svm",
    "smooth",
    "soft_cross_entropy",
    "symmetric_cross_entropy",
]
