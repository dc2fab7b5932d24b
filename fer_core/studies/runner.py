"""How rows of each kind are run: a registry of runners, and what a runner gets beside its row."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fer_core.data.progress import Progress, unshown
from fer_core.data.table import FaceDataset
from fer_core.files import write_json
from fer_core.registry import Registry
from fer_core.studies.budget import Budget
from fer_core.studies.results import RESULT, Result, load_result, plain, save_result
from fer_core.studies.rows import PROTOCOL, Row

ROW = "row.json"
"""What the row asked for when its run began."""

Report = Callable[[str], None]


def _silent(text: str) -> None:
    """Says nothing."""


@dataclass(frozen=True)
class Surroundings:
    """What every row of a run shares.

    Attributes:
        dataset: already limited to the budget's faces.
        budget: what a row may cost.
        root: folder of all rows.
        threads: CPU threads of this row; the budget counts core-seconds.
        report, progress: as in `fer_core.training.fit`.
    """

    dataset: FaceDataset
    budget: Budget
    root: Path
    threads: int = 1
    report: Report = _silent
    progress: Progress = unshown

    def folder(self, name: str) -> Path:
        """The folder of a row."""
        return self.root / name


Runner = Callable[[Row, Surroundings], Result]
"""Trains or joins one row, goes on where it was killed, and measures it."""

RUNNERS: Registry[Runner] = Registry("kind of row", package="fer_core.studies.runners")


def run_row(row: Row, around: Surroundings) -> Result:
    """Runs a row unless it is done; its result is written last.

    What a row has begun, or ended, is thrown away where anything that makes it is no longer the same.
    """
    from fer_core.training.state import STATE

    folder = around.folder(row.name)
    asked = asked_of(row, around)
    if not (folder / ROW).is_file() or json.loads((folder / ROW).read_text(encoding="utf-8")) != asked:
        shutil.rmtree(folder, ignore_errors=True)
        write_json(folder / ROW, asked)
    if (done := load_result(folder)) is not None:
        return done
    result = RUNNERS[row.kind](row, around)
    save_result(folder, result)
    for state in folder.rglob(STATE):  # ten times as large as the weights, and of no use to a row that is done
        state.unlink()
    return result


def asked_of(row: Row, around: Surroundings) -> dict[str, Any]:
    """All that makes a row's result: what it asks for, protocol, budget, data, and the results that it joins."""
    return plain(
        {
            "kind": row.kind,
            "options": row.options,
            "members": {name: _digest(around.folder(name) / RESULT) for name in row.members},
            "protocol": PROTOCOL,
            "budget": asdict(around.budget),
            "data": around.dataset.fingerprint,
        }
    )


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""
