"""The demo over stand-ins for the models, in this process: what it keeps, and what another model changes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import gradio as gr
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE
from tests.webapp.fakes import FakeModels, face
from webapp.demo.page import build_demo, look

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[gr.Blocks]:
    """A running demo whose models call every face happy, or sad."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("gradio")))
    demo = build_demo(FakeModels(face(190, 70, 80, 90), face(20, 20, 40, 160)), links=False)
    demo.launch(prevent_thread_lock=True, quiet=True, **look())
    yield demo
    demo.close()


@pytest.fixture
def page(chromium: Browser, demo: gr.Blocks) -> Iterator[Page]:
    """The demo, with the astronaut in it."""
    page = chromium.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(demo.local_url)
    page.locator("#examples [data-index='0']").click()
    expect(page.locator("#overlay img").first).to_be_visible()
    yield page
    if not page.is_closed():
        page.close()


def test_another_model_judges_the_same_faces(page: Page) -> None:
    expect(page.locator(".fer-trust")).to_contain_text("says happy, it is right 83% of the time on PrivateTest")
    page.locator("#chooser button").nth(1).click()
    expect(page.locator(".fer-verdict h3")).to_contain_text("Face 2: 😄 happy")
    page.locator("#model input").click()
    page.get_by_role("option", name="other").click()
    expect(page.locator(".fer-verdict h3")).to_contain_text("Face 2: 😢 sad")
    expect(page.locator(".fer-trust")).to_have_count(0)  # it was never measured
    expect(page.get_by_text("accuracy not measured")).to_be_visible()


def test_controls_of_the_chosen_method_only(page: Page) -> None:
    steps = page.get_by_label("Steps", exact=False).first
    expect(steps).not_to_be_visible()
    page.locator("#method input").click()
    page.get_by_role("option", name="Integrated gradients", exact=True).click()
    expect(steps).to_be_visible()


def test_methods_follow_the_model(page: Page) -> None:
    page.locator("#method input").click()
    expect(page.get_by_role("option", name="Grad-CAM", exact=True)).to_be_visible()
    expect(page.get_by_role("option", name="Self-attention", exact=True)).to_have_count(0)
    page.keyboard.press("Escape")
    page.locator("#model input").click()
    page.get_by_role("option", name="other").click()
    expect(page.locator(".fer-verdict h3")).to_contain_text("sad")
    expect(page.locator("#overlay")).to_contain_text("matters for sad")  # the methods have followed by now
    page.locator("#method input").click()
    page.get_by_role("option", name="Self-attention", exact=True).click()
    expect(page.locator("#overlay")).to_contain_text("attended most")
    expect(page.locator("#target")).not_to_be_visible()


def test_everything_is_forgotten_when_the_page_is_closed(page: Page, demo: gr.Blocks) -> None:
    sessions = demo.state_holder.session_data
    assert len(sessions) == 1
    page.close()
    end = time.monotonic() + 60
    while sessions and time.monotonic() < end:
        time.sleep(0.1)
    assert not sessions
