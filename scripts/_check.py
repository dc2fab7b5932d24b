"""What `check.py` does once the Python is known to be new enough; standard library only."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts import _environment
from scripts._environment import Environment, SetupError

DESCRIPTION = "Makes .venv, installs what is missing, then runs lint, types, the import contract and the tests."


WORKERS = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
"""Two processes, whole files, in pytest's order: the tests that drive a browser stay the last of each."""


@dataclass(frozen=True)
class Step:
    """One thing to check: its title, the command as people know it, and how the environment's Python runs it."""

    title: str
    shown: str
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """How a step ended."""

    step: Step
    status: int
    seconds: float


def main(arguments: list[str] | None = None) -> int:
    """Runs every step, whatever the ones before gave; 0 when all passed, else 1."""
    options, pytest_arguments = _parser().parse_known_args(arguments)
    try:
        python = _environment.ensure(Environment())
        outcomes = [_run(python, step) for step in steps(pytest_arguments, fast=options.fast)]
    except SetupError as error:
        print("error: " + str(error), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped.")
        return _environment.INTERRUPTED
    print("\n".join(summary(outcomes)), flush=True)
    return int(any(outcome.status for outcome in outcomes))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 scripts/check.py",
        description=DESCRIPTION,
        epilog="Every other argument goes to pytest, such as tests/scripts or -k audit.",
    )
    parser.add_argument("--fast", action="store_true", help="leave out the tests that drive a browser")
    return parser


def steps(pytest_arguments: Sequence[str], *, fast: bool) -> list[Step]:
    """What is checked, in order."""
    without_browser = ("-m", "not browser") if fast else ()
    import_linter = "from importlinter.cli import lint_imports_command as lint; lint(['--no-logo'])"
    return [
        _module("lint", "ruff", "check", "."),
        _module("format", "ruff", "format", "--check", "."),
        _module("types", "mypy"),
        Step("import contract", "lint-imports", ("-c", import_linter)),  # it cannot be run with -m
        _module("tests", "pytest", *WORKERS, *without_browser, *pytest_arguments),
    ]


def _module(title: str, *command: str) -> Step:
    return Step(title, " ".join(command), ("-m", *command))


def _run(python: Path, step: Step) -> Outcome:
    print(f"\n--- {step.title}: {step.shown}", flush=True)
    began = time.monotonic()
    status = _environment.run_passing_on([str(python), *step.arguments], _environment.ROOT)
    if status == _environment.INTERRUPTED:
        raise KeyboardInterrupt
    return Outcome(step, status, time.monotonic() - began)


def summary(outcomes: Sequence[Outcome]) -> list[str]:
    """A line per step and a closing one."""
    rows = [
        f"{'passed' if outcome.status == 0 else 'FAILED':<7} {outcome.step.title:<16} "
        f"{_environment.duration(outcome.seconds):>12}"
        for outcome in outcomes
    ]
    failed = [outcome.step.title for outcome in outcomes if outcome.status]
    total = _environment.duration(sum(outcome.seconds for outcome in outcomes))
    verdict = f"failed: {', '.join(failed)}" if failed else "everything passed"
    return ["", "--- summary", *rows, f"{verdict} ({total})"]
