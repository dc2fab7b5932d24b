"""Faces left out on purpose: copies, training faces that are also in a test split, pictures of no face.

Cleaning comes after splitting, and by default touches Training only, so that test results stay comparable with those of
others. Of a group of copies exactly one face stays, chosen by a policy; only `drop_conflicting` may drop all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fer_core.data.audit.duplicates import NONE, exact_groups, pixel_hashes
from fer_core.data.table import FaceDataset
from fer_core.errors import ConfigError, DataError
from fer_core.labels import SPLITS, TESTS, VOTE_COLUMNS
from fer_core.registry import Registry

Policy = Callable[[np.ndarray], int | None]
"""Labels (k,) of a group's faces, in their order -> position of the face that stays, None for none of them."""

POLICIES: Registry[Policy] = Registry("duplicate policy")


@POLICIES.register("keep_majority_label")
def keep_majority_label(labels: np.ndarray) -> int | None:
    """The first face that carries the commonest label; of labels that are as common, the one that comes first.

    Unlabelled faces (-1) have no say, and stay only in a group without any label.
    """
    known = labels[labels >= 0]
    if not len(known):
        return 0
    counts = np.bincount(known)
    winner = next(label for label in known if counts[label] == counts.max())
    return int(np.flatnonzero(labels == winner)[0])


@POLICIES.register("drop_conflicting")
def drop_conflicting(labels: np.ndarray) -> int | None:
    """Nobody where the labels differ, else the first labelled face."""
    known = labels[labels >= 0]
    return keep_majority_label(labels) if len(np.unique(known)) <= 1 else None


@dataclass(frozen=True)
class Cleaned:
    """A dataset after cleaning.

    Attributes:
        dataset: the faces that stay, in their order.
        dropped: one row per face that went: row, split, label, reason, kept_row (the row of the copy that stays, in
            the same or in a protected split; -1 where there is none).
    """

    dataset: FaceDataset
    dropped: pd.DataFrame

    @property
    def reasons(self) -> dict[str, int]:
        """{reason: faces that went for it}, the commonest first; faces, not pairs."""
        return {str(reason): int(faces) for reason, faces in self.dropped["reason"].value_counts().items()}


def clean(
    dataset: FaceDataset,
    *,
    duplicates: str | None = "keep_majority_label",
    groups: np.ndarray | None = None,
    protect: Sequence[str] = TESTS,
    non_faces: bool = True,
    splits: Sequence[str] = ("Training",),
) -> Cleaned:
    """Drops non-faces, then twins of protected splits, then all but one of each group of copies.

    Args:
        dataset: the faces; it stays as it is.
        duplicates: a name in `POLICIES` for copies within one split, None keeps them all.
        groups: int (N,) group of each face, -1 for none; by default byte-identical faces. An audit's `near_group`
            column makes near duplicates count as copies.
        protect: splits whose faces must not occur in another of `splits`; empty to allow it.
        non_faces: drop constant pictures, and those that most FER+ voters took for no face.
        splits: splits that may lose faces.

    Raises:
        UnknownNameError: no such policy.
        ConfigError: no such split, or `groups` has another length.
        DataError: nothing would be left.
    """
    _check_names((*protect, *splits))
    groups = exact_groups(pixel_hashes(dataset.pixels)) if groups is None else groups
    if len(groups) != len(dataset):
        raise ConfigError(f"groups must have one entry a face ({len(dataset)}), not {len(groups)}")
    losses = _Losses(dataset, groups, dataset.table["split"].isin(splits).to_numpy())
    if non_faces:
        losses.drop_non_faces()
    losses.drop_twins(protect)
    if duplicates is not None:
        losses.drop_copies(duplicates, POLICIES[duplicates])
    return losses.result()


class _Losses:
    """Which faces have gone so far, and why."""

    def __init__(self, dataset: FaceDataset, groups: np.ndarray, may_go: np.ndarray) -> None:
        self.dataset, self.groups, self.may_go = dataset, groups, may_go
        self.split = dataset.table["split"].to_numpy()
        self.reason = np.full(len(dataset), "", dtype=object)
        self.kept = np.full(len(dataset), -1, np.int64)

    def drop(self, mask: np.ndarray, reason: str) -> None:
        self.reason[mask & self.may_go & (self.reason == "")] = reason

    def drop_non_faces(self) -> None:
        pixels = self.dataset.pixels
        self.drop(pixels.max(axis=(1, 2)) == pixels.min(axis=(1, 2)), "constant picture")
        if self.dataset.has_votes:
            votes = self.dataset.table[list(VOTE_COLUMNS)].to_numpy()
            self.drop((votes.sum(1) > 0) & (votes.argmax(1) == votes.shape[1] - 1), "voted not a face")

    def drop_twins(self, protect: Sequence[str]) -> None:
        """In the order of `protect`, so that a split never loses a face to one that lost it before."""
        for name in protect:
            here = (self.split == name) & (self.groups != NONE) & (self.reason == "")
            keeper = dict(zip(self.groups[here][::-1], np.flatnonzero(here)[::-1], strict=True))
            twins = (self.split != name) & np.isin(self.groups, list(keeper)) & self.may_go & (self.reason == "")
            self.reason[twins] = f"twin of a face in {name}"
            self.kept[twins] = [keeper[group] for group in self.groups[twins]]

    def drop_copies(self, policy: str, choose: Policy) -> None:
        left = np.flatnonzero(self.may_go & (self.groups != NONE) & (self.reason == ""))
        labels = self.dataset.labels
        table = pd.DataFrame({"place": left, "group": self.groups[left], "split": self.split[left]})
        for _, part in table.groupby(["split", "group"]):
            places = part["place"].to_numpy()
            if len(places) > 1:
                self._keep_one(places, choose(labels[places]), policy)

    def _keep_one(self, places: np.ndarray, chosen: int | None, policy: str) -> None:
        if chosen is None:
            self.reason[places] = f"copies with different labels ({policy})"
            return
        others = np.delete(places, chosen)
        self.reason[others] = f"copy ({policy})"
        self.kept[others] = places[chosen]

    def result(self) -> Cleaned:
        gone = self.reason != ""
        if gone.all():
            raise DataError("cleaning would leave no face; ask for less of it")
        numbers = self.dataset.table["row"].to_numpy()
        dropped = self.dataset.table.loc[gone, ["row", "split", "label"]].assign(
            reason=self.reason[gone].astype(str),
            kept_row=np.where(self.kept[gone] >= 0, numbers[self.kept[gone]], -1),
        )
        # the fingerprint belongs to the whole dataset
        rest = FaceDataset(**{**vars(self.dataset.select(~gone)), "fingerprint": ""})
        return Cleaned(rest, dropped.reset_index(drop=True))


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        if name not in SPLITS:
            raise ConfigError(f"no split {name!r}; there are {', '.join(SPLITS)}")
