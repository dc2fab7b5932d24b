"""An ensemble: joined from what its members were recorded to say, without running them again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fer_core.artifacts import RUNS_CHECKPOINT
from fer_core.classifiers.base import CheckpointClassifier
from fer_core.classifiers.combination import Arrays
from fer_core.classifiers.ensemble import ask
from fer_core.classifiers.tables import answers, combine, learn
from fer_core.evaluation.predictions import load_predictions, save_predictions
from fer_core.evaluation.record import judged
from fer_core.studies.measure import open_in_torch, robustness
from fer_core.studies.recording import result_of
from fer_core.studies.results import Result, load_result
from fer_core.studies.rows import ENSEMBLE, Row
from fer_core.studies.runner import RUNNERS, Surroundings


@dataclass
class Together:
    """Members that answer as one, for faces that nobody recorded their answers to.

    Attributes:
        members: classifiers of the same classes.
        method: a name in COMBINATIONS.
        learnt: what it was fitted to.
    """

    members: Sequence[CheckpointClassifier]
    method: str
    learnt: Arrays

    def __post_init__(self) -> None:
        self.labels, self.device = self.members[0].labels, self.members[0].device

    def predict_proba(self, faces: np.ndarray) -> np.ndarray:
        """uint8 (N, 48, 48) -> float32 (N, C)."""
        return answers(self.method, self.learnt, ask(self.members, faces, self.labels)).astype(np.float32)


@RUNNERS.register(ENSEMBLE)
def run(row: Row, around: Surroundings) -> Result:
    """Fits the way of joining on PublicTest and judges both test splits."""
    tables = [load_predictions(around.folder(name)) for name in row.members]
    options = dict(row.options)
    method = options.pop("method")
    joined = combine(tables, method, held_out=True, **options)
    save_predictions(around.folder(row.name), joined)
    members = [open_in_torch(around.folder(name) / RUNS_CHECKPOINT) for name in row.members]
    together = Together(members, method, learn(tables, method, **options))
    bears = robustness(together, around.dataset, around.budget.robustness_faces)
    return _result(row, judged(joined, around.dataset), bears, around)


def _result(row: Row, metrics: dict[str, dict[str, Any]], bears: dict[str, float], around: Surroundings) -> Result:
    members = [found for name in row.members if (found := load_result(around.folder(name))) is not None]
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
        training_speed=_one_after_another([member.training_speed for member in members]),
        inference_speed=_one_after_another([member.inference_speed for member in members]),
        robustness=bears,
        members=row.members,
        notes=f"joined from the recorded answers of {len(members)} members; PublicTest in five parts, each by what "
        "the other four taught",
    )


def _one_after_another(speeds: list[float | None]) -> float | None:
    """Faces a second that all members together get through."""
    known = [speed for speed in speeds if speed]
    return round(1 / sum(1 / speed for speed in known), 1) if len(known) == len(speeds) else None


def _sum(values: list[int | None]) -> int | None:
    return None if None in values else sum(value for value in values if value is not None)
