"""A real browser on the running web app; every page is watched for requests to other hosts and for errors.

Used by all tests in this folder: `chromium`, `app_url`, `new_page`, `webcam_page`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np
import pytest

from tests.webapp.serving import Served, checkpoint_for_tests, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 120_000
"""Milliseconds that a page may take on a machine that is busy with other things."""

EXPECTED = ("/gradio_api/upload_progress", "/_stcore/health", "/_stcore/host-config")
"""Addresses that the toolkits' own scripts try and may miss: Gradio asks for the progress of an upload that is complete
already (and logs the "Response"), Streamlit looks for its root from the page upwards."""

NewPage = Callable[..., "Page"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever lies in this folder needs a browser, and comes last: Playwright's event loop stays open to the end of
    the session, and no test after it could run one of its own."""
    here = Path(__file__).parent
    browser = [item for item in items if item.path.is_relative_to(here)]
    for item in browser:
        item.add_marker(pytest.mark.browser)
    items[:] = [item for item in items if not item.path.is_relative_to(here)] + browser


def find_browser() -> str:
    """The browser's executable; without one the tests fail in CI, and are skipped elsewhere."""
    found = os.environ.get("FER_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found:
        return found
    reason = f"no browser: install Chromium ({', '.join(NAMES)}) or name one in FER_CHROMIUM"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Playwright's driver."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """A headless Chromium that calls nobody by itself."""
    browser = playwright.chromium.launch(executable_path=find_browser(), args=list(QUIET))
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def app(tiny_checkpoint: Path, prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """`python -m webapp` over the shipped checkpoints (or the tiny one) and the drawn dataset.

    Where the README's pictures are taken (FER_SCREENSHOTS), it shows FER2013's figures, which ship, and no faces.
    """
    find_browser()
    data = () if os.environ.get("FER_SCREENSHOTS") else ("--data", str(prepared))
    options = ("--checkpoint", checkpoint_for_tests(tiny_checkpoint), *data)
    with serving(tmp_path_factory.mktemp("app"), *options) as served:
        yield served


@pytest.fixture(scope="session")
def app_url(app: Served) -> str:
    """Where the app answers, without a slash at the end."""
    return app.url


@dataclass
class Watch:
    """What a page did that it must not do."""

    host: str
    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def attach(self, page: Page) -> None:
        """Watches a page from now on."""
        page.on("request", lambda request: self._note(request.url))
        page.on("websocket", lambda socket: self._note(socket.url))
        page.on("pageerror", lambda error: self.errors.append(f"page error: {error}"))
        page.on("response", lambda answer: self._note_status(answer.status, answer.url))
        page.on("console", self._note_console)

    def _note_status(self, status: int, url: str) -> None:
        if status >= 400 and not url.split("?")[0].endswith(EXPECTED):
            self.errors.append(f"{status}: {url}")

    def _note_console(self, line: ConsoleMessage) -> None:
        url = line.location.get("url", "")
        if line.type == "error" and line.text != "Response" and not url.split("?")[0].endswith(EXPECTED):
            self.errors.append(f"console: {line.text} ({url})")

    def _note(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob", "about") and parts.netloc != self.host:
            self.foreign.append(url)

    def check(self) -> None:
        """Fails where a page asked another host or reported an error."""
        assert self.foreign == [], "requests to other hosts"
        assert self.errors == []


@pytest.fixture
def watch(app_url: str) -> Iterator[Watch]:
    """Of all pages of one test; checked at its end."""
    watch = Watch(urlsplit(app_url).netloc)
    yield watch
    watch.check()


def settle(page: Page, title: str) -> None:
    """Waits until the dashboard's page with that title has run; fails where it shows an exception.

    A choice puts the script into "rerunRequested" before it is "running", so only "notRunning" says that it has ended.
    """
    from playwright.sync_api import expect

    expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
    expect(page.locator("[data-testid=stApp][data-test-script-state=notRunning]")).to_be_visible()
    expect(page.locator("[data-testid=stException]")).to_have_count(0)


@pytest.fixture
def new_page(chromium: Browser, watch: Watch) -> Iterator[NewPage]:
    """Opens pages: `new_page(width=1280, height=900, dark=False)`; closes them at the end of the test."""
    contexts = []

    def open_page(width: int = 1280, height: int = 900, dark: bool = False) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", accept_downloads=True
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        watch.attach(page)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def webcam_page(playwright: Playwright, watch: Watch, tmp_path: Path) -> Iterator[Page]:
    """A page in a browser whose camera sees the astronaut."""
    video = write_y4m(tmp_path / "camera.y4m")
    flags = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    browser = playwright.chromium.launch(
        executable_path=find_browser(), args=[*QUIET, *flags, f"--use-file-for-fake-video-capture={video}"]
    )
    context = browser.new_context(permissions=["camera"], viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    watch.attach(page)
    yield page
    browser.close()


def write_y4m(path: Path, frames: int = 5) -> Path:
    """The astronaut as an uncompressed film (BT.601, 4:2:0), which Chromium plays as its camera."""
    from skimage.data import astronaut
    from skimage.util import img_as_float

    red, green, blue = np.moveaxis(img_as_float(astronaut()), 2, 0)
    luma = 16 + 65.481 * red + 128.553 * green + 24.966 * blue
    chroma = (128 - 37.797 * red - 74.203 * green + 112 * blue, 128 + 112 * red - 93.786 * green - 18.214 * blue)
    halved = [plane.reshape(256, 2, 256, 2).mean((1, 3)) for plane in chroma]
    frame = b"".join(plane.round().astype(np.uint8).tobytes() for plane in (luma, *halved))
    path.write_bytes(b"YUV4MPEG2 W512 H512 F10:1 Ip A1:1 C420\n" + (b"FRAME\n" + frame) * frames)
    return path
