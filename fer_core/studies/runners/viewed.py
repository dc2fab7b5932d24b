"""A network of another row, asked about each face more than once: trains nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fer_core.artifacts import RUNS_CHECKPOINT
from fer_core.classifiers.base import CheckpointClassifier
from fer_core.evaluation.labels import labelled_for, of_tests
from fer_core.evaluation.predictions import predict_dataset, save_predictions
from fer_core.evaluation.record import judged
from fer_core.evaluation.views import PASSES, VIEWS
from fer_core.studies.measure import answering_speed, open_in_torch, robustness
from fer_core.studies.recording import result_of
from fer_core.studies.results import Result, load_result
from fer_core.studies.rows import VIEWED, Row
from fer_core.studies.runner import RUNNERS, Surroundings


@dataclass
class Viewed:
    """A classifier that answers with the mean over several views of a face.

    Attributes:
        classifier: of single views.
        views: a name in VIEWS.
    """

    classifier: CheckpointClassifier
    views: str

    def __post_init__(self) -> None:
        self.labels, self.device = self.classifier.labels, self.classifier.device

    def predict_proba(self, faces: np.ndarray) -> np.ndarray:
        """uint8 (N, 48, 48) -> float32 (N, C)."""
        return VIEWS[self.views](self.classifier, faces)


@RUNNERS.register(VIEWED)
def run(row: Row, around: Surroundings) -> Result:
    """Judges the network on both test splits by the row's views; what it cost to train is the other row's."""
    (name,) = row.members
    one = load_result(around.folder(name))
    assert one is not None, f"{name} comes before the rows that build on it"
    viewed = Viewed(open_in_torch(around.folder(name) / RUNS_CHECKPOINT), row.options["views"])
    dataset = labelled_for(around.dataset, viewed.labels)
    table = predict_dataset(viewed, of_tests(dataset), progress=around.progress)
    save_predictions(around.folder(row.name), table)
    asked = result_of(
        row,
        around,
        metrics=judged(table, dataset),
        labels=one.labels,
        inference_speed=answering_speed(viewed),
        robustness=robustness(viewed, around.dataset, around.budget.robustness_faces),
        members=row.members,
        notes=f"the network of `{name}`, asked anew; nothing else was trained",
    )
    costs = ("epochs", "images_seen", "seconds", "parameters", "training_speed")
    passes = None if one.multiply_adds is None else one.multiply_adds * PASSES[viewed.views]
    return replace(asked, **{cost: getattr(one, cost) for cost in costs}, multiply_adds=passes)
