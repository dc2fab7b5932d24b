"""What `start.py` does once the Python is known to be new enough; standard library only."""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import webbrowser
from pathlib import Path

from scripts import _environment
from scripts._environment import Environment, SetupError

DESCRIPTION = "Makes .venv, installs what is missing, starts the web app and opens it in a browser."

NO_ADDRESS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)

READY_WITHIN = 180
"""Seconds that the web app may take to answer on a slow machine before the wait is given up."""


def main(arguments: list[str] | None = None) -> int:
    """Sets up, serves until Ctrl-C, and returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        check_options(options)
        python = _environment.ensure(Environment())
        return serve(python, options)
    except SetupError as error:
        print("error: " + str(error), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped.")
        return _environment.INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 scripts/start.py", description=DESCRIPTION)
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s, this machine only)")
    add("--port", type=int, default=7860, help="port to listen on (default: %(default)s)")
    add("--no-browser", action="store_true", help="do not open a browser window")
    add("--data", type=Path, metavar="PATH", help="your copy of FER2013, prepared or raw, to see its faces")
    add("--checkpoint", metavar="NAME", help="model to serve: a name under checkpoints/ or a folder")
    host = "another name that the pages answer to, such as a proxy's; may be given several times"
    add("--allow-host", action="append", default=[], metavar="NAME", help=host)
    return parser


def check_options(options: argparse.Namespace) -> None:
    """Refuses what cannot work before anything is installed; raises SetupError."""
    if not 1 <= options.port <= 65535:
        raise SetupError(f"--port must be between 1 and 65535, not {options.port}")
    if options.data and not options.data.exists():
        raise SetupError(f"--data {options.data} does not exist; name your copy of FER2013 or leave the option out")
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            if os.name != "nt":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port that was just freed is free
            probe.bind((options.host, options.port))
    except OSError as error:
        raise SetupError(_explain_bind(options.host, options.port, error)) from error


def _explain_bind(host: str, port: int, error: OSError) -> str:
    if isinstance(error, socket.gaierror) or error.errno in NO_ADDRESS:
        return f"--host {host} is no address of this machine; use 127.0.0.1, or 0.0.0.0 for the whole network"
    if isinstance(error, PermissionError):
        return f"port {port} is reserved on this system; choose one above 1023, such as --port 7860"
    return f"port {port} is in use; end the program that has it, or choose another, such as --port {port % 65535 + 1}"


def serve(python: Path, options: argparse.Namespace) -> int:
    """Runs the web app until it ends or Ctrl-C, opens a browser when it answers, returns its exit status."""
    print("Starting the web app ...", flush=True)
    process = subprocess.Popen([str(python), "-m", "webapp", *webapp_arguments(options)], cwd=_environment.ROOT)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        if not options.no_browser and wait_until_ready(address(options) + "health", process):
            _open_browser(address(options))
        process.wait()
    except KeyboardInterrupt:
        _environment.stop(process)
    return _environment.exit_status(process.returncode)


def webapp_arguments(options: argparse.Namespace) -> list[str]:
    """The options as `python -m webapp` takes them; paths are absolute, because it runs in the project's folder."""
    result = ["--host", options.host, "--port", str(options.port)]
    if options.data:
        result += ["--data", str(options.data.resolve())]
    if options.checkpoint:
        folder = Path(options.checkpoint)
        result += ["--checkpoint", str(folder.resolve()) if folder.is_dir() else options.checkpoint]
    for name in options.allow_host:
        result += ["--allow-host", name]
    return result


def address(options: argparse.Namespace) -> str:
    """Where a browser on this machine finds the web app."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(options.host, options.host)
    return f"http://[{host}]:{options.port}/" if ":" in host else f"http://{host}:{options.port}/"


def wait_until_ready(health: str, process: subprocess.Popen[bytes], limit: float = READY_WITHIN) -> bool:
    """Polls the health address until it answers; False when the process ended or `limit` seconds are over."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy has no business with this machine
    end = time.monotonic() + limit
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError), opener.open(health, timeout=5):
            return True
        time.sleep(0.2)
    return False


def _open_browser(url: str) -> None:
    has_screen = (
        os.name == "nt" or sys.platform == "darwin" or bool({"DISPLAY", "WAYLAND_DISPLAY", "BROWSER"} & set(os.environ))
    )
    if not (has_screen and webbrowser.open(url)):
        print(f"No browser could be opened here; open {url} yourself.", flush=True)
