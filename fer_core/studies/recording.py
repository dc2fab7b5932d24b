"""From a trained checkpoint to a row's result: recorded on both test splits, measured, put together in one place."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from fer_core.artifacts import CARD, HISTORY, PREDICTIONS, update_card
from fer_core.studies.measure import inference_speed, open_in_torch, robustness
from fer_core.studies.results import Result, plain, published_of
from fer_core.studies.rows import Row
from fer_core.studies.runner import Surroundings


def recorded(row: Row, checkpoint: Path, around: Surroundings, **figures: Any) -> Result:
    """Judges a checkpoint on both test splits, leaves card, history and predictions in the row's folder, measures it.

    Args:
        row: what the checkpoint is a result of.
        checkpoint: trained, everything about it chosen on PublicTest.
        around: of the run.
        figures: the other fields of the result.
    """
    from fer_core.evaluation.record import record_evaluation

    metrics = record_evaluation(checkpoint, around.dataset)
    for name in (CARD, HISTORY, PREDICTIONS):
        if (checkpoint / name).is_file():
            shutil.copyfile(checkpoint / name, around.folder(row.name) / name)
    said = f"{around.budget.title}; {figures.get('notes', '')}".removesuffix("; ")
    update_card(around.folder(row.name), name=row.name, notes=f"Leaderboard, budget `{around.budget.name}`: {said}")
    return result_of(
        row,
        around,
        metrics=metrics,
        inference_speed=inference_speed(checkpoint),
        robustness=robustness(open_in_torch(checkpoint), around.dataset, around.budget.robustness_faces),
        **figures,
    )


def result_of(row: Row, around: Surroundings, **figures: Any) -> Result:
    """A result with what the row and the run say, and `figures` for its other fields."""
    asked: dict[str, Any] = {"row": row.name, "title": row.title, "kind": row.kind, "options": plain(row.options)}
    return Result(**asked, budget=around.budget.name, published=published_of(row), **figures)
