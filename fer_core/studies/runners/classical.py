"""A classical method on features: fitted on Training, chosen and calibrated on PublicTest, recorded, measured."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from fer_core.artifacts import CARD, CHECKPOINTS, PREDICTIONS, load_card
from fer_core.studies.measure import inference_speed, open_in_torch, robustness
from fer_core.studies.results import Result, plain, published_of
from fer_core.studies.rows import CLASSICAL, Row
from fer_core.studies.runner import RUNNERS, Surroundings


@RUNNERS.register(CLASSICAL)
def run(row: Row, around: Surroundings) -> Result:
    """Fits, chooses, records both test splits, measures cost."""
    from fer_core.classifiers.classical import build_classical
    from fer_core.evaluation.record import record_evaluation

    options = dict(row.options)
    method, feature, network = options.pop("method"), options.pop("feature"), options.pop("network", None)
    folder = around.folder(row.name)
    checkpoint = folder / "checkpoint"
    build_classical(
        checkpoint,
        method,
        feature,
        around.dataset,
        open_in_torch,
        network=CHECKPOINTS / network if network else None,
        report=around.report,
        **options,
    )
    metrics = record_evaluation(checkpoint, around.dataset)
    for name in (CARD, PREDICTIONS):
        shutil.copyfile(checkpoint / name, folder / name)
    return _result(row, metrics, checkpoint, around)


def _result(row: Row, metrics: dict[str, Any], checkpoint: Path, around: Surroundings) -> Result:
    card = load_card(checkpoint)
    return Result(
        row=row.name,
        title=row.title,
        kind=row.kind,
        budget=around.budget.name,
        options=plain(row.options),
        metrics=metrics,
        images_seen=int(card.data["faces"]),
        epochs=1,
        seconds=card.training["seconds"],
        inference_speed=inference_speed(checkpoint),
        robustness=robustness(checkpoint, around.dataset, around.budget.robustness_faces),
        published=published_of(row),
        notes=card.notes,
    )
