"""An ensemble: joined from what its members were recorded to say, without running them again."""

from __future__ import annotations

from typing import Any

import pandas as pd

from fer_core.data.table import FaceDataset
from fer_core.evaluation.predictions import load_predictions, save_predictions
from fer_core.evaluation.protocols import deduplicated
from fer_core.evaluation.record import DEDUPLICATED, TESTS, figures
from fer_core.labels import labels_for
from fer_core.studies.recording import result_of
from fer_core.studies.results import Result, load_result
from fer_core.studies.rows import ENSEMBLE, Row
from fer_core.studies.runner import RUNNERS, Surroundings


@RUNNERS.register(ENSEMBLE)
def run(row: Row, around: Surroundings) -> Result:
    """Fits the way of joining on PublicTest and judges both test splits."""
    from fer_core.classifiers.tables import combine

    tables = [load_predictions(around.folder(name)) for name in row.members]
    options = {name: value for name, value in row.options.items() if name != "method"}
    joined = combine(tables, row.options["method"], **options)
    save_predictions(around.folder(row.name), joined)
    return _result(row, judged(joined, around.dataset), around)


def judged(table: pd.DataFrame, dataset: FaceDataset) -> dict[str, dict[str, Any]]:
    """Figures of a predictions table on both test splits and on PrivateTest without twins."""
    labels = labels_for(sum(name.startswith("p_") for name in table.columns))
    found = {name: figures(table[table["split"] == name], labels) for name in TESTS}
    rows = set(deduplicated(dataset, "PrivateTest").table["row"])
    return found | {DEDUPLICATED: figures(table[table["row"].isin(rows)], labels)}


def _result(row: Row, metrics: dict[str, dict[str, Any]], around: Surroundings) -> Result:
    members = [found for name in row.members if (found := load_result(around.folder(name))) is not None]
    speeds = [member.inference_speed for member in members]
    return result_of(
        row,
        around,
        metrics=metrics,
        labels=members[0].labels,
        epochs=max(member.epochs for member in members),
        images_seen=sum(member.images_seen for member in members),
        seconds=round(sum(member.seconds for member in members), 1),
        parameters=_sum([member.parameters for member in members]),
        multiply_adds=_sum([member.multiply_adds for member in members]),
        inference_speed=round(1 / sum(1 / speed for speed in speeds if speed), 1) if all(speeds) else None,
        members=row.members,
        notes=f"joined from the recorded answers of {len(members)} members",
    )


def _sum(values: list[int | None]) -> int | None:
    return None if None in values else sum(value for value in values if value is not None)
