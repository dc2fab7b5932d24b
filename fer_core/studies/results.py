"""What a finished row hands on, and where it lies.

<root>/<row>/
  result.json           figures, cost and budget of the row; its presence means that the row is done
  card.json             of a network or a classical model
  history.csv           of a network, one row an epoch
  predictions.parquet   probabilities of every face of PublicTest and PrivateTest; no pixels
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fer_core import artifacts
from fer_core.artifacts import CARD, HISTORY, PREDICTIONS
from fer_core.errors import CheckpointError
from fer_core.files import replace_folder, write_json
from fer_core.studies.rows import Row

RESULT = "result.json"


@dataclass(frozen=True)
class Result:
    """One measured row.

    Attributes:
        row, title, kind: as in the row.
        budget: name of the budget that it ran on.
        options: what the row asked for.
        labels: what it was trained on and is judged against: `FER2013` or `FER+` (eight classes; not comparable).
        epochs, images_seen, seconds: what training took; of an ensemble, its members' together.
        parameters: trainable ones; multiply_adds: for one face; None where the notion does not apply.
        training_speed, inference_speed: faces a second on one core, or None.
        metrics: by split, with the keys of `scripts.evaluate`.
        robustness: {corruption: mean accuracy over its strengths, "mean": over all}; empty where it was not measured.
        members: of an ensemble; of others, the row whose network they use.
        published: {"accuracy", "source", "note"} of others, or empty.
        notes: what a reader must know, such as how far the budget went.
    """

    row: str
    title: str
    kind: str
    budget: str
    options: dict[str, Any]
    metrics: dict[str, dict[str, Any]]
    labels: str = "FER2013"
    epochs: int = 0
    images_seen: int = 0
    seconds: float = 0.0
    parameters: int | None = None
    multiply_adds: int | None = None
    training_speed: float | None = None
    inference_speed: float | None = None
    robustness: dict[str, float] = field(default_factory=dict)
    members: tuple[str, ...] = ()
    published: dict[str, Any] = field(default_factory=dict)
    notes: str = ""


def leaderboard_folder() -> Path:
    """Where the results of this project's own runs lie, without their weights."""
    return artifacts.CHECKPOINTS / "leaderboard"


def save_result(folder: Path, result: Result) -> None:
    """Writes a row's result, last of its files."""
    write_json(folder / RESULT, asdict(result))


def load_result(folder: Path) -> Result | None:
    """Reads a row's result; None where the row is not done.

    Raises:
        CheckpointError: there is a result and it cannot be read.
    """
    file = folder / RESULT
    if not file.is_file():
        return None
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        return Result(**(document | {"members": tuple(document["members"])}))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CheckpointError(f"{file} cannot be read ({error}); delete the row's folder and run it again") from error


def load_results(root: Path) -> list[Result]:
    """The results of all finished rows under `root`, by name."""
    found = (load_result(file.parent) for file in sorted(root.glob(f"[!.]*/{RESULT}")))
    return [result for result in found if result is not None]


def plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as they read back from JSON."""
    found: dict[str, Any] = json.loads(json.dumps(dict(options), default=dict))
    return found


def keep(folder: Path, root: Path) -> Path:
    """Copies what a finished row leaves but for its weights to `root`, in place of what was there."""
    draft = root / f".{folder.name}.draft"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    for name in (CARD, HISTORY, PREDICTIONS, RESULT):
        if (folder / name).is_file():
            shutil.copyfile(folder / name, draft / name)
    return replace_folder(draft, root / folder.name)


def published_of(row: Row) -> dict[str, Any]:
    """A row's published figure as plain values."""
    return asdict(row.published) if row.published else {}
