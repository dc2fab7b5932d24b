"""How much a row may cost. A row says on its card what it got: epochs, images seen, seconds."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from fer_core.config import TrainConfig
from fer_core.data.table import FaceDataset
from fer_core.registry import Registry

SPLIT_SEED = 20131


@dataclass(frozen=True)
class Budget:
    """A limit on one row.

    Attributes:
        name, title: for the command and for people.
        core_seconds: training time of one core, 0 for no limit.
        epochs: the most passes over Training, 0 for what the row says.
        training_faces, test_faces: how many faces of each split are used at most, 0 for all.
        robustness_faces: of PublicTest, for the robustness columns.
        miniature: whether networks take their small variant (`ModelSpec.small`).
    """

    name: str
    title: str
    core_seconds: float = 0
    epochs: int = 0
    training_faces: int = 0
    test_faces: int = 0
    robustness_faces: int = 0
    miniature: bool = False

    @property
    def sample(self) -> str:
        """What the robustness columns are measured on, and how far off a share of so few faces may be (95 %)."""
        error = 196 * math.sqrt(0.25 / self.robustness_faces)
        return f"{self.robustness_faces} faces of PublicTest, right to about {error:.0f} points"


BUDGETS: Registry[Budget] = Registry("budget")
BUDGETS.add(
    "smoke",
    Budget("smoke", "miniatures, two passes over 140 faces: shows that a row runs, its figures say nothing",
           epochs=2, training_faces=140, test_faces=70, robustness_faces=14, miniature=True),
)  # fmt: skip
BUDGETS.add(
    "small",
    Budget("small", "two minutes of one core a row", core_seconds=120, robustness_faces=140),
)
BUDGETS.add("full", Budget("full", "as many epochs as the row says", robustness_faces=1400))


def limit_faces(dataset: FaceDataset, budget: Budget) -> FaceDataset:
    """The dataset with no more faces in each split than the budget takes, every class in its proportion."""
    most = {"Training": budget.training_faces}
    keep = np.zeros(len(dataset), bool)
    split = dataset.table["split"].to_numpy()
    for name in np.unique(split):
        places = np.flatnonzero(split == name)
        keep[stratified(dataset.labels[places], places, most.get(str(name), budget.test_faces))] = True
    return dataset if keep.all() else dataset.select(keep)


def limit_training(dataset: FaceDataset, faces: int) -> FaceDataset:
    """The dataset with only so many faces of Training, every class in its proportion."""
    return limit_faces(dataset, Budget("", "", training_faces=faces))


def stratified(labels: np.ndarray, places: np.ndarray, most: int) -> np.ndarray:
    """Of `places` (N,), at most `most` in the proportions of `labels` (N,), at least one of each class; 0 keeps all."""
    if not most or len(places) <= most:
        return places
    rng = np.random.default_rng(SPLIT_SEED)
    chosen = []
    for label in np.unique(labels):
        of_class = places[labels == label]
        chosen.append(rng.permutation(of_class)[: max(1, round(most * len(of_class) / len(places)))])
    return np.sort(np.concatenate(chosen))


@dataclass(frozen=True)
class Share:
    """What a budget lets a network have: epochs over so many faces of Training (0: all of them)."""

    epochs: int
    faces: int


def share_of(
    budget: Budget, config: TrainConfig, *, images_per_second: float, training_faces: int, repeats: float = 1
) -> Share:
    """Epochs and faces that use up the budget, given the speed of one core.

    A tenth of the time is left for the judgement of PublicTest after each epoch. There are as few epochs as hold the
    images, but enough for a stage with a frozen trunk and for every cycle of the schedule; where that is too much for
    all faces, there are fewer of them.

    Args:
        budget: what the row may cost.
        config: of the row, with the epochs that it would take at most.
        images_per_second: of one core.
        training_faces: of Training.
        repeats: how often the sampler shows a face in an epoch, on average.
    """
    epochs = min(config.epochs, budget.epochs) if budget.epochs else config.epochs
    if not budget.core_seconds:
        return Share(epochs, 0)
    images = 0.9 * budget.core_seconds * images_per_second / repeats
    fewest = max(config.cycles, min(config.freeze_epochs, 1) + 1)
    if images < epochs * training_faces:
        epochs = min(epochs, max(fewest, math.ceil(images / training_faces)))
    faces = max(config.batch_size, int(images / epochs))
    return Share(epochs, faces if faces < training_faces else 0)


def within(config: TrainConfig, share: Share) -> TrainConfig:
    """The configuration with the budget's epochs.

    A stage with a frozen trunk never takes all of them, and every cycle of the schedule keeps at least one.
    """
    cycles = min(config.cycles, share.epochs)
    epochs = share.epochs - share.epochs % cycles
    return replace(config, epochs=epochs, cycles=cycles, freeze_epochs=min(config.freeze_epochs, epochs - 1))
