"""What is done about rare emotions, on Training only and after the split: class weights, sampling, made-up faces.

Each answers with data for training alone; the splits that judge never pass through here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from fer_core.data.loaders import Faces
from fer_core.errors import DataError
from fer_core.registry import Registry

BETA = 0.999
"""How fast further faces of a class stop telling anything new, for `effective_number`."""
NEIGHBOURS = 5

CLASS_WEIGHTS: Registry[Callable[[np.ndarray], np.ndarray]] = Registry("class weighting")


@CLASS_WEIGHTS.register("none")
def equal(counts: np.ndarray) -> np.ndarray:
    """Every class weighs 1."""
    return np.ones(len(counts))


@CLASS_WEIGHTS.register("inverse")
def inverse(counts: np.ndarray) -> np.ndarray:
    """One over the number of faces."""
    return 1 / counts


@CLASS_WEIGHTS.register("effective_number")
def effective_number(counts: np.ndarray) -> np.ndarray:
    """(1 - beta) / (1 - beta^n) (Cui et al. 2019, https://arxiv.org/abs/1901.05555)."""
    weights: np.ndarray = (1 - BETA) / (1 - BETA**counts)
    return weights


def class_weights(labels: Tensor, classes: int, kind: str) -> Tensor | None:
    """float32 (C,) with mean 1 from class ids (N,), or None for `none`.

    A class without a face weighs as if it had one.
    """
    weigh = CLASS_WEIGHTS[kind]
    if kind == "none":
        return None
    counts = np.bincount(labels.cpu().numpy(), minlength=classes).clip(min=1).astype(float)
    weights = weigh(counts)
    return torch.from_numpy((weights * classes / weights.sum()).astype(np.float32))


Resampler = Callable[[Faces, int], Faces]
"""(training faces, seed) -> those to learn from in every epoch."""

RESAMPLERS: Registry[Resampler] = Registry("resampling")


@RESAMPLERS.register("oversample")
def oversample(faces: Faces, seed: int) -> Faces:
    """Repeats faces of rare classes at random until each class has as many as the largest."""
    from imblearn.over_sampling import RandomOverSampler

    return _taken(faces, RandomOverSampler(random_state=seed))


@RESAMPLERS.register("undersample")
def undersample(faces: Faces, seed: int) -> Faces:
    """Leaves out faces of common classes at random until each has as few as the smallest."""
    from imblearn.under_sampling import RandomUnderSampler

    return _taken(faces, RandomUnderSampler(random_state=seed))


@RESAMPLERS.register("smote")
def smote(faces: Faces, seed: int) -> Faces:
    """Adds faces between neighbours of a rare class (Chawla et al. 2002, https://doi.org/10.1613/jair.953).

    The faces that exist come first and unchanged. A made-up one has no votes; its target is its class.

    Raises:
        DataError: a class has only one face, which has no neighbour.
    """
    from imblearn.over_sampling import SMOTE

    labels = faces.labels.cpu().numpy()
    counts = np.bincount(labels)
    smallest = int(counts[counts > 0].min())
    if smallest < 2:
        raise DataError("smote needs two faces of each class; take oversample, or more data")
    flat = faces.pixels.cpu().numpy().reshape(len(faces), -1).astype(np.float32)
    maker = SMOTE(random_state=seed, k_neighbors=min(NEIGHBOURS, smallest - 1))
    pixels, new_labels = maker.fit_resample(flat, labels)
    made = torch.from_numpy(pixels[len(faces) :].round().clip(0, 255).astype(np.uint8))
    return _joined(faces, made.reshape(-1, *faces.pixels.shape[1:]), torch.from_numpy(new_labels[len(faces) :]))


def resample(faces: Faces, sampler: str, seed: int) -> Faces:
    """`faces` through the resampler of that name; as they are where it only orders them, or there is one class."""
    if sampler not in RESAMPLERS or len(faces.labels.unique()) < 2:
        return faces
    return RESAMPLERS[sampler](faces, seed)


def repeats(labels: np.ndarray, sampler: str) -> float:
    """Faces in an epoch for each face that there is: class ids (N,) through the resampler of that name, or 1."""
    if sampler not in RESAMPLERS:
        return 1.0
    counts = np.bincount(labels)
    counts = counts[counts > 0]
    size = counts.min() if sampler == "undersample" else counts.max()
    return float(size * len(counts) / counts.sum())


def _taken(faces: Faces, sampler: object) -> Faces:
    """The rows that one of imbalanced-learn's samplers of rows takes."""
    places = np.arange(len(faces))[:, None]
    chosen, _ = sampler.fit_resample(places, faces.labels.cpu().numpy())  # type: ignore[attr-defined]
    return faces.select(torch.from_numpy(chosen[:, 0]))


def _joined(faces: Faces, pixels: Tensor, labels: Tensor) -> Faces:
    shares, targets = faces.shares, faces.targets
    if shares is not None:
        shares = torch.cat([shares, shares.new_zeros(len(labels), shares.shape[1])])
    if targets is not None:
        targets = torch.cat([targets, functional.one_hot(labels, targets.shape[1]).to(targets)])
    return replace(
        faces,
        pixels=torch.cat([faces.pixels, pixels]),
        labels=torch.cat([faces.labels, labels]),
        shares=shares,
        targets=targets,
    )
