"""Ensembles that train members of their own: boosting, one model an emotion, a tree of pairs, snapshots of one run."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np

from fer_core.artifacts import RUNS_CHECKPOINT, load_card
from fer_core.classifiers.combinations.pair_tree import forks
from fer_core.config import TrainConfig
from fer_core.data.table import FaceDataset
from fer_core.studies.budget import limit_training, within
from fer_core.studies.measure import open_in_torch
from fer_core.studies.recording import recorded
from fer_core.studies.results import Result
from fer_core.studies.rows import TRAINED, Row
from fer_core.studies.runner import RUNNERS, Surroundings
from fer_core.studies.runners.network import configuration, course_of, execution_of
from fer_core.studies.workshop import Workshop, chosen_tree, member_folders

ALL = "all_emotions"
"""Name of the member that knows all emotions, where one joins those of one emotion."""


@RUNNERS.register(TRAINED)
def run(row: Row, around: Surroundings) -> Result:
    """Trains the members within the budget, all together, joins them on PublicTest, records and measures."""
    from fer_core.classifiers.ensemble import build_ensemble

    folder = around.folder(row.name)
    method, members = row.options["method"], int(row.options["members"])
    workshop = _workshop(row, around, members)
    options, folders = _train(workshop, method, members, bool(row.options.get("joined")))
    checkpoint = folder / RUNS_CHECKPOINT
    shutil.rmtree(checkpoint, ignore_errors=True)
    card = build_ensemble(
        checkpoint, method, folders, around.dataset, open_in_torch, training=workshop.facts(), **options
    )
    return recorded(
        row,
        checkpoint,
        around,
        epochs=workshop.config.epochs,
        images_seen=workshop.images,
        seconds=round(workshop.seconds, 1),
        parameters=card.parameters,
        multiply_adds=len(card.members) * _cost(workshop.config, card.labels),
        training_speed=_speed(workshop.members),
        notes=_notes(len(card.members), workshop),
    )


def _workshop(row: Row, around: Surroundings, members: int) -> Workshop:
    """The members' common configuration: each has its part of the budget, but for snapshots, which are one run."""
    config = configuration(row, miniature=around.budget.miniature)
    execution = execution_of(around)
    parts = _parts(row.options["method"], members, around.dataset)
    course = course_of(around.folder(row.name), config, execution, around, parts=parts)
    config, execution = within(config, course.share), course.execution
    dataset = limit_training(around.dataset, course.share.faces)
    return Workshop(config, execution, dataset, around.folder(row.name), True, around.report, around.progress)


def _train(workshop: Workshop, method: str, members: int, joined: bool) -> tuple[dict[str, Any], list[Path]]:
    if method == "snapshot":
        workshop.train(workshop.dataset, "snapshots")
        return {}, member_folders([str(workshop.out / "runs" / "snapshots")])
    options = workshop.make(method, members, chosen_tree(workshop.dataset, None))
    if joined:
        workshop.train(workshop.dataset, ALL)
    return options, workshop.members


def _parts(method: str, members: int, dataset: FaceDataset) -> float:
    """How often the members together go over Training while each goes over its own part of it once."""
    if method == "snapshot":
        return 1
    if method != "pair_tree":
        return members
    labels = dataset.split("Training").labels
    branches = forks(chosen_tree(dataset, None))
    return sum(float(np.isin(labels, [*left, *right]).mean()) for left, right in branches)


def _speed(members: list[Path]) -> float:
    """Images a second of all members' training together, the judging after each epoch left out, as for a network."""
    training = [load_card(member).training for member in members]
    images = sum(one["images_seen"] for one in training)
    return round(images / sum(one["images_seen"] / one["images_per_second"] for one in training), 1)


def _notes(members: int, workshop: Workshop) -> str:
    epochs = workshop.config.epochs
    if len(workshop.members) == 1:
        return f"{members} members from one run of {epochs} epochs over {workshop.images:,} images"
    passes = "one epoch" if epochs == 1 else f"{epochs} epochs"
    return f"{members} members of {passes} each, {workshop.images // members:,} images a member on average"


def _cost(config: TrainConfig, labels: tuple[str, ...]) -> int:
    """Multiply-adds of one member for one face."""
    from fer_core.models.flops import model_cost

    return model_cost(config.model, len(labels), field=config.crop, **config.model_options)
