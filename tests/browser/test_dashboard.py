"""The dashboard on its own, as its community starts it: every page, every width, and the click on a cell."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from fer_core.data import store
from tests.browser.conftest import NewPage, Watch, find_browser, settle
from tests.webapp.dashboard.world import write_checkpoint

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    "": "FER dashboard",
    "balance": "Class balance",
    "duplicates": "Duplicates and leakage",
    "outliers": "Outliers",
    "noise": "Label noise",
    "confusion": "Confusion matrix",
    "models": "Models",
    "studies": "Studies",
}
START = 120
"""Seconds for a start on a machine that is busy with other things."""


@pytest.fixture(scope="module")
def app_url(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`streamlit run webapp/dashboard/app.py` over drawn faces and a checkpoint that reads all fear as sadness."""
    find_browser()
    folder = tmp_path_factory.mktemp("dashboard")
    drawn = store.load(prepared)
    write_checkpoint(folder / "alpha", drawn.table, drawn.fingerprint)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "webapp/dashboard/app.py", "--server.headless", "true"]
    options = ["--server.port", str(port)]  # the project's own settings keep it to this machine
    environment = os.environ | {"FER_DATA": str(prepared), "FER_CHECKPOINT": str(folder / "alpha")}
    with (folder / "output.txt").open("wb") as sink:
        process = subprocess.Popen(command + options, cwd=ROOT, env=environment, stdout=sink, stderr=subprocess.STDOUT)
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until_it_answers(url, process)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=30)


@pytest.fixture
def watch(app_url: str) -> Iterator[Watch]:
    """As for all pages, but Streamlit asks below a deep link first to find its base address: a 404 without meaning."""
    watch = Watch(urlsplit(app_url).netloc)
    yield watch
    watch.errors[:] = [error for error in watch.errors if "404" not in error]
    watch.check()


def wait_until_it_answers(url: str, process: subprocess.Popen[bytes]) -> None:
    """Returns when the server is healthy; fails where it ended or takes too long."""
    for _ in range(START * 4):
        assert process.poll() is None, "the dashboard ended while it started"
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/_stcore/health", timeout=5) as answer:
            assert answer.status == 200
            return
        time.sleep(0.25)
    pytest.fail("the dashboard did not start")


def open_page(page: Page, url: str, name: str) -> None:
    """Opens a page by its address and waits until it has run."""
    page.goto(f"{url}/{name}")
    settle(page, PAGES[name])


def follow(page: Page, title: str) -> None:
    """Goes to a page by the menu."""
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=title, exact=True).click()
    settle(page, title)


def choose_by_keyboard(page: Page, label: str, option: str, shown: str) -> None:
    """Types an option's name into a selectbox of the confusion matrix and presses Enter.

    What is typed while the page runs again is lost, and on a busy machine it may do so after it had ended once; then a
    visitor tries again, and so does this, from the page's address on, where earlier choices are kept.
    """
    for patience in (20_000, 20_000, None):  # ms; None: as long as anything may take
        page.get_by_role("combobox", name=label).focus()
        page.keyboard.type(option)
        expect(page.get_by_role("option")).to_have_text([option])
        page.keyboard.press("Enter")
        try:
            expect(page.get_by_text(shown)).to_be_visible(timeout=patience)
        except AssertionError:
            if patience is None:
                raise
            page.reload()
        else:
            break
        settle(page, "Confusion matrix")
    settle(page, "Confusion matrix")


def check_look(page: Page, *, dark: bool) -> None:
    """The page scrolls only downwards and has the ground that the visitor's system asks for."""
    main = page.locator("[data-testid=stMain]")
    assert main.evaluate("part => part.scrollWidth - part.clientWidth") <= 0
    background = page.locator("[data-testid=stApp]").evaluate("part => getComputedStyle(part).backgroundColor")
    assert (sum(map(int, background.strip("rgb()").split(",")[:3])) < 200) == dark


def click_cell(page: Page, row: int, column: int, size: int = 7) -> None:
    """Clicks the middle of a cell of the matrix."""
    plot = page.locator(".st-key-confusion_chart .nsewdrag").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * (column + 0.5) / size, box["y"] + box["height"] * (row + 0.5) / size)


def test_every_page_opens_by_its_address_on_a_dark_phone(new_page: NewPage, app_url: str) -> None:
    page = new_page(390, 844, dark=True)
    for name in PAGES:
        open_page(page, app_url, name)
        check_look(page, dark=True)


def test_the_menu_leads_to_every_page(new_page: NewPage, app_url: str) -> None:
    page = new_page()
    open_page(page, app_url, "")
    for title in list(PAGES.values())[1:]:
        follow(page, title)
        check_look(page, dark=False)


def test_a_click_on_a_cell_lists_its_images(new_page: NewPage, app_url: str) -> None:
    page = new_page(1280, 1000)
    open_page(page, app_url, "confusion")
    expect(page.locator(".st-key-confusion_chart .hm")).to_be_visible()
    click_cell(page, row=2, column=4)
    expect(page.get_by_text("4 images: true fear, predicted sad, most confident first.")).to_be_visible()
    expect(page.locator(".st-key-confusion_chart .shapelayer path")).to_have_count(1)
    click_cell(page, row=3, column=3)
    expect(page.get_by_text("4 images: true happy, predicted happy, most confident first.")).to_be_visible()
    click_cell(page, row=3, column=0)
    expect(page.get_by_text("0 images: true happy, predicted angry, most confident first.")).to_be_visible()
    page.get_by_role("button", name="Reset filters").click()
    expect(page.get_by_text("Choose a true or a predicted emotion")).to_be_visible()


def test_filters_are_in_the_address_and_outlast_other_pages(new_page: NewPage, app_url: str) -> None:
    page, address = new_page(), f"{app_url}/confusion?true_emotion=fear&predicted_emotion=sad"
    page.goto(address)
    settle(page, "Confusion matrix")
    shown = page.get_by_text("4 images: true fear, predicted sad, most confident first.")
    expect(shown).to_be_visible()
    follow(page, "Models")
    follow(page, "Confusion matrix")
    expect(shown).to_be_visible()
    expect(page).to_have_url(address)
    page.reload()
    settle(page, "Confusion matrix")
    expect(shown).to_be_visible()
    page.get_by_role("button", name="Reset filters").click()
    expect(page.get_by_text("Choose a true or a predicted emotion")).to_be_visible()
    expect(page).to_have_url(f"{app_url}/confusion")


def test_a_cell_can_be_chosen_by_keyboard(new_page: NewPage, app_url: str) -> None:
    page = new_page()
    open_page(page, app_url, "confusion")
    expect(page.get_by_text("Choose a true or a predicted emotion")).to_be_visible()
    for label, emotion, listed in (
        ("True emotion", "fear", "true fear, predicted anything, most confident first."),
        ("Predicted emotion", "sad", "4 images: true fear, predicted sad, most confident first."),
    ):
        choose_by_keyboard(page, label, emotion, listed)


def test_the_matrix_is_downloaded_as_table_and_picture(new_page: NewPage, app_url: str, tmp_path: Path) -> None:
    page = new_page()
    open_page(page, app_url, "confusion")
    for button in ("Download CSV", "Download PNG"):
        with page.expect_download() as waiting:
            page.get_by_role("button", name=button).first.click()
        waiting.value.save_as(tmp_path / waiting.value.suggested_filename)
    table = pd.read_csv(tmp_path / "confusion_alpha_PrivateTest_official.csv", index_col="true")
    assert table.loc["fear", "sad"] == 4
    assert (tmp_path / "confusion_alpha_PrivateTest_official.png").read_bytes().startswith(b"\x89PNG")


def test_faces_come_as_one_picture(new_page: NewPage, app_url: str) -> None:
    page = new_page()
    open_page(page, app_url, "outliers")
    expect(page.get_by_role("img", name="Faces of the rows")).to_have_count(1)
    assert page.locator("[data-testid=stMain] img").count() < 5
