"""A classical method on features: fitted on Training, chosen and calibrated on PublicTest, recorded, measured."""

from __future__ import annotations

from fer_core.artifacts import CHECKPOINTS, load_card
from fer_core.studies.measure import open_in_torch
from fer_core.studies.recording import recorded
from fer_core.studies.results import Result
from fer_core.studies.rows import CLASSICAL, Row
from fer_core.studies.runner import RUNNERS, Surroundings


@RUNNERS.register(CLASSICAL)
def run(row: Row, around: Surroundings) -> Result:
    """Fits, chooses, records both test splits, measures cost."""
    from fer_core.classifiers.classical import build_classical

    options = dict(row.options)
    method, feature, network = options.pop("method"), options.pop("feature"), options.pop("network", None)
    checkpoint = around.folder(row.name) / "checkpoint"
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
    card = load_card(checkpoint)
    return recorded(
        row,
        checkpoint,
        around,
        images_seen=int(card.data["faces"]),
        epochs=1,
        seconds=card.training["seconds"],
        parameters=card.parameters,
        notes=card.notes,
    )
