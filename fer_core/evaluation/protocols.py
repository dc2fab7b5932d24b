"""Which faces of a split count."""

from __future__ import annotations

from collections.abc import Callable

from fer_core.data.audit.leakage import twins_in_training
from fer_core.data.table import FaceDataset
from fer_core.registry import Registry

Protocol = Callable[[FaceDataset, str], FaceDataset]
"""(whole dataset, split) -> the faces of that split that count."""

PROTOCOLS: Registry[Protocol] = Registry("protocol")


@PROTOCOLS.register("official")
def official(dataset: FaceDataset, split: str) -> FaceDataset:
    """The split as it was published."""
    return dataset.split(split)


@PROTOCOLS.register("deduplicated")
def deduplicated(dataset: FaceDataset, split: str) -> FaceDataset:
    """The split without the faces whose pixels are, byte for byte, also in Training."""
    dataset.split(split)
    in_split = (dataset.table["split"] == split).to_numpy()
    return dataset.select(in_split & ~twins_in_training(dataset))
