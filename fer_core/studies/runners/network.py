"""A network: trained within the budget, recorded, measured."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_core.artifacts import load_card
from fer_core.config import ExecutionConfig, TrainConfig
from fer_core.data.table import FaceDataset
from fer_core.files import write_json
from fer_core.labels import judged_by
from fer_core.studies.budget import Budget, Share, limit_faces, limit_training, share_of, within
from fer_core.studies.recording import recorded
from fer_core.studies.results import Result
from fer_core.studies.rows import NETWORK, PROTOCOL, Row
from fer_core.studies.runner import RUNNERS, Surroundings

if TYPE_CHECKING:
    from fer_core.device import Plan

PROBE_BATCHES, PROBE_SECONDS, PROBE_FACES = (2, 24), 6, 70
"""Fewest and most batches of a probe, how long it may take, and how many faces of PublicTest it judges."""
SPARE = 1.5
"""FER+ leaves out faces without a majority; a probe has so many times the faces that its batches need."""
COURSE = "course.json"


@dataclass(frozen=True)
class Course:
    """What a network may have, and how it is computed: the fastest way that a probe found."""

    share: Share
    execution: ExecutionConfig


@RUNNERS.register(NETWORK)
def run(row: Row, around: Surroundings) -> Result:
    """Trains on Training within the budget, selects on PublicTest, records both test splits, measures cost."""
    from fer_core.models import MODELS
    from fer_core.models.flops import model_cost
    from fer_core.training.checkpoint import write_checkpoint
    from fer_core.training.fit import fit

    folder, config = around.folder(row.name), configuration(row, miniature=around.budget.miniature)
    execution = execution_of(around)
    course = course_of(folder, config, execution, around)
    share, execution = course.share, course.execution
    config = within(config, share)
    dataset = limit_training(around.dataset, share.faces)
    training = folder / "training"
    fitted = fit(
        config, execution, dataset, training, resume=training.exists(), report=around.report, progress=around.progress
    )
    assert fitted is not None, "one process trains alone"
    checkpoint = write_checkpoint(folder / "checkpoint", MODELS[config.model], config, dataset, fitted)
    card = load_card(checkpoint)
    cost = model_cost(card.model, len(card.labels), field=card.input.get("field"), **card.options)
    return recorded(
        row,
        checkpoint,
        around,
        labels=judged_by(card.labels),
        epochs=card.training["epochs"],
        images_seen=card.training["images_seen"],
        seconds=card.training["seconds"],
        parameters=card.parameters,
        multiply_adds=cost.multiply_adds,
        training_speed=card.training["images_per_second"],
        notes=_notes(config, share, around),
    )


def configuration(row: Row, *, miniature: bool = False) -> TrainConfig:
    """PROTOCOL with what the row names; in miniature with the small variant of its architecture."""
    from fer_core.models import MODELS

    known = {field.name for field in fields(TrainConfig)}
    options = {name: value for name, value in row.options.items() if name in known or row.kind == NETWORK}
    options.pop("method", None) if row.kind != NETWORK else None
    if miniature:
        spec, chosen = MODELS[options["model"]], dict(options.get("model_options", {}))
        fresh = {"pretrained": False} if "pretrained" in spec.options else {}  # pretrained weights fit no miniature
        options["model_options"] = chosen | dict(spec.small) | fresh
        options["batch_size"] = min(int(options.get("batch_size", PROTOCOL["batch_size"])), 32)
    return TrainConfig(**(dict(PROTOCOL) | options))


def execution_of(around: Surroundings) -> ExecutionConfig:
    """One process on the row's threads, computing in what is fastest; a miniature is not worth timing that for.

    A budget of a core's seconds is one of the CPU, also where there is a GPU.
    """
    if around.budget.miniature:
        return ExecutionConfig(accelerator="cpu", precision="32", channels_last="off", threads=around.threads)
    return ExecutionConfig(accelerator="cpu" if around.budget.core_seconds else "auto", threads=around.threads)


def course_of(
    folder: Path, config: TrainConfig, execution: ExecutionConfig, around: Surroundings, *, parts: int = 1
) -> Course:
    """What the budget lets each of `parts` networks have; decided once, so that a killed row goes on with the same."""
    file = folder / COURSE
    if not file.is_file():
        write_json(file, asdict(_decide(config, execution, around, parts)))
    kept = json.loads(file.read_text(encoding="utf-8"))
    return Course(Share(**kept["share"]), ExecutionConfig(**kept["execution"]))


def _decide(config: TrainConfig, execution: ExecutionConfig, around: Surroundings, parts: int) -> Course:
    from fer_core.data.balance import repeats

    labels, speed = around.dataset.split("Training").labels, float("inf")
    if around.budget.core_seconds:
        speed, execution = _probe(config, execution, around.dataset)
    share = share_of(
        around.budget,
        config,
        images_per_second=speed / parts,
        training_faces=len(labels),
        repeats=repeats(labels, config.sampler),
    )
    return Course(share, execution)


class Meter:
    """Takes the time that this process computes, which, unlike a clock's, is the same on a busy machine.

    Attributes:
        batches: that passed.
        core_seconds: what they took, over all threads.
    """

    def __init__(self) -> None:
        self.batches, self.core_seconds = 0, 0.0

    def __call__(self, items: Iterable[Any], total: int, text: str) -> Iterator[Any]:
        """The items as they are; a batch has passed when the next one is asked for."""
        start = time.process_time()
        for item in items:
            yield item
            self.batches += 1
        self.core_seconds += time.process_time() - start


def _probe(config: TrainConfig, execution: ExecutionConfig, dataset: FaceDataset) -> tuple[float, ExecutionConfig]:
    """Real steps for some seconds: images a second of one core, and the fastest precision and layout."""
    from fer_core.training.plan import as_planned

    config = replace(config, epochs=1, cycles=1, freeze_epochs=0, sampler="shuffle")
    fewest, most = PROBE_BATCHES
    speed, plan = _steps(config, execution, dataset, fewest)
    execution = as_planned(execution, plan)
    batches = min(max(round(PROBE_SECONDS * speed / config.batch_size), fewest), most)
    return _steps(config, execution, dataset, batches)[0], execution


def _steps(config: TrainConfig, execution: ExecutionConfig, dataset: FaceDataset, batches: int) -> tuple[float, Plan]:
    """Images a second of one core over at least so many batches, and how they were computed."""
    from fer_core.training.fit import fit

    faces, meter = round(SPARE * batches) * config.batch_size, Meter()
    few = limit_faces(dataset, Budget("", "", training_faces=faces, test_faces=PROBE_FACES))
    few = few.select(~few.table["split"].isin(["PrivateTest"]).to_numpy())
    with tempfile.TemporaryDirectory() as folder:
        fitted = fit(config, execution, few, Path(folder) / "probe", report=lambda text: None, progress=meter)
    assert fitted is not None
    return meter.batches * config.batch_size / meter.core_seconds, fitted.plan


def _notes(config: TrainConfig, share: Share, around: Surroundings) -> str:
    if around.budget.miniature:
        return "a miniature after two passes over a few faces: shows that the row runs, its figures say nothing"
    planned = dict(PROTOCOL)["epochs"]
    if share.faces:
        passes = "one pass" if config.epochs == 1 else f"{config.epochs} passes"
        return f"{passes} over {share.faces:,} faces of Training within the budget; {planned} over all are meant"
    return f"{config.epochs} of {planned} epochs within the budget" if config.epochs < planned else ""
