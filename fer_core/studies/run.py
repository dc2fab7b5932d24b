"""Running the rows of a table, several at once, each in a process of its own; what is done is not done again."""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path

from fer_core.artifacts import RUNS_CHECKPOINT
from fer_core.data.prepare import open_or_prepare
from fer_core.errors import FerError
from fer_core.studies.budget import BUDGETS, limit_faces
from fer_core.studies.measure import inference_speed
from fer_core.studies.results import Result, load_result, save_result
from fer_core.studies.rows import Row, all_rows, with_members
from fer_core.studies.runner import Surroundings, run_row

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """How a row ended: with a result, or with one sentence on why not."""

    row: Row
    result: Result | None
    error: str = ""


def run_rows(
    rows: tuple[Row, ...], data: Path, budget: str, root: Path, *, jobs: int = 1, report: Callable[[str], None] = print
) -> Iterator[Outcome]:
    """Runs rows and the members that they need, and yields each as it ends; those that build on others come last.

    A row that builds on others builds on rows that do not.

    Args:
        rows: what to run.
        data: a prepared dataset, or a raw source.
        budget: a name in BUDGETS.
        root: folder of the rows' folders.
        jobs: how many rows run at once, each on one thread.
        report: hears of each row as it starts, where rows run one by one.
    """
    ordered = with_members(rows)
    alone, building = ([row for row in ordered if bool(row.members) is joins] for joins in (False, True))
    for group in (alone, building):
        if jobs > 1 and group:
            yield from _together(group, data, budget, root, jobs)
        else:
            yield from _in_turn(group, data, budget, root, report)


def timed_again(rows: tuple[Row, ...], root: Path) -> Iterator[Outcome]:
    """Measures how fast the rows that are done answer, one after another, and keeps that; trains nothing.

    Worth it on an idle machine, after rows were measured beside others. An ensemble of rows answers as fast as its
    members do, and is joined anew by the next run of its table.

    Args:
        rows: of which those that are done are measured.
        root: folder of the rows' folders, with their checkpoints.
    """
    for row in rows:
        folder = root / row.name
        result = load_result(folder)
        if result is not None and (folder / RUNS_CHECKPOINT).is_dir():
            result = replace(result, inference_speed=inference_speed(folder / RUNS_CHECKPOINT))
            save_result(folder, result)
            yield Outcome(row, result)


def _in_turn(rows: list[Row], data: Path, budget: str, root: Path, report: Callable[[str], None]) -> Iterator[Outcome]:
    for row in rows:
        report(f"{row.name}: {row.title}")
        yield _one(row.name, data, budget, root)


def _together(rows: list[Row], data: Path, budget: str, root: Path, jobs: int) -> Iterator[Outcome]:
    spawn = multiprocessing.get_context("spawn")  # a forked process inherits torch's threads, and hangs
    with ProcessPoolExecutor(jobs, mp_context=spawn) as pool:
        futures = {pool.submit(_one, row.name, data, budget, root): row for row in rows}
        for future in as_completed(futures):
            yield _outcome(futures[future], future)


def _outcome(row: Row, future: Future[Outcome]) -> Outcome:
    try:
        return future.result()
    except BrokenProcessPool:
        return Outcome(row, None, "its process, or one beside it, was killed; run the table again with fewer --jobs")


def _one(name: str, data: Path, budget: str, root: Path) -> Outcome:
    """Runs one row in this process; what goes wrong with it stops no other."""
    row = all_rows()[name]
    try:
        dataset = limit_faces(open_or_prepare(data), BUDGETS[budget])
        return Outcome(row, run_row(row, Surroundings(dataset, BUDGETS[budget], root)))
    except FerError as error:
        return Outcome(row, None, str(error))
    except Exception as error:
        log.exception("%s could not be run", name)
        return Outcome(row, None, f"{type(error).__name__}: {error}")
