"""`scripts.reproduce`: what it lists, runs, records as it goes, and refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fer_core import artifacts
from fer_core.artifacts import DEDUPLICATED
from fer_core.labels import TESTS
from fer_core.studies import TABLES, Row
from fer_core.studies.results import Result, load_results, save_result
from fer_core.studies.run import Outcome
from scripts import reproduce
from tests.scripts.conftest import Command

ALONE = {"accuracy": 0.5, "accuracy_interval": [0.4, 0.6], "macro_f1": 0.4}


def result_of(row: Row) -> Result:
    """A result as a runner would hand it on."""
    metrics = dict.fromkeys((*TESTS, DEDUPLICATED), ALONE)
    return Result(row=row.name, title=row.title, kind=row.kind, budget="small", options={}, metrics=metrics, seconds=1)


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Rows end at once, the second with an error; returns where results are recorded."""

    def run_rows(rows: tuple[Row, ...], data: Path, budget: str, root: Path, **options: Any) -> Iterator[Outcome]:
        for number, row in enumerate(rows):
            if number == 1:
                assert len(load_results(tmp_path / "shipped" / "leaderboard")) == 1, (
                    "the first was not recorded at once"
                )
                yield Outcome(row, None, "too small a machine")
            else:
                save_result(root / row.name, result_of(row))
                yield Outcome(row, result_of(row))

    monkeypatch.setattr("fer_core.studies.run.run_rows", run_rows)
    monkeypatch.setattr(artifacts, "CHECKPOINTS", tmp_path / "shipped")
    return tmp_path / "shipped" / "leaderboard"


def test_tables_and_rows_are_listed(run_here: Command) -> None:
    rows = run_here(reproduce.reproduce, "--list", "--json").json
    assert {row["table"] for row in rows} == set(TABLES)
    one = run_here(reproduce.reproduce, "classical", "--list")
    assert one.out.count("\n") == len(TABLES["classical"].rows)


def test_rows_are_recorded_as_they_end(run_here: Command, recorded: Path, prepared: Path, tmp_path: Path) -> None:
    given = ["classical", "--data", prepared, "--budget", "small", "--out", tmp_path / "runs", "--record"]
    done = run_here(reproduce.reproduce, *given)
    names = [row.name for row in TABLES["classical"].rows]
    assert done.status == reproduce.FAILED
    assert f"{names[1]} (too small a machine)" in done.err
    assert [result.row for result in load_results(recorded)] == sorted(names[:1] + names[2:])
    assert names[0] in (tmp_path / "runs" / "small" / "leaderboard.md").read_text()


def test_single_rows(run_here: Command, recorded: Path, prepared: Path, tmp_path: Path) -> None:
    given = ["all", "--data", prepared, "--budget", "small", "--out", tmp_path / "runs", "--only", "vgg", "--json"]
    done = run_here(reproduce.reproduce, *given)
    assert [row["row"] for row in done.json["rows"]] == ["vgg"]
    assert not recorded.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["clasical"], "no table 'clasical'; closest: 'classical'"),
        (["classical"], "name a dataset with --data"),
        (["classical", "--budget", "tiny"], "no budget 'tiny'"),
        (["classical", "--record", "--data", "x"], "smoke runs say nothing about accuracy"),
        (["classical", "--data", "nowhere"], "nowhere"),
    ],
)
def test_mistakes_get_one_sentence(run_here: Command, words: list[str], message: str) -> None:
    done = run_here(reproduce.reproduce, *words)
    assert done.status == 2
    assert message in done.err
    assert done.out == ""


def test_an_unknown_row_is_named(run_here: Command, prepared: Path) -> None:
    done = run_here(reproduce.reproduce, "classical", "--data", prepared, "--only", "vgg")
    assert done.status == 2
    assert "there is no row 'vgg' here" in done.err
