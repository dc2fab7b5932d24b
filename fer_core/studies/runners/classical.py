"""A classical method on features: fitted on Training, chosen and calibrated on PublicTest, recorded, measured.

It has no epochs that a budget could cut: it takes what it takes, which stands in its line.
"""

from __future__ import annotations

from pathlib import Path

from fer_core.artifacts import RUNS_CHECKPOINT, Card, load_card
from fer_core.studies.measure import open_in_torch
from fer_core.studies.recording import recorded
from fer_core.studies.results import Result, load_result
from fer_core.studies.rows import CLASSICAL, Row
from fer_core.studies.runner import RUNNERS, Surroundings


@RUNNERS.register(CLASSICAL)
def run(row: Row, around: Surroundings) -> Result:
    """Fits, chooses, records both test splits, measures cost; a network behind the features counts in full."""
    checkpoint = around.folder(row.name) / RUNS_CHECKPOINT
    card = _built(row, checkpoint, around)
    behind = [found for name in row.members if (found := load_result(around.folder(name))) is not None]
    return recorded(
        row,
        checkpoint,
        around,
        images_seen=int(card.data["faces"]) + sum(result.images_seen for result in behind),
        epochs=1,
        seconds=round(card.training["seconds"] + sum(result.seconds for result in behind), 1),
        parameters=card.parameters + sum(result.parameters or 0 for result in behind),
        multiply_adds=behind[0].multiply_adds if behind else None,
        members=row.members,
        notes=_notes(row, card),
    )


def _built(row: Row, checkpoint: Path, around: Surroundings) -> Card:
    from fer_core.classifiers.classical import build_classical

    options = dict(row.options)
    method, feature = options.pop("method"), options.pop("feature")
    build_classical(
        checkpoint,
        method,
        feature,
        around.dataset,
        open_in_torch,
        network=around.folder(row.members[0]) / RUNS_CHECKPOINT if row.members else None,
        report=around.report,
        **options,
    )
    return load_card(checkpoint)


def _notes(row: Row, card: Card) -> str:
    limit = "all of Training, whatever the budget"
    behind = f"; time, images and parameters are with those of `{row.members[0]}`" if row.members else ""
    return f"{limit}{behind}" + (f"; {card.notes}" if card.notes else "")
