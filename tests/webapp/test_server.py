"""The one address: pages, health, headers, start and end."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from fer_core import __version__
from fer_core.errors import ConfigError, FerError
from tests.webapp.serving import ROOT, Served, command, serving
from webapp.server import listening, page_address, serve
from webapp.settings import Settings


def fetch(url: str, **headers: str) -> tuple[int, dict[str, str], str]:
    """Status, headers (lower case) and body; redirects are not followed."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    connection.request("GET", parts.path or "/", headers=headers)
    answer = connection.getresponse()
    body = answer.read().decode("utf-8", "replace")
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body


def test_the_landing_page_leads_to_everything(served: Served) -> None:
    status, _, body = fetch(served.url)
    assert status == 200
    for words in (
        "For visitors and presenters",
        "For analysts",
        "For researchers",
        'href="/demo/"',
        'href="/dashboard/"',
    ):
        assert words in body
    assert "tiny" in body
    assert "EU AI Act" in body


@pytest.mark.parametrize("page", ["demo", "dashboard"])
def test_pages_answer_with_and_without_slash(served: Served, page: str) -> None:
    status, headers, _ = fetch(f"{served.url}/{page}")
    assert (status, headers["location"]) == (307, f"/{page}/")
    assert fetch(f"{served.url}/{page}/")[0] == 200


def test_health_says_what_is_served(served: Served) -> None:
    health = served.health()
    assert health["status"] == "ok"
    assert health["model"] == "tiny"
    assert health["version"] == __version__
    assert "cpu" in health["device"] or "cuda" in health["device"]


def test_an_unknown_address_is_answered_kindly(served: Served) -> None:
    status, _, body = fetch(f"{served.url}/no/such<page>")
    assert status == 404
    assert "There is no page here" in body
    assert "<page>" not in body


@pytest.mark.parametrize("path", ["/", "/demo/", "/dashboard/", "/health", "/nowhere", "/landing/style.css"])
def test_every_answer_keeps_the_browser_on_this_address(served: Served, path: str) -> None:
    headers = fetch(served.url + path)[1]
    assert "default-src 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(("origin", "status"), [("http://elsewhere.example", 403), (None, 101)])
def test_only_own_pages_open_websockets(served: Served, origin: str | None, status: int) -> None:
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Origin": origin or served.url,
    }
    assert fetch(f"{served.url}/dashboard/_stcore/stream", **headers)[0] == status


@pytest.mark.parametrize(
    ("origin", "status"), [("http://elsewhere.example", 403), ("null", 403), ("own", 200), (None, 200)]
)
def test_no_foreign_page_uploads_anything(served: Served, origin: str | None, status: int) -> None:
    """A form of any page in the visitor's browser can be sent here; a program names no origin."""
    before, name = set(served.uploads()), f"{(origin or 'program').rpartition('/')[2]}.txt"
    body = (
        f'--x\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\nContent-Type: text/plain\r\n\r\n'
        f"{name}\r\n--x--\r\n"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    headers |= {"Origin": served.url if origin == "own" else origin} if origin else {}
    parts = urlsplit(served.url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    connection.request("POST", "/demo/gradio_api/upload", body, headers)
    assert connection.getresponse().status == status
    connection.close()
    assert ({path.name for path in set(served.uploads()) - before} == {name}) == (status == 200)


def test_a_foreign_name_is_not_answered(served: Served) -> None:
    """A page whose name resolves to 127.0.0.1 is no page of ours (DNS rebinding)."""
    for path in ("/", "/demo/", "/dashboard/", "/landing/style.css"):
        status, _, body = fetch(served.url + path, Host=f"elsewhere.example:{urlsplit(served.url).port}")
        assert status == 421
        assert "--allow-host NAME" in body


@pytest.mark.parametrize(
    ("host", "known"),
    [
        *(("localhost:7860", True), ("127.0.0.1", True), ("[::1]:7860", True), ("192.168.1.5:80", True)),
        *(("fer.localhost", True), ("FER.example:443", True), ("elsewhere.example", False), ("", False)),
        *(("[", False), ("localhost.elsewhere.example", False), ("notlocalhost", False)),
    ],
)
def test_names_of_this_machine_and_those_allowed(host: str, known: bool) -> None:
    assert Settings(allowed=("fer.example",)).known_names(host) is known
    assert Settings(host="0.0.0.0").known_names(host)


def test_start_is_announced_with_address_model_and_data(served: Served) -> None:
    assert f"{served.url}  (model tiny; data: 84 faces in" in served.output
    assert "tiny is ready on" in served.output


def test_the_start_imports_no_torch_and_silences_streamlit(tiny_checkpoint: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from webapp.demo.models import CheckpointModels;"
        "from webapp.server import create_app, Readiness; from webapp.settings import Settings;"
        f"create_app(Settings(), CheckpointModels([Path({str(tiny_checkpoint)!r})]), Readiness('tiny'));"
        "from streamlit import config; print([config.get_option(name) for name in"
        " ('browser.gatherUsageStats', 'client.showErrorDetails', 'client.showErrorLinks')]);"
        "print(sorted({'torch', 'captum', 'onnxruntime', 'cv2', 'sklearn', 'plotly'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300, check=True
    )
    settings, modules = result.stdout.splitlines()
    assert settings == "[False, 'none', False]"
    assert "torch" not in modules
    assert "captum" not in modules


def test_nobody_is_told_of_a_visit(tmp_path: Path) -> None:
    """onnxruntime's reports to its makers show by a session file; none is begun, nor any statistics of the toolkits."""
    code = (
        "import os; from webapp.server import prepare_toolkits; prepare_toolkits(); import onnxruntime, gradio;"
        "print(gradio.analytics.analytics_enabled(), sorted(os.listdir(os.environ['TMPDIR'])))"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300, check=True, env=environment
    )
    assert result.stdout.startswith("False ['fer-demo-")
    assert ".ses" not in result.stdout


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_cleanly_and_leaves_nothing(tiny_checkpoint: Path, tmp_path: Path, how: signal.Signals) -> None:
    with serving(tmp_path, "--checkpoint", str(tiny_checkpoint), module="webapp.demo", ready=False) as app:
        with urllib.request.urlopen(app.url, timeout=30) as answer:
            assert answer.status == 200
        assert list(app.temporary.glob("fer-demo-*"))
        assert app.stop(how) == 0
        assert app.output.endswith("stopped\n")
        assert "Traceback" not in app.output
        assert list(app.temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"data": Path("no/such/folder")}, "no/such/folder"),
        ({"data": ROOT / "webapp"}, "webapp"),
        ({"checkpoint": "no_such_model"}, "no_such_model"),
        ({"host": "no-such-host.invalid"}, "no address of this machine"),
    ],
)
def test_what_cannot_work_is_refused_before_the_start(
    tiny_checkpoint: Path, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(FerError, match=words):
        serve(Settings(**{"port": 0, "checkpoint": str(tiny_checkpoint), **changes}))


def test_a_refusal_is_one_line_and_status_2() -> None:
    line = command("--port", "99999")
    result = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 2
    assert result.stderr == "error: a port is a number from 1 to 65535 (0 for any free one), not 99999\n"


def test_a_taken_port_is_told_with_the_way_out() -> None:
    with listening("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with (
            pytest.raises(ConfigError, match=rf"port {port} is in use; .*--port {port + 1}"),
            listening("127.0.0.1", port),
        ):
            pass


def test_the_default_is_this_machine_only() -> None:
    assert Settings().host == "127.0.0.1"
    assert Settings().local
    assert not Settings(host="0.0.0.0").local
    assert page_address("0.0.0.0", 7860) == "http://127.0.0.1:7860"
    assert page_address("::1", 80) == "http://[::1]:80"


def test_settings_travel_by_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FER_DATA", "old")
    monkeypatch.setenv("FER_CHECKPOINT", "old")
    Settings(data=tmp_path, checkpoint="mine").export()
    assert Settings.from_environment() == Settings(data=tmp_path, checkpoint="mine")
    Settings().export()
    assert Settings.from_environment().data is None


def test_a_listening_socket_is_free_again() -> None:
    with listening("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
    with listening("127.0.0.1", port) as second:
        assert isinstance(second, socket.socket)
