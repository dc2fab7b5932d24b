"""Commands run in this process, and what they leave behind."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from scripts._cli import run


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        return json.loads(self.out)


Command = Callable[..., Outcome]


@pytest.fixture
def run_here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command's function with words as its command line."""

    def call(function: Callable[..., Any], *words: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", [function.__module__, *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            run(function)
        captured = capsys.readouterr()
        return Outcome(int(ended.value.code or 0), captured.out, captured.err)

    return call
