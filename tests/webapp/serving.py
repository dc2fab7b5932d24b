"""A real `python -m webapp` (or another module) in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fer_core.artifacts import DEFAULT_CHECKPOINT, list_checkpoints

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 300
"""Seconds for a start on a machine that is busy with other things."""


@dataclass
class Served:
    """A running app: where it answers, where it keeps uploads, and everything it printed so far."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path
    temporary: Path

    @property
    def output(self) -> str:
        """What it said on stdout and stderr."""
        return self.log.read_text(encoding="utf-8")

    def health(self) -> dict[str, str]:
        """The body of `/health`."""
        with urllib.request.urlopen(f"{self.url}/health", timeout=10) as answer:
            document: dict[str, str] = json.load(answer)
        return document

    def uploads(self) -> list[Path]:
        """Files that lie in the app's upload folder."""
        found = os.walk(self.temporary)  # unlike rglob, it passes over folders that are swept meanwhile
        return [Path(folder) / name for folder, _, names in found for name in names]

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ends the process and returns its exit status."""
        self.process.send_signal(how)
        return self.process.wait(timeout=60)


def command(*options: str, module: str = "webapp") -> list[str]:
    """The command line of an app on a free port."""
    return [sys.executable, "-m", module, "--port", "0", *options]


def checkpoint_for_tests(tiny: Path) -> str:
    """The default one where it ships, else the tiny one."""
    shipped = {folder.name for folder in list_checkpoints()}
    return DEFAULT_CHECKPOINT if DEFAULT_CHECKPOINT in shipped else str(tiny)


@contextlib.contextmanager
def serving(folder: Path, *options: str, module: str = "webapp", ready: bool = True) -> Iterator[Served]:
    """Starts an app, waits until it answers (and its model is loaded), and stops it at the end.

    Args:
        folder: for its output and its temporary files.
    """
    log, temporary = folder / "output.txt", folder / "temporary"
    temporary.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"}
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command(*options, module=module), cwd=ROOT, stdout=sink, stderr=subprocess.STDOUT, env=environment
        )
    try:
        served = Served(process, _address(process, log), log, temporary)
        if ready:
            _wait_for_model(served)
        yield served
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    for _ in _patiently():
        if found := re.search(r"http://\S+:\d+", log.read_text(encoding="utf-8")):
            return found.group()
        assert process.poll() is None, f"the app ended at its start:\n{log.read_text(encoding='utf-8')}"
    raise AssertionError(f"the app did not start:\n{log.read_text(encoding='utf-8')}")


def _wait_for_model(served: Served) -> None:
    for _ in _patiently():
        with contextlib.suppress(urllib.error.URLError, TimeoutError):
            status = served.health()["status"]
            assert status != "error", served.output
            if status == "ok":
                return
    raise AssertionError(f"the model was never ready:\n{served.output}")


def _patiently() -> Iterator[None]:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        yield
        time.sleep(0.1)
