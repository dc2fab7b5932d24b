"""Names looked up: duplicates and typos fail loudly."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from fer_core.errors import FerError, UnknownNameError
from fer_core.registry import Registry


@pytest.fixture
def registry() -> Registry[int]:
    """Two entries."""
    entries: Registry[int] = Registry("model")
    entries.add("vgg_se", 1)
    entries.add("deep_emotion", 2)
    return entries


def test_an_entry_is_found_by_its_name(registry: Registry[int]) -> None:
    assert registry["vgg_se"] == 1
    assert "vgg_se" in registry
    assert "vgg" not in registry


def test_names_are_listed_in_order(registry: Registry[int]) -> None:
    assert list(registry) == ["deep_emotion", "vgg_se"]
    assert registry.items() == [("deep_emotion", 2), ("vgg_se", 1)]
    assert len(registry) == 2


def test_a_typo_is_answered_with_the_closest_name(registry: Registry[int]) -> None:
    with pytest.raises(UnknownNameError, match=r"no model 'vgg_sr'; closest: 'vgg_se'"):
        registry["vgg_sr"]


def test_a_name_like_no_other_is_answered_with_all(registry: Registry[int]) -> None:
    with pytest.raises(FerError, match=r"no model 'zzz'; there are: deep_emotion, vgg_se"):
        registry["zzz"]


def test_a_name_is_given_once(registry: Registry[int]) -> None:
    with pytest.raises(ValueError, match="'vgg_se' is registered already"):
        registry.add("vgg_se", 3)
    assert registry["vgg_se"] == 1


def test_the_decorator_returns_what_it_registers(registry: Registry[int]) -> None:
    assert registry.register("vgg")(7) == 7
    assert registry["vgg"] == 7


def test_a_package_registers_itself_at_the_first_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "entries_for_tests"
    package.mkdir()
    (package / "__init__.py").write_text(
        "from fer_core.registry import Registry\nENTRIES = Registry('entry', __name__)\n"
    )
    (package / "one.py").write_text("from entries_for_tests import ENTRIES\nENTRIES.add('one', 1)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    entries = importlib.import_module("entries_for_tests").ENTRIES
    assert "entries_for_tests.one" not in sys.modules
    assert list(entries) == ["one"]
    assert entries["one"] == len(entries) == 1


def test_a_module_that_fails_fails_at_every_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "broken_for_tests"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "one.py").write_text("raise ImportError('no such library')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    entries: Registry[int] = Registry("entry", "broken_for_tests")
    for _ in range(2):
        with pytest.raises(ImportError, match="no such library"):
            list(entries)
