"""What every command owes its users: help at once, help for every option, README examples that work."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from fer_core.data.table import FaceDataset
from scripts import prepare_data
from tests import factories
from tests.scripts.conftest import Command

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = sorted(path.stem for path in (ROOT / "scripts").glob("*.py") if not path.stem.startswith("_"))
README = (ROOT / "README.md").read_text(encoding="utf-8")
HEAVY = ("torch", "captum", "gradio", "streamlit", "cv2", "sklearn", "onnxruntime", "lightning", "scipy", "plotly")

PROBE = """
import argparse, json, runpy, sys
import typer

options = []
call, parse = typer.Typer.__call__, argparse.ArgumentParser.parse_known_args

def typer_call(self):
    for parameter in typer.main.get_command(self).params:
        options.append([*parameter.opts, *parameter.secondary_opts, parameter.name, getattr(parameter, "help", None)])
    call(self)

def argparse_parse(self, *arguments):
    for action in self._actions:
        options.append([*action.option_strings, action.dest, action.help])
    return parse(self, *arguments)

typer.Typer.__call__, argparse.ArgumentParser.parse_known_args = typer_call, argparse_parse
module = sys.argv.pop(1)
status = None
try:
    runpy.run_module(module, run_name="__main__", alter_sys=True)
except SystemExit as end:
    status = end.code

print("\\n" + json.dumps({"status": status, "options": options, "modules": sorted(sys.modules)}))
"""


@lru_cache
def _probe(command: str) -> dict[str, Any]:
    """`--help` of a command: its text, exit status, options with their help, and the modules that were loaded."""
    result = subprocess.run(
        [sys.executable, "-c", PROBE, f"scripts.{command}", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "100"},
    )
    text, _, last = result.stdout.rstrip().rpartition("\n")
    return {"text": text, **json.loads(last)}


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_there_and_loads_nothing_heavy(command: str) -> None:
    found = _probe(command)
    assert not found["status"]
    assert "--help" in found["text"]
    assert not set(HEAVY) & set(found["modules"])


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_explained(command: str) -> None:
    silent = [option[0] for option in _probe(command)["options"] if not option[-1]]
    assert not silent


def _examples() -> list[list[str]]:
    """Every command line of the README that calls one of the project's scripts, as words."""
    fenced = "\n".join(re.findall(r"```sh\n(.*?)```", README, re.DOTALL)).replace("\\\n", " ").splitlines()
    lines = [line.split("#")[0] for line in fenced] + re.findall(r"`(python3? (?:-m )?scripts[./][^`]*)`", README)
    return [shlex.split(line) for line in lines if re.match(r"python3? (-m )?scripts[./]", line)]


@pytest.mark.parametrize("words", _examples(), ids=" ".join)
def test_examples_of_the_readme_use_options_that_exist(words: list[str]) -> None:
    start = 2 if words[1] == "-m" else 1
    command = words[start].removeprefix("scripts.").removeprefix("scripts/").removesuffix(".py")
    assert command in COMMANDS
    known = {name for option in _probe(command)["options"] for name in option[:-1]}
    given = {word.split("=")[0] for word in words[start + 1 :] if word.startswith("--")}
    assert given <= known


def test_every_command_has_an_example() -> None:
    shown = {word for words in _examples() for word in words[1:3]}
    missing = [name for name in COMMANDS if not {f"scripts.{name}", f"scripts/{name}.py"} & shown]
    assert not missing


def test_what_the_file_system_refuses_is_told_in_a_sentence(
    run_here: Command, dataset: FaceDataset, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    raw = factories.write_csv(dataset, tmp_path / "fer2013.csv")
    done = run_here(prepare_data.prepare_data, raw, "--out", tmp_path / "file" / "folder")
    assert done.status == 2
    assert done.err.startswith("error: ")
    assert "cannot be read or written" in done.err
    assert "Traceback" not in done.err
