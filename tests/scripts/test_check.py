"""check.py runs every step, whatever the ones before gave, and says so."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scripts import _check, _environment
from scripts._check import Outcome, Step


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of this test run in place of one to be made."""
    monkeypatch.setattr(_environment, "ensure", lambda environment: Path(sys.executable))


def _python(title: str, code: str) -> Step:
    return Step(title, title, ("-c", code))


@pytest.mark.usefixtures("here")
def test_all_steps_run_and_one_failure_fails_all(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    steps = [_python("lint", "raise SystemExit(3)"), _python("tests", "print('1 passed in 0.1s')")]
    monkeypatch.setattr(_check, "steps", lambda arguments, fast: steps)
    assert _check.main([]) == 1
    output = capfd.readouterr().out
    assert "1 passed in 0.1s" in output
    assert "FAILED  lint" in output
    assert "passed  tests" in output
    assert "failed: lint (" in output


@pytest.mark.usefixtures("here")
def test_success_is_status_zero(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(_check, "steps", lambda arguments, fast: [_python("lint", "")])
    assert _check.main([]) == 0
    assert "everything passed" in capfd.readouterr().out


@pytest.mark.usefixtures("here")
def test_ctrl_c_ends_without_a_traceback(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    code = "import os, signal; signal.signal(signal.SIGINT, signal.SIG_DFL); os.kill(os.getpid(), signal.SIGINT)"
    monkeypatch.setattr(_check, "steps", lambda arguments, fast: [_python("lint", code), _python("tests", "print(1)")])
    assert _check.main([]) == _environment.INTERRUPTED
    assert capfd.readouterr().out.splitlines()[-1] == "Stopped."


def test_the_steps_are_lint_format_types_contract_and_tests() -> None:
    shown = [step.shown for step in _check.steps(["-k", "audit"], fast=False)]
    assert shown == [
        "ruff check .",
        "ruff format --check .",
        "mypy",
        "lint-imports",
        f"pytest {' '.join(_check.WORKERS)} -k audit",
    ]


def test_fast_leaves_the_browser_out() -> None:
    assert _check.steps([], fast=True)[-1].arguments == ("-m", "pytest", *_check.WORKERS, "-m", "not browser")


def test_other_arguments_go_to_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    monkeypatch.setattr(_environment, "ensure", lambda environment: Path(sys.executable))
    monkeypatch.setattr(_check, "steps", lambda arguments, fast: seen.append(list(arguments)) or [])
    _check.main(["--fast", "tests/scripts", "-k", "start", "--maxfail=1"])
    assert seen == [["tests/scripts", "-k", "start", "--maxfail=1"]]


def test_the_summary_names_each_step_and_its_time() -> None:
    outcomes = [Outcome(_python("lint", ""), 0, 1.24), Outcome(_python("types", ""), 1, 61.0)]
    lines = _check.summary(outcomes)
    assert lines[2].split() == ["passed", "lint", "1.2", "s"]
    assert lines[3].split() == ["FAILED", "types", "1", "min", "01", "s"]
    assert lines[-1] == "failed: types (1 min 02 s)"
