"""The options of start.py: what it refuses before it installs, and what it hands to the web app."""

from __future__ import annotations

import argparse
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import _environment, _start
from scripts._environment import SetupError


def _options(*arguments: str) -> argparse.Namespace:
    return _start._parser().parse_args(list(arguments))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def test_a_port_in_use_is_refused_and_another_offered() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SetupError, match=f"port {port} is in use; .* such as --port "):
            _start.check_options(_options("--port", str(port)))


def test_a_free_port_is_taken() -> None:
    _start.check_options(_options("--port", str(_free_port())))


@pytest.mark.parametrize("port", ["0", "65536", "-1"])
def test_a_port_outside_the_range_is_refused(port: str) -> None:
    with pytest.raises(SetupError, match="between 1 and 65535"):
        _start.check_options(_options("--port", port))


@pytest.mark.parametrize("host", ["203.0.113.7", "no.such.host.invalid"])
def test_an_address_of_another_machine_is_refused(host: str) -> None:
    with pytest.raises(SetupError, match="is no address of this machine"):
        _start.check_options(_options("--host", host, "--port", str(_free_port())))


def test_data_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="does not exist; name your copy of FER2013"):
        _start.check_options(_options("--data", str(tmp_path / "gone")))


def test_the_web_app_gets_absolute_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    options = _options("--port", "8000", "--data", "mine", "--checkpoint", "mine")
    there = str(tmp_path / "mine")
    expected = ["--host", "127.0.0.1", "--port", "8000", "--data", there, "--checkpoint", there]
    assert _start.webapp_arguments(options) == expected


def test_a_checkpoints_name_stays_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert _start.webapp_arguments(_options("--checkpoint", "vgg_se"))[-1] == "vgg_se"


def test_names_that_the_pages_answer_to_are_handed_on() -> None:
    given = _options("--allow-host", "fer.example", "--allow-host", "faces.example")
    assert _start.webapp_arguments(given)[-4:] == ["--allow-host", "fer.example", "--allow-host", "faces.example"]


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:7860/"),
        ("0.0.0.0", "http://127.0.0.1:7860/"),
        ("::", "http://[::1]:7860/"),
        ("192.168.0.7", "http://192.168.0.7:7860/"),
    ],
)
def test_the_browser_gets_an_address_it_can_open(host: str, url: str) -> None:
    assert _start.address(_options("--host", host)) == url


def test_a_web_app_that_ends_is_not_waited_for() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert not _start.wait_until_ready("http://127.0.0.1:9/", process)


def test_help_needs_no_environment_and_works_from_any_folder(tmp_path: Path) -> None:
    for name in ("start", "check"):
        script = _environment.ROOT / "scripts" / f"{name}.py"
        result = subprocess.run(
            [sys.executable, "-S", str(script), "--help"], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert "--help" in result.stdout
