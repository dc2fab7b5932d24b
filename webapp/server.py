"""Everything on one address: landing page, demo, dashboard, health; started, announced and stopped cleanly."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import signal
import socket
import sys
import threading
import time
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fer_core import __version__
from fer_core.errors import ConfigError, FerError
from webapp.guard import Guard
from webapp.landing import landing_page, lost_page, manifest
from webapp.settings import HOST, PORT, SITE_VARIABLE, Settings

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response

    from webapp.demo.models import CheckpointModels

DASHBOARD: Final = Path(__file__).parent / "dashboard" / "app.py"
LANDING: Final = Path(__file__).parent / "landing"
GOODBYE: Final = 3
"""Seconds that open connections get to finish when the server stops."""

STREAMLIT: Final = {
    "browser.gatherUsageStats": False,
    "server.fileWatcherType": "none",
    "runner.magicEnabled": False,
    "client.toolbarMode": "viewer",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": False,
    "logger.level": "error",
}
"""No statistics, no watching of files, no bare strings of a script on the page, no tracebacks, no links to search
engines."""

log = logging.getLogger(__name__)


class Readiness:
    """How far the start is; `/health` tells it.

    Attributes:
        model: name of the default checkpoint.
        device: where it computes, "" until it is loaded.
        error: what kept it from loading, "" while all is well.
    """

    def __init__(self, model: str) -> None:
        self.model = model
        self.device = ""
        self.error = ""

    def to_dict(self) -> dict[str, Any]:
        """The body of `/health`."""
        status = "error" if self.error else "ok" if self.device else "starting"
        return {"status": status, "model": self.model, "device": self.device, "version": __version__}


def create_app(settings: Settings, models: CheckpointModels, readiness: Readiness) -> FastAPI:
    """The ASGI app: `/`, `/health`, `/demo`, `/dashboard`.

    One a process: Streamlit and Gradio both keep their settings in module globals and the environment.
    """
    settings.export()
    os.environ[SITE_VARIABLE] = "1"
    prepare_toolkits()
    import gradio as gr
    import streamlit as st
    from fastapi import FastAPI
    from starlette.staticfiles import StaticFiles
    from streamlit.web import bootstrap

    from webapp.demo.page import build_demo, look

    dashboard = st.App(DASHBOARD)
    bootstrap.load_config_options(STREAMLIT)  # its environment variables count for `streamlit run` only
    app = FastAPI(title="FER", docs_url=None, redoc_url=None, openapi_url=None, lifespan=dashboard.lifespan())
    _add_pages(app, models, readiness)
    app.mount("/landing", StaticFiles(directory=LANDING / "static"))
    app.mount("/dashboard", dashboard)
    gr.mount_gradio_app(app, build_demo(models), path="/demo", **look())
    app.add_middleware(Guard, known=settings.known_names)
    return app


def prepare_toolkits() -> None:
    """What Gradio and its hub client read at import: no statistics, no calls to a hub, uploads kept apart."""
    from webapp.demo.uploads import private_folder

    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["MPLBACKEND"] = "agg"
    private_folder()
    import matplotlib.pyplot  # noqa: F401  (Gradio and Captum would import it in two threads at once, which fails)


def _add_pages(app: FastAPI, models: CheckpointModels, readiness: Readiness) -> None:
    from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse

    cards = [models.card(name) for name in models.names]

    async def landing(request: Request) -> Response:
        return HTMLResponse(landing_page(cards, __version__))

    async def health(request: Request) -> Response:
        return JSONResponse(readiness.to_dict(), headers={"cache-control": "no-store"})

    async def add_slash(request: Request) -> Response:
        return RedirectResponse(f"{request.url.path}/", status_code=307)

    async def web_manifest(request: Request) -> Response:
        return JSONResponse(manifest(), media_type="application/manifest+json")

    async def icon(request: Request) -> Response:
        return FileResponse(LANDING / "static" / "icon.svg", media_type="image/svg+xml")

    async def lost(request: Request, error: Exception) -> Response:
        return HTMLResponse(lost_page(request.url.path), status_code=404)

    for path, page in {"/": landing, "/health": health, "/manifest.json": web_manifest, "/favicon.ico": icon}.items():
        app.add_route(path, page, methods=["GET", "HEAD"])
    for path in ("/demo", "/dashboard"):  # their relative addresses need the slash
        app.add_route(path, add_slash, methods=["GET", "HEAD"])
    app.add_exception_handler(404, lost)


def serve(settings: Settings, *, open_browser: bool = False) -> None:
    """Serves until Ctrl-C or SIGTERM.

    Raises:
        FerError: checkpoint, data or port cannot be used; nothing was started.
    """
    from webapp.demo.models import CheckpointModels, offered_checkpoints

    models = CheckpointModels(offered_checkpoints(settings.checkpoint))
    data = describe_data(settings.data)
    with listening(settings.host, settings.port) as listener, _quiet_end():
        address = page_address(settings.host, listener.getsockname()[1])
        readiness = Readiness(models.default)
        app = create_app(settings, models, readiness)
        warming = threading.Thread(target=_warm_up, args=(models, readiness), daemon=True)

        def started() -> None:
            say(f"FER {__version__}: {address}  (model {models.default}; data: {data}; Ctrl-C stops it)")
            if not settings.local:
                say(f"Anybody who reaches {settings.host} can use these pages; there is no password.")
            warming.start()
            if open_browser:
                webbrowser.open(address)

        run(app, listener, started)
    _end(warming)


def serve_demo(settings: Settings) -> None:
    """Serves the demo alone, at `/`; raises as `serve` does."""
    from webapp.demo.models import CheckpointModels, offered_checkpoints

    models = CheckpointModels(offered_checkpoints(settings.checkpoint))
    with listening(settings.host, settings.port) as listener, _quiet_end():
        app = create_demo_app(settings, models)
        warming = threading.Thread(target=_warm_up, args=(models, Readiness(models.default)), daemon=True)

        def started() -> None:
            say(f"FER demo {__version__}: {page_address(settings.host, listener.getsockname()[1])}  (Ctrl-C stops it)")
            warming.start()

        run(app, listener, started)
    _end(warming)


def create_demo_app(settings: Settings, models: CheckpointModels) -> FastAPI:
    """The ASGI app of the demo alone."""
    prepare_toolkits()
    import gradio as gr
    from fastapi import FastAPI

    from webapp.demo.page import build_demo, look

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    gr.mount_gradio_app(app, build_demo(models, links=False), path="/", **look())
    app.add_middleware(Guard, known=settings.known_names)
    return app


def run(app: FastAPI, listener: socket.socket, started: Callable[[], None]) -> None:
    """Runs the ASGI app on a bound socket; `started` is called once it answers."""
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                started()

    config = uvicorn.Config(
        app, log_level="error", access_log=False, timeout_graceful_shutdown=GOODBYE, server_header=False
    )
    logging.getLogger("uvicorn.error").addFilter(lambda record: "timeout graceful shutdown" not in record.getMessage())
    Server(config).run(sockets=[listener])


@contextlib.contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A bound socket; raises ConfigError, with the way out, where the port is taken or the host is not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        if sys.platform != "win32":  # there it would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(1024)
        except (OSError, OverflowError) as error:
            raise ConfigError(_why_not(host, port, error)) from None
        yield listener


def _why_not(host: str, port: int, error: Exception) -> str:
    number = getattr(error, "errno", None)
    if isinstance(error, socket.gaierror) or number == errno.EADDRNOTAVAIL:
        return (
            f"{host} is no address of this machine; use --host 127.0.0.1 (this machine only) or 0.0.0.0 (the network)"
        )
    if number == errno.EADDRINUSE:
        return f"port {port} is in use; stop what runs there, or choose another one: --port {port % 65535 + 1}"
    if number == errno.EACCES:
        return f"port {port} needs more rights than you have; choose one above 1023: --port {PORT}"
    return f"cannot listen on {host} port {port} ({error}); use --host {HOST} for this machine only"


def page_address(host: str, port: int) -> str:
    """What to type into the browser on this machine."""
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    name = f"[{name}]" if ":" in name else name
    return f"http://{name}:{port}"


def describe_data(data: Path | None) -> str:
    """What `--data` names, in words; prepares a raw source on the way.

    Raises:
        DataError: it does not exist or is no dataset.
    """
    if data is None:
        return "what ships, without faces"
    from fer_core.data.prepare import open_or_prepare

    dataset = open_or_prepare(data)
    return f"{len(dataset):,} faces in {data}"


def say(line: str) -> None:
    """A line for the person at the terminal, at once."""
    print(line, flush=True)


def _warm_up(models: CheckpointModels, readiness: Readiness) -> None:
    begin = time.perf_counter()
    try:
        models.warm_up()
        readiness.device = models.device(models.default)
        say(f"{models.default} is ready on {readiness.device} ({time.perf_counter() - begin:.1f} s)")
        models.warm_up_explainers()
    except FerError as error:
        readiness.error = str(error)
        say(f"error: {error}")
    except Exception as error:
        readiness.error = str(error)
        log.exception("the model could not be loaded")


def _end(warming: threading.Thread) -> None:
    """Says so and returns; leaves at once where torch is just being imported, which aborts a process that winds up."""
    from webapp.demo.uploads import remove_folder

    remove_folder()
    say("stopped")
    if warming.is_alive():
        os._exit(0)


@contextlib.contextmanager
def _quiet_end() -> Iterator[None]:
    """Turns SIGTERM and Ctrl-C into an orderly way out of the block."""

    def leave(*_: Any) -> None:
        raise SystemExit(0)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    except KeyboardInterrupt:
        pass
    except SystemExit as end:
        if end.code:
            raise
    finally:
        signal.signal(signal.SIGTERM, before)
