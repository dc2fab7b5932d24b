"""The project's own environment: made once for real (with one tiny package), then broken in every way."""

from __future__ import annotations

import ast
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scripts import _environment
from scripts._environment import INSTALLING, Environment, PipView, SetupError

WHEEL = "fer_probe-1.0-py3-none-any.whl"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment that `ensure` made and filled."""
    root = tmp_path_factory.mktemp("project")
    _write_wheel(root / WHEEL)
    (root / "requirements.txt").write_text(f"./{WHEEL}\n")
    environment = Environment(root, needed_gb=0)
    _environment.ensure(environment)
    return environment


@pytest.fixture
def copy(finished: Environment, tmp_path: Path) -> Environment:
    """A copy of it, to be spoilt."""
    shutil.copytree(finished.root, tmp_path / "project", symlinks=True)
    return Environment(tmp_path / "project", needed_gb=0)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What `ensure` would do, recorded in place of doing it."""
    done: list[str] = []

    def recorder(name: str) -> Callable[[Environment], None]:
        return lambda environment: done.append(name)

    for name in ("_remove", "_create", "_install"):
        monkeypatch.setattr(_environment, name, recorder(name))
    return done


def _write_wheel(path: Path) -> None:
    info = "fer_probe-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("fer_probe.py", "ANSWER = 42\n")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: fer-probe\nVersion: 1.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", f"fer_probe.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")


def test_a_made_environment_has_the_packages(finished: Environment) -> None:
    code = "import fer_probe, sys; print(fer_probe.ANSWER, sys.prefix)"
    result = subprocess.run([finished.python, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["42", str(finished.folder)]
    assert "fer-probe" in finished.log.read_text()
    assert list(finished.folder.glob("lib/python*/site-packages/__pycache__/fer_probe.*.pyc"))


def test_a_complete_environment_is_left_alone(finished: Environment, calls: list[str]) -> None:
    assert _environment.ensure(finished) == finished.python
    assert calls == []


def test_changed_requirements_are_installed_into_the_same_environment(copy: Environment, calls: list[str]) -> None:
    copy.requirements.write_text(copy.requirements.read_text() + "# one more\n")
    _environment.ensure(copy)
    assert calls == ["_install"]


def test_an_environment_made_by_hand_is_completed(copy: Environment) -> None:
    copy.state.unlink()
    _environment.ensure(copy)
    assert _environment.is_complete(copy)
    assert "already" in copy.log.read_text()


def test_an_interrupted_install_is_made_anew(copy: Environment, calls: list[str]) -> None:
    copy.state.write_text(INSTALLING)
    assert not _environment.is_complete(copy)
    _environment.ensure(copy)
    assert calls == ["_remove", "_create", "_install"]


def test_an_environment_whose_python_is_gone_is_made_anew(copy: Environment, calls: list[str]) -> None:
    copy.python.unlink()
    copy.python.symlink_to(copy.root / "gone")
    _environment.ensure(copy)
    assert calls == ["_remove", "_create", "_install"]


def test_an_environment_without_pip_is_made_anew(copy: Environment, calls: list[str]) -> None:
    copy.state.unlink()
    for folder in copy.folder.glob("lib*/python*/site-packages/pip"):
        shutil.rmtree(folder, ignore_errors=True)
    _environment.ensure(copy)
    assert calls == ["_remove", "_create", "_install"]


def test_a_missing_environment_is_not_removed(tmp_path: Path, calls: list[str]) -> None:
    (tmp_path / "requirements.txt").write_text("")
    _environment.ensure(Environment(tmp_path, needed_gb=0))
    assert calls == ["_create", "_install"]


def test_a_file_in_the_environments_place_is_replaced(tmp_path: Path) -> None:
    (tmp_path / ".venv").write_text("not a folder")
    _environment._remove(tmp_path / ".venv")
    assert not (tmp_path / ".venv").exists()


def test_too_little_space_is_said_before_anything_is_made(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("")
    with pytest.raises(SetupError, match=r"GB free and the install needs 1e\+09 GB; make room"):
        _environment.ensure(Environment(tmp_path, needed_gb=1e9))
    assert not (tmp_path / ".venv").exists()


def test_a_registry_out_of_reach_is_one_sentence_and_pips_own_error(
    copy: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    copy.requirements.write_text("--index-url http://127.0.0.1:9/simple\nfer-probe-of-nobody==1\n")
    with pytest.raises(SetupError) as caught:
        _environment.ensure(copy)
    sentence, *rest = str(caught.value).splitlines()
    assert "the package registry cannot be reached" in sentence
    assert any("fer-probe-of-nobody" in line for line in rest)
    assert str(copy.log) in rest[-1]
    assert not copy.state.exists()


def test_ctrl_c_during_a_download_ends_in_one_word_and_nothing_is_lost(
    copy: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A registry that never answers keeps pip busy until the signal comes."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/simple"
        copy.requirements.write_text(f"--index-url {address}\nfer-probe-of-nobody==1\n")
        process = _start(copy)
        connection, _ = silent.accept()  # pip asks: the install has begun
        os.killpg(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=60)
        connection.close()
    assert process.returncode == _environment.INTERRUPTED, output
    assert output.splitlines()[-1] == "Stopped."
    assert "Traceback" not in output
    assert not _environment.is_complete(copy)
    assert _environment._why_unusable(copy) == ""


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
def test_an_install_cut_off_while_unpacking_is_remembered(
    copy: Environment, interruption: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(process: subprocess.Popen[str]) -> Iterator[str]:
        process.communicate()
        yield "Collecting fer-probe\n"
        assert not copy.state.exists()
        yield "Installing collected packages: fer-probe\n"
        raise interruption

    monkeypatch.setattr(_environment, "_lines_and_ticks", cut_off)
    copy.requirements.write_text(copy.requirements.read_text() + "# one more\n")
    with pytest.raises(interruption):
        _environment.ensure(copy)
    assert _environment._why_unusable(copy) == "was left in the middle of an install"


def test_start_serves_until_ctrl_c(copy: Environment) -> None:
    process = _start(copy)
    seen = _read_until(process, "Ctrl-C stops it")
    os.killpg(process.pid, signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    output = seen + rest
    assert process.returncode == 0, output
    assert output.splitlines()[-1] == "stopped"
    assert "Installing" not in output  # the environment was complete
    assert "Traceback" not in output


def test_the_browser_opens_when_the_web_app_answers(copy: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROWSER", f"{sys.executable} -c \"print('browser at', '%s')\"")
    process = _start(copy, browser=True)
    seen = _read_until(process, "browser at http://127.0.0.1:")
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert "GET /health" in seen


def test_a_terminated_start_takes_the_web_app_with_it(copy: Environment) -> None:
    process = _start(copy)
    _read_until(process, "Ctrl-C stops it")
    process.terminate()
    process.communicate(timeout=60)  # the pipe closes only when the web app is gone too
    assert process.returncode == 128 + signal.SIGTERM


def _read_until(process: subprocess.Popen[str], text: str) -> str:
    """The process's output up to the line that has `text`; fails where it ends before."""
    seen = ""
    assert process.stdout is not None
    for line in process.stdout:
        seen += line
        if text in line:
            return seen
    raise AssertionError(f"{text!r} never came: {seen}")


def test_the_web_apps_exit_status_is_passed_on(copy: Environment) -> None:
    (copy.root / "webapp").mkdir()
    (copy.root / "webapp" / "__main__.py").write_text("import sys; sys.exit('no such checkpoint')")
    process = _start(copy)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "no such checkpoint" in output


@pytest.mark.parametrize("deaf", ["", "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "])
def test_a_process_that_does_not_end_is_ended(deaf: str) -> None:
    code = f"{deaf}print('up', flush=True); import time; time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        _read_until(process, "up")
        _environment.stop(process, grace=0.1)
    assert process.returncode == -(signal.SIGKILL if deaf else signal.SIGTERM)


def test_start_waits_for_another_that_is_installing(copy: Environment) -> None:
    copy.state.unlink()
    with _environment._alone(copy):
        process = _start(copy)
        _read_until(process, "Another start or check is installing")
    _read_until(process, "Ctrl-C stops it")
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert _environment.is_complete(copy)


WEBAPP = """
import argparse, http.server
parser = argparse.ArgumentParser()
parser.add_argument("--host")
parser.add_argument("--port", type=int)
options = parser.parse_args()

class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()

server = http.server.HTTPServer((options.host, options.port), Health)
try:
    print("Ctrl-C stops it", flush=True)
    server.serve_forever()
except KeyboardInterrupt:
    print("stopped")
"""


def _start(environment: Environment, *, browser: bool = False) -> subprocess.Popen[str]:
    """`start.py` of a project folder that has a small web app, from another folder."""
    scripts = environment.root / "scripts"
    if not scripts.exists():
        shutil.copytree(_environment.ROOT / "scripts", scripts, ignore=shutil.ignore_patterns("__pycache__"))
    if not (environment.root / "webapp").exists():
        (environment.root / "webapp").mkdir()
        (environment.root / "webapp" / "__main__.py").write_text(WEBAPP)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    arguments = ["--port", str(port), *([] if browser else ["--no-browser"])]
    return subprocess.Popen(
        [sys.executable, str(scripts / "start.py"), *arguments],
        cwd=environment.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"\.venv\.lock cannot be used \(No such file or directory\)"):
        _environment.ensure(Environment(tmp_path / "gone", needed_gb=0))


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("The virtual environment was not created because ensurepip is not\navailable.", "python3-venv|python3.*-venv"),
        ("OSError: [Errno 28] No space left on device", "is full; make room"),
        ("Error: [Errno 13] Permission denied: '/x/.venv'", "cannot be written to"),
        ("Error: something else", "python -m venv said: Error: something else"),
    ],
)
def test_a_failed_creation_is_explained(output: str, sentence: str) -> None:
    assert re.search(sentence, _environment._explain_creation(output, Environment()))


def test_a_python_without_venv_names_the_debian_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "requirements.txt").write_text("")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        SetupError, match=r"without its venv module; install it \(Debian, Ubuntu: sudo apt install python3"
    ):
        _environment.ensure(Environment(tmp_path, needed_gb=0))


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "the disk is full"),
        ("WARNING: Retrying after connection broken by 'NewConnectionError'", "registry cannot be reached"),
        ("SSLError(SSLCertVerificationError: CERTIFICATE_VERIFY_FAILED)", "certificate is not trusted"),
        ("ERROR: No matching distribution found for torch", "no fitting version of a package"),
        ("ERROR: a wheel is broken", "pip could not install the packages"),
    ],
)
def test_a_failed_install_is_explained(line: str, sentence: str, finished: Environment) -> None:
    explained = _environment._explain_pip(["Collecting torch", line], finished)
    assert sentence in explained.splitlines()[0]
    assert line in explained


def test_pips_output_is_condensed(capsys: pytest.CaptureFixture[str]) -> None:
    view = PipView(moving=False)
    for line in (
        "Collecting torch",
        "  Downloading torch-2.14.1-cp311-cp311-manylinux_2_28_x86_64.whl (812.3 MB)",
        "  Downloading tqdm-4.67.1-py3-none-any.whl (78 kB)",
        "Installing collected packages: tqdm, torch",
        "",
    ):
        view.show(line)
    view.close()
    shown = [line.split("  ", 2)[-1] for line in capsys.readouterr().out.splitlines()]
    assert shown == ["downloading torch 2.14.1 (812.3 MB)", "unpacking 2 packages"]


def test_a_terminal_gets_one_line_that_moves(capsys: pytest.CaptureFixture[str]) -> None:
    view = PipView(moving=True)
    for line in ("Collecting torch", "", "Collecting tqdm"):
        view.show(line)
    view.close()
    shown = capsys.readouterr().out
    assert shown.count("\n") == 1
    assert [part.split("  ", 2)[-1].strip() for part in shown.strip().split("\r")][
        -1
    ] == "2 packages looked at, now tqdm"


def test_a_long_silence_is_broken_every_minute(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    view = PipView(moving=False)
    for _ in range(125):
        now += 1
        view.show("")
    assert [line.split("  ")[1] for line in capsys.readouterr().out.splitlines()] == ["1 min 00 s", "2 min 00 s"]


def test_variables_that_send_packages_elsewhere_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_USER", "1")
    monkeypatch.setenv("PIP_CERT", "mine.pem")
    variables = _environment._clean_variables()
    assert "PIP_USER" not in variables
    assert variables["PIP_CERT"] == "mine.pem"


@pytest.mark.parametrize("name", ["start", "check"])
def test_a_python_that_is_too_old_reads_the_file_and_is_told_so(name: str) -> None:
    path = _environment.ROOT / "scripts" / f"{name}.py"
    code = f"import runpy, sys; sys.version_info = (3, 8, 18); runpy.run_path({str(path)!r}, run_name='__main__')"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "needs Python 3.11 or newer and this is Python 3.8" in result.stderr
    new_grammar = (ast.FunctionDef, ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Match)
    assert not [node for node in ast.walk(ast.parse(path.read_text("ascii"))) if isinstance(node, new_grammar)]


@pytest.mark.parametrize(("seconds", "text"), [(0.34, "0.3 s"), (59.94, "59.9 s"), (125.9, "2 min 05 s")])
def test_durations(seconds: float, text: str) -> None:
    assert _environment.duration(seconds) == text
