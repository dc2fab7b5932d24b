"""Runs a named table of studies on a budget and writes its leaderboard; what is done is not done again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scripts._cli import JsonOption, emit, fail, run
from scripts._dataset import open_dataset

if TYPE_CHECKING:
    from fer_core.studies import Row, Table
    from fer_core.studies.run import Outcome

EVERY, LEADERBOARD_PAGE = "all", "leaderboard.md"
FAILED = 1
"""Exit status where a row could not be run."""

TableArgument = Annotated[str, typer.Argument(help="A table, or `all`; --list names them with their rows.")]
DataOption = Annotated[Path | None, typer.Option(help="Prepared dataset, or a raw source that is prepared on the way.")]
BudgetOption = Annotated[str, typer.Option(help="smoke (seconds a row), small (minutes a row) or full.")]
OutOption = Annotated[Path, typer.Option(help="Folder of the runs; each budget has a folder in it.")]
OnlyOption = Annotated[list[str] | None, typer.Option(help="Run this row; may be given again.")]
JobsOption = Annotated[int, typer.Option(min=1, help="Rows that run at once, each on one thread.")]
RecordOption = Annotated[
    bool, typer.Option("--record", help="Copy cards, histories and predictions to checkpoints/leaderboard.")
]
TimeOption = Annotated[
    bool, typer.Option("--time", help="Only measure anew how fast the rows that are done answer; for an idle machine.")
]
ListOption = Annotated[bool, typer.Option("--list", help="Name the tables and their rows, and run nothing.")]


def reproduce(
    table: TableArgument = EVERY,
    data: DataOption = None,
    budget: BudgetOption = "smoke",
    out: OutOption = Path("runs/reproduce"),
    only: OnlyOption = None,
    jobs: JobsOption = 2,
    record: RecordOption = False,
    timed: TimeOption = False,
    listed: ListOption = False,
    as_json: JsonOption = False,
) -> None:
    """Trains and measures every row of a table under one protocol and writes the leaderboard.

    A row that is done is left alone, a killed one goes on where it stopped. PrivateTest is judged once a row, after
    everything about it was chosen on PublicTest.
    """
    from fer_core.studies import BUDGETS

    tables, limits = _tables(table), BUDGETS[budget]
    if listed:
        rows = [{"table": t.name, "row": r.name, "kind": r.kind, "title": r.title} for t in tables for r in t.rows]
        emit(rows, as_json, [f"{row['table']:<20} {row['row']:<30} {row['title']}" for row in rows])
        return
    if timed:
        from fer_core.studies.run import timed_again

        again = timed_again(_rows(tables, only), out / budget)
        _report(list(_kept(again, out / budget) if record else again), out / budget, record, as_json)
        return
    if data is None:
        fail("name a dataset with --data, or ask for --list")
    if record and limits.miniature:
        fail("smoke runs say nothing about accuracy and are not recorded; take --budget small or full")
    open_dataset(data)  # complains, or prepares a raw source, before any row starts
    ended = _run(_rows(tables, only), data, budget, out / budget, jobs)
    outcomes = list(_kept(ended, out / budget) if record else ended)
    _report(outcomes, out / budget, record, as_json)


def _tables(name: str) -> list[Table]:
    from fer_core.studies import TABLES

    return [found for _, found in TABLES.items()] if name == EVERY else [TABLES[name]]


def _rows(tables: list[Table], only: list[str] | None) -> tuple[Row, ...]:
    """The wanted rows, each once, in the order of their tables."""
    found = {row.name: row for table in tables for row in table.rows}
    for name in only or ():
        if name not in found:
            fail(f"there is no row {name!r} here; --list names them")
    return tuple(found[name] for name in (only or found))


def _run(rows: tuple[Row, ...], data: Path, budget: str, root: Path, jobs: int) -> Iterator[Outcome]:
    from tqdm import tqdm

    from fer_core.studies.rows import with_members
    from fer_core.studies.run import run_rows

    with tqdm(total=len(with_members(rows)), desc=f"{budget} rows", unit="row") as bar:
        for outcome in run_rows(
            rows, data, budget, root, jobs=jobs, report=lambda text: bar.set_postfix_str(text[:60])
        ):
            bar.write(_line(outcome), file=None if bar.disable else bar.fp)
            bar.update()
            yield outcome


def _line(outcome: Outcome) -> str:
    if outcome.result is None:
        return f"{outcome.row.name:<30} FAILED: {outcome.error}"
    public = outcome.result.metrics["PublicTest"]["accuracy"]
    return f"{outcome.row.name:<30} PublicTest {public:.1%}, {outcome.result.seconds:.0f} s of training"


def _kept(outcomes: Iterator[Outcome], root: Path) -> Iterator[Outcome]:
    """The outcomes as they come; what each leaves is copied at once, so that a killed run has recorded its rows."""
    from fer_core.studies.results import keep, leaderboard_folder

    for outcome in outcomes:
        if outcome.result is not None:
            keep(root / outcome.row.name, leaderboard_folder())
        yield outcome


def _report(outcomes: list[Outcome], root: Path, recorded: bool, as_json: bool) -> None:
    from fer_core.files import write_text
    from fer_core.studies.leaderboard import leaderboard, markdown
    from fer_core.studies.results import load_results

    board = leaderboard(outcome.result for outcome in outcomes if outcome.result is not None)
    write_text(root / LEADERBOARD_PAGE, markdown(leaderboard(load_results(root))) + "\n")
    failed = {outcome.row.name: outcome.error for outcome in outcomes if outcome.result is None}
    lines = [_summary(line) for line in board.to_dict("records")]
    document: dict[str, Any] = {
        "rows": [outcome.result for outcome in outcomes if outcome.result is not None],
        "failed": failed,
        "leaderboard": str(root / LEADERBOARD_PAGE),
    }
    hint = ["rows are recorded; bring the pages up to date with `python -m scripts.document`"] if recorded else []
    emit(document, as_json, [*lines, f"leaderboard in {root / LEADERBOARD_PAGE}", *hint])
    if failed:
        fail(f"{len(failed)} rows could not be run: {'; '.join(f'{k} ({v})' for k, v in failed.items())}", FAILED)


def _summary(line: dict[Any, Any]) -> str:
    return (
        f"{line['row']:<30} {line['labels']:<8} PrivateTest {line['PrivateTest']:6.1%} ({line['low']:.1%} to "
        f"{line['high']:.1%})  macro-F1 {line['macro_f1']:.1%}  without twins {line['without_twins']:.1%}"
    )


if __name__ == "__main__":
    run(reproduce)
