"""The project's `.venv`: made, filled from requirements.txt, and left alone while that file stays the same.

Used by `start.py` and `check.py` before anything is installed, so it imports the standard library only. What state an
environment is in stands in one file inside it:

- no file: nothing is half done (new, made by hand, or cut off while downloading); `pip install` completes it,
- `installing`: cut off while packages were unpacked, which can leave half a package behind, so it is made anew,
- a fingerprint of requirements.txt and the Python version: complete, nothing to do.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MINIMUM = (3, 11)
NEEDED_GB = 8
"""Free space below which a first install cannot end well: 7 GB stay."""

INSTALLING = "installing"
UNPACKING = "Installing collected packages"
"""How pip announces that from here on it changes the environment."""

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""


class SetupError(Exception):
    """What keeps the environment from being made, in a sentence that says how to mend it."""


@dataclass(frozen=True)
class Environment:
    """Where the project lies, and with it its environment.

    Attributes:
        root: the project's folder.
        needed_gb: free space to ask for before a first install.
    """

    root: Path = ROOT
    needed_gb: float = NEEDED_GB

    @property
    def folder(self) -> Path:
        """The virtual environment."""
        return self.root / ".venv"

    @property
    def requirements(self) -> Path:
        """The list of packages."""
        return self.root / "requirements.txt"

    @property
    def state(self) -> Path:
        """The file that says how far the environment is."""
        return self.folder / "fer-state"

    @property
    def log(self) -> Path:
        """Everything pip said at the last install."""
        return self.folder / "fer-install.log"

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        windows = os.name == "nt"
        return self.folder / ("Scripts" if windows else "bin") / ("python.exe" if windows else "python")


def ensure(environment: Environment) -> Path:
    """Makes the environment complete, as quietly as its state allows, and returns its interpreter.

    Raises:
        SetupError: it cannot be made; the message says why and what to do.
    """
    try:
        if not is_complete(environment):
            _complete(environment)
    except OSError as error:
        where = error.filename or environment.root
        raise SetupError(f"{where} cannot be used ({error.strerror}); mend that and start again") from error
    return environment.python


def _complete(environment: Environment) -> None:
    with _alone(environment):
        if not is_complete(environment):  # another start may have finished it while this one waited
            _create_if_unusable(environment)
            _install(environment)


def is_complete(environment: Environment) -> bool:
    """Whether everything in requirements.txt is installed and the interpreter runs."""
    try:
        state = environment.state.read_text(encoding="utf-8").strip()
    except OSError:
        return False
    if state == INSTALLING:
        return False
    return state == fingerprint(environment, python_version(environment.python))


def fingerprint(environment: Environment, version: tuple[int, ...] | None) -> str:
    """SHA-256 (hex) over the list of packages and the version of the interpreter they are installed for."""
    digest = hashlib.sha256(environment.requirements.read_bytes())
    digest.update(repr(version).encode())
    return digest.hexdigest()


def python_version(python: Path) -> tuple[int, ...] | None:
    """(major, minor) of an interpreter, None where it does not run."""
    code = "import sys; print(*sys.version_info[:2])"
    try:
        result = subprocess.run([str(python), "-I", "-c", code], capture_output=True, text=True, timeout=60, check=True)
        return tuple(int(part) for part in result.stdout.split())
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def run_passing_on(command: Sequence[str], root: Path) -> int:
    """Runs a command in `root` with this terminal's output and returns its exit status, 130 after Ctrl-C."""
    process = subprocess.Popen(list(command), cwd=root)
    try:
        return exit_status(process.wait())
    except KeyboardInterrupt:
        stop(process)
        return INTERRUPTED


def stop(process: subprocess.Popen[str] | subprocess.Popen[bytes], grace: float = 5.0) -> None:
    """Lets a process end by itself for `grace` seconds (Ctrl-C reached it too), then asks it to, then ends it."""
    for ask in (process.terminate, process.kill):
        with contextlib.suppress(KeyboardInterrupt, subprocess.TimeoutExpired):
            process.wait(grace)
        if process.poll() is not None:
            return
        ask()
    process.wait()


def exit_status(returncode: int) -> int:
    """A process's return code as an exit status: death by signal n is 128 + n."""
    return 128 - returncode if returncode < 0 else returncode


@contextlib.contextmanager
def _alone(environment: Environment) -> Iterator[None]:
    """Waits until no other start or check works on the environment; the system frees the lock when a process dies."""
    with (environment.root / ".venv.lock").open("w") as file:
        if not _lock(file.fileno(), wait=False):
            print("Another start or check is installing; waiting for it ...", flush=True)
            _lock(file.fileno(), wait=True)
        yield


def _lock(descriptor: int, *, wait: bool) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows: nobody is kept out
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _create_if_unusable(environment: Environment) -> None:
    if reason := _why_unusable(environment):
        if environment.folder.exists():
            print(f"The environment in .venv {reason}; making it anew.", flush=True)
            _remove(environment.folder)
        _check_space(environment)
        _create(environment)


def _why_unusable(environment: Environment) -> str:
    """What is wrong with the environment, empty where pip can complete it."""
    if not environment.folder.exists():
        return "is missing"
    if environment.state.exists() and environment.state.read_text(encoding="utf-8").strip() == INSTALLING:
        return "was left in the middle of an install"
    version = python_version(environment.python)
    if version is None:
        return "does not run"
    if version < MINIMUM:
        return f"has Python {'.'.join(map(str, version))}"
    has_pip = subprocess.run([str(environment.python), "-I", "-c", "import pip"], capture_output=True, check=False)
    return "has no pip" if has_pip.returncode else ""


def _remove(folder: Path) -> None:
    try:
        if folder.is_dir() and not folder.is_symlink():
            shutil.rmtree(folder)
        else:
            folder.unlink()
    except OSError as error:
        raise SetupError(f"{folder} cannot be removed ({error.strerror}); delete it by hand and start again") from error


def _check_space(environment: Environment) -> None:
    free = shutil.disk_usage(environment.root).free / 1e9
    if free < environment.needed_gb:
        raise SetupError(
            f"the disk of {environment.root} has {free:.1f} GB free and the install needs "
            f"{environment.needed_gb:g} GB; make room and start again"
        )


def _create(environment: Environment) -> None:
    print("Making a Python environment in .venv ...", flush=True)
    if not all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
        raise SetupError(_no_venv_module())
    base = getattr(sys, "_base_executable", None) or sys.executable  # .venv's own Python cannot replace itself
    result = subprocess.run(
        [base, "-m", "venv", str(environment.folder)],
        capture_output=True,
        text=True,
        check=False,
        env=_clean_variables(),
    )
    if result.returncode:
        raise SetupError(_explain_creation(result.stdout + result.stderr, environment))


def _explain_creation(output: str, environment: Environment) -> str:
    if "ensurepip is not" in output or "No module named venv" in output:
        return _no_venv_module()
    if "No space left" in output:
        return f"the disk of {environment.root} is full; make room for {environment.needed_gb:g} GB and start again"
    if "Permission denied" in output or "Read-only file system" in output:
        return f"{environment.root} cannot be written to; move the project to a folder of your own and start again"
    return f"the environment could not be made; python -m venv said: {_last_line(output)}"


def _no_venv_module() -> str:
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return (
        f"this Python {version} comes without its venv module; "
        f"install it (Debian, Ubuntu: sudo apt install python{version}-venv) and start again"
    )


def _clean_variables() -> dict[str, str]:
    """This process's environment variables without those that would send packages elsewhere."""
    elsewhere = ("PYTHONHOME", "PYTHONPATH", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT")
    kept = {name: value for name, value in os.environ.items() if name not in elsewhere}
    return {**kept, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def _install(environment: Environment) -> None:
    changed = environment.state.exists()
    how_long = "what is new in it" if changed else "2 to 15 minutes, 7 GB"
    print(f"Installing the packages of requirements.txt ({how_long}) ...", flush=True)
    began = time.monotonic()
    environment.state.unlink(missing_ok=True)
    code, lines = _run_pip(environment)
    if code:
        raise SetupError(_explain_pip(lines, environment))
    _write_state(environment)
    _compile(environment)
    print(f"Installed in {duration(time.monotonic() - began)}.", flush=True)


def _compile(environment: Environment) -> None:
    """Compiles the packages on all cores; pip would use one, and it is half of an install's work.

    An environment that misses some of it is complete: Python compiles what it imports.
    """
    print("Compiling them ...", flush=True)
    command = [str(environment.python), "-I", "-W", "ignore", "-m", "compileall", "-q", "-j", "0"]
    found = (*environment.folder.glob("lib/python*/site-packages"), *environment.folder.glob("Lib/site-packages"))
    packages = [str(path) for path in found]
    silent = subprocess.DEVNULL  # some packages carry files for other Pythons
    subprocess.run([*command, *packages], stdout=silent, stderr=silent, check=False)


def _write_state(environment: Environment) -> None:
    temporary = environment.state.with_suffix(".tmp")
    temporary.write_text(fingerprint(environment, python_version(environment.python)), encoding="utf-8")
    temporary.replace(environment.state)


def _run_pip(environment: Environment) -> tuple[int, list[str]]:
    """Installs with a condensed view of pip's output; returns its exit status and all of its lines."""
    command = [str(environment.python), "-I", "-u", "-m", "pip", "install", "--no-input", "--no-compile"]
    process = subprocess.Popen(
        [*command, "--progress-bar", "off", "-r", str(environment.requirements)],
        cwd=environment.root,
        env=_clean_variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    view = PipView()
    try:
        with environment.log.open("w", encoding="utf-8") as log:
            for line in _lines_and_ticks(process):
                if line.startswith(UNPACKING):
                    environment.state.write_text(INSTALLING, encoding="utf-8")
                log.write(line)
                view.show(line)
    except KeyboardInterrupt:
        stop(process)
        raise
    finally:
        view.close()
    return process.wait(), view.lines


def _lines_and_ticks(process: subprocess.Popen[str]) -> Iterator[str]:
    """The process's lines as they come, and an empty string at every second without one."""
    lines: queue.Queue[str | None] = queue.Queue()
    stream = process.stdout
    assert stream is not None

    def read() -> None:
        with stream:
            for line in stream:
                lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=1.0)
        except queue.Empty:
            yield ""
            continue
        if line is None:
            return
        yield line


@dataclass
class PipView:
    """Condenses pip's output: on a terminal one line that moves, elsewhere a line per stage, big download, minute."""

    moving: bool = field(default_factory=lambda: sys.stdout.isatty())
    lines: list[str] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)
    _now: str = "asking the package registry"
    _began: float = field(default_factory=lambda: time.monotonic())
    _last_said: float = field(default_factory=lambda: time.monotonic())

    def show(self, line: str) -> None:
        """Takes one line of pip's, or an empty string for a second gone by."""
        worth_saying = False
        if line.strip():
            self.lines.append(line.rstrip())
            worth_saying = self._read(line.strip())
        if self.moving:
            self._move()
        elif worth_saying or time.monotonic() - self._last_said >= 60:
            self._say()

    def close(self) -> None:
        """Leaves the moving line."""
        if self.moving:
            print(flush=True)

    def _read(self, line: str) -> bool:
        """Takes from a line what pip is doing now; whether that is worth a line of its own."""
        if found := re.match(r"(?:Collecting|Requirement already satisfied:) ([\w.-]+)", line):
            self._seen.add(found[1].lower())
            self._now = f"{len(self._seen)} packages looked at, now {found[1]}"
        elif found := re.match(r"(?:Downloading|Using cached) (\S+?)-(\d\S*?)-\S+ \(([\d.]+) ([kMG]B)\)", line):
            self._now = f"downloading {found[1]} {found[2]} ({found[3]} {found[4]})"
            return found[4] == "GB" or (found[4] == "MB" and float(found[3]) >= 50)
        elif line.startswith(UNPACKING):
            self._now = f"unpacking {line.count(',') + 1} packages"
            return True
        return False

    def _text(self) -> str:
        return f"  {duration(time.monotonic() - self._began)}  {self._now}"

    def _move(self) -> None:
        width = shutil.get_terminal_size().columns - 1
        print(f"\r{self._text()[:width]:<{width}}", end="", flush=True)

    def _say(self) -> None:
        self._last_said = time.monotonic()
        print(self._text(), flush=True)


_PIP_FAILURES = (
    (
        r"No space left on device",
        "the disk is full (7 GB stay in .venv, 4 GB pass through {temporary}); make room and start again",
    ),
    (
        r"NewConnectionError|NameResolutionError|name resolution|Network is unreachable|ConnectTimeout|ReadTimeout"
        r"|ProxyError|Connection refused|Connection reset|ConnectionError",
        "the package registry cannot be reached; check the internet connection (or the proxy) and start again, "
        "what is already downloaded is kept",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLError",
        "the package registry's certificate is not trusted here; tell pip about your certificates (PIP_CERT)",
    ),
    (
        r"No matching distribution found|Could not find a version",
        "the package registry has no fitting version of a package: either it cannot be reached, or there is none for "
        "Python {version} on this system",
    ),
    (r"Permission denied|Read-only file system", "{folder} cannot be written to; mend its permissions"),
)


def _explain_pip(lines: Sequence[str], environment: Environment) -> str:
    """A sentence for pip's failure, its own last error, and where all of its output is."""
    text = "\n".join(lines)
    known = (sentence for pattern, sentence in _PIP_FAILURES if re.search(pattern, text))
    sentence = next(known, "pip could not install the packages").format(
        temporary=tempfile.gettempdir(),
        version=".".join(map(str, python_version(environment.python) or ())),
        folder=environment.folder,
    )
    errors = [line for line in lines if line.startswith("ERROR")] or list(lines[-3:])
    return "\n".join([sentence, *(f"  pip: {line}" for line in errors[-3:]), f"  all of it: {environment.log}"])


def _last_line(output: str) -> str:
    return (output.strip().splitlines() or ["nothing"])[-1]


def duration(seconds: float) -> str:
    """Seconds for people: `3.2 s`, `2 min 05 s`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60:02d} s"
