"""What a run learns from and is judged on: Training cleaned, relabelled and resampled; PublicTest only relabelled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import torch

from fer_core.config import TrainConfig, parse_part
from fer_core.data.balance import resample
from fer_core.data.clean import clean
from fer_core.data.ferplus import as_ferplus, vote_targets
from fer_core.data.loaders import Faces, to_faces
from fer_core.data.parts import in_part
from fer_core.data.table import FaceDataset
from fer_core.errors import ConfigError, DataError
from fer_core.labels import FERPLUS_EMOTIONS, TESTS, VOTE_COLUMNS, labels_for

LABELS_USED: Final = {
    "fer2013": "FER2013 labels",
    "ferplus_majority": "FER+ votes: the majority's label",
    "ferplus_multi_label": "FER+ votes: any label with 30 % of them",
    "ferplus_drawing": "FER+ votes: a label drawn by its share in each epoch",
    "ferplus_soft": "FER+ votes: their shares",
}
"""What each kind of targets is, in words for the card."""

_SCHEMES: Final = {
    "ferplus_majority": "majority",
    "ferplus_multi_label": "multi_label",
    "ferplus_drawing": "soft",
    "ferplus_soft": "soft",
}


@dataclass(frozen=True)
class Material:
    """The two splits as a run sees them.

    Attributes:
        training: what is learnt.
        public: PublicTest, which picks the epoch; with FER+ targets, the faces that have a majority, by that.
        labels: class names in the order of the outputs.
        facts: what the card must say: "labels", "faces", and what cleaning dropped, by reason.
    """

    training: Faces
    public: Faces
    labels: tuple[str, ...]
    facts: dict[str, Any]


def gather(config: TrainConfig, dataset: FaceDataset) -> Material:
    """Training and PublicTest of a dataset as the config wants them.

    Raises:
        ConfigError: it wants FER+ votes, which the dataset does not have.
        DataError: a split has no face that is left.
    """
    training, dropped = _cleaned(config, dataset)
    training = _part(config, training)
    public = dataset.split("PublicTest")
    if config.targets == "fer2013":
        faces, judged = to_faces(training), to_faces(public)
        labels = labels_for(8 if int(faces.labels.max()) == 7 else 7)
    else:
        faces, judged = _voted(config.targets, training), to_faces(as_ferplus(public))
        labels = FERPLUS_EMOTIONS
    faces = resample(faces, config.sampler, config.seed)
    facts: dict[str, Any] = {"labels": LABELS_USED[config.targets], "faces": len(faces)}
    if config.ferplus_weight:
        facts["labels"] += " and FER+ votes"
    if dropped:
        facts["cleaned"] = dropped
    return Material(faces, judged, labels, facts)


def _voted(targets: str, training: FaceDataset) -> Faces:
    """Faces with FER+'s targets; raises ConfigError where there are no votes."""
    if not training.has_votes:
        raise ConfigError(f"targets {targets} needs FER+ votes; prepare the dataset with --ferplus fer2013new.csv")
    scheme = _SCHEMES[targets]
    kept = as_ferplus(training, scheme)
    votes = kept.table[list(VOTE_COLUMNS)].to_numpy()
    return replace(to_faces(kept), targets=torch.from_numpy(vote_targets(votes, scheme)))


def _part(config: TrainConfig, training: FaceDataset) -> FaceDataset:
    """The config's part of Training; raises DataError where it holds no face."""
    part = parse_part(config.part)
    if part is None:
        return training
    inside = in_part(training.pixels, part)
    if not inside.any():
        raise DataError(f"part {part} of Training holds none of its {len(training)} faces; take fewer parts")
    return training.select(inside)


def _cleaned(config: TrainConfig, dataset: FaceDataset) -> tuple[FaceDataset, dict[str, int]]:
    """Training after the config's cleanings, and how many faces went for which reason."""
    wanted = config.cleanings
    if not wanted:
        return dataset.split("Training"), {}
    policy = "drop_conflicting" if "conflicting" in wanted else "keep_majority_label" if "copies" in wanted else None
    cleaned = clean(
        dataset,
        duplicates=policy,
        protect=TESTS if "test_twins" in wanted else (),
        non_faces="non_faces" in wanted,
    )
    return cleaned.dataset.split("Training"), cleaned.reasons
