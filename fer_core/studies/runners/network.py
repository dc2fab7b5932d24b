"""A network: trained within the budget, recorded, measured."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from fer_core.artifacts import RUNS_CHECKPOINT, load_card
from fer_core.config import ExecutionConfig, TrainConfig
from fer_core.data.balance import RESAMPLERS, repeats
from fer_core.files import write_json
from fer_core.labels import judged_by
from fer_core.studies.budget import Share, limit_training, share_of, within
from fer_core.studies.pace import pace_of
from fer_core.studies.recording import recorded
from fer_core.studies.results import Result
from fer_core.studies.rows import NETWORK, PROTOCOL, Row
from fer_core.studies.runner import RUNNERS, Surroundings

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
    checkpoint = write_checkpoint(folder / RUNS_CHECKPOINT, MODELS[config.model], config, dataset, fitted)
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
        multiply_adds=cost,
        training_speed=card.training["images_per_second"],
        notes=_notes(config, card.training, around),
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
    folder: Path, config: TrainConfig, execution: ExecutionConfig, around: Surroundings, *, parts: float = 1
) -> Course:
    """What the budget lets each network have, decided once, so that a killed row goes on with the same.

    Args:
        folder: of the row.
        config, execution: of the row.
        around: of the run.
        parts: how often an epoch of all its networks together goes over Training.
    """
    file = folder / COURSE
    if not file.is_file():
        write_json(file, asdict(_decide(config, execution, around, parts)))
    kept = json.loads(file.read_text(encoding="utf-8"))
    return Course(Share(**kept["share"]), ExecutionConfig(**kept["execution"]))


def _decide(config: TrainConfig, execution: ExecutionConfig, around: Surroundings, parts: float) -> Course:
    labels, speed = around.dataset.split("Training").labels, float("inf")
    if around.budget.core_seconds:
        pace = pace_of(config, execution, around.dataset, around.root)
        speed, execution = pace.images_per_second, pace.execution
    share = share_of(
        around.budget,
        config,
        images_per_second=speed / parts,
        training_faces=len(labels),
        repeats=repeats(labels, config.sampler),
    )
    return Course(share, execution)


def _notes(config: TrainConfig, training: dict[str, Any], around: Surroundings) -> str:
    """How far the budget went, where it ended before the protocol did."""
    if around.budget.miniature:
        return "a miniature after two passes over a few faces: shows that the row runs, its figures say nothing"
    planned, faces = dict(PROTOCOL)["epochs"], int(training["faces"])
    if not around.budget.core_seconds:
        return ""
    passes = "one pass" if config.epochs == 1 else f"{config.epochs} passes"
    sampled = f", as the sampler {config.sampler!r} gives them" if config.sampler in RESAMPLERS else ""
    return f"{passes} over {faces:,} faces within the budget{sampled}; {planned} over all are meant"
