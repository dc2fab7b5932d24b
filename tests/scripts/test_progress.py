"""What long commands show on stderr."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fer_core.data import prepare
from fer_core.errors import DataError
from scripts import audit, make_profile, measure_framing
from scripts._progress import bar
from tests.scripts.conftest import Command

READERS = [audit.audit, make_profile.make_profile, measure_framing.main]


@pytest.mark.parametrize("command", READERS, ids=lambda command: command.__module__)
def test_reading_a_raw_source_is_shown(
    command: Callable[..., Any], run_here: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Any] = []

    def read(path: Path, *, progress: Any = None, **options: Any) -> None:
        heard.append(progress)
        raise DataError("enough was read")

    monkeypatch.setattr(prepare, "open_or_prepare", read)
    done = run_here(command, tmp_path / "fer2013.csv")
    assert "enough was read" in done.err
    assert [callable(progress) for progress in heard] == [True]


def test_a_bar_hands_its_items_on_and_leaves_stdout_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(bar(iter("abc"), 3, "letters")) == ["a", "b", "c"]
    assert capsys.readouterr().out == ""
