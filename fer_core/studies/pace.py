"""How fast a network learns on one core here, found out once for all rows that train the same network.

Rows that differ in their loss, their optimiser or their augmentation then see as many faces as each other, so that what
is compared is that difference, and not how busy the machine was while each of them was timed. A method that computes
its steps in another way, or sees another part of a face, is timed in turn with the network's usual steps: it sees as
many more or fewer faces as its steps are faster or slower than those of the same minute.
"""

from __future__ import annotations

import hashlib
import json
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_core.config import ExecutionConfig, TrainConfig
from fer_core.data.table import SIDE, FaceDataset
from fer_core.files import write_json
from fer_core.studies.budget import Budget, limit_faces
from fer_core.studies.results import plain

if TYPE_CHECKING:
    from fer_core.device import Plan

PROBE_BATCHES, PROBE_SECONDS, PROBE_FACES = (2, 24), 6, 70
"""Fewest and most batches of a probe, how long it may take, and how many faces of PublicTest it judges."""
SPARE = 1.5
"""FER+ leaves out faces without a majority; a probe has so many times the faces that its batches need."""
SAME = ("model", "model_options", "batch_size", "crop", "method", "method_options")
"""Fields of TrainConfig that decide how long a step takes."""
USUAL: Mapping[str, Any] = {"crop": SIDE, "method": "plain", "method_options": {}}
"""Those of them that rows of one network may differ in, as most rows have them."""
TURNS = 3
"""How often other steps and the usual ones are timed in turn; the median counts."""
FOLDER = ".pace"


@dataclass(frozen=True)
class Pace:
    """Images a second of one core, and the way of computing that reaches them."""

    images_per_second: float
    execution: ExecutionConfig


def pace_of(config: TrainConfig, execution: ExecutionConfig, dataset: FaceDataset, root: Path) -> Pace:
    """The pace of the network's steps, measured by the first row that asks and kept under `root` for the others."""
    from filelock import FileLock

    (root / FOLDER).mkdir(parents=True, exist_ok=True)
    same = plain({name: getattr(config, name) for name in SAME})
    file = root / FOLDER / f"{hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()[:16]}.json"
    with FileLock(file.with_suffix(".lock")):
        if not file.is_file():
            write_json(file, same | asdict(_measured(config, execution, dataset, root)))
        kept = json.loads(file.read_text(encoding="utf-8"))
    return Pace(kept["images_per_second"], ExecutionConfig(**kept["execution"]))


def _measured(config: TrainConfig, execution: ExecutionConfig, dataset: FaceDataset, root: Path) -> Pace:
    """The usual steps by the clock; others by how they compare with these when both are timed in turn."""
    usual = replace(config, **USUAL)
    if usual == config:
        return Pace(*_probe(config, execution, dataset))
    pace = pace_of(usual, execution, dataset, root)
    turns = [[_probe(one, pace.execution, dataset)[0] for one in (config, usual)] for _ in range(TURNS)]
    faster = statistics.median(own / beside for own, beside in turns)
    return Pace(pace.images_per_second * faster, pace.execution)


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
