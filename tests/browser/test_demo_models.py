"""The demo over stand-ins for the models, in this process: what it keeps, and what another model changes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import gradio as gr
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE
from tests.webapp.fakes import FakeModels, face
from webapp.demo import sessions
from webapp.demo.page import build_demo, look

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route


HEARD = """
window.heard = [];
new MutationObserver(() => {
  const words = document.getElementById("fer-live")?.textContent;
  if (words && words !== window.heard.at(-1)) window.heard.push(words);
}).observe(document, { subtree: true, childList: true, characterData: true });
"""
"""Notes what a screen reader hears."""


@pytest.fixture
def models() -> FakeModels:
    """They find three faces, the last one at the photo's right edge."""
    return FakeModels(face(190, 70, 80, 90), face(20, 20, 40, 160), face(390, 300, 120, 120))


@pytest.fixture
def demo(
    models: FakeModels, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[gr.Blocks]:
    """A running demo whose models call every face happy, or sad."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("gradio")))
    demo = build_demo(models, links=False)
    demo.launch(prevent_thread_lock=True, quiet=True, **look())
    yield demo
    demo.close()


@pytest.fixture
def page(chromium: Browser, demo: gr.Blocks) -> Iterator[Page]:
    """The demo, with the astronaut in it."""
    page = chromium.new_page()
    page.set_default_timeout(PATIENCE)
    page.add_init_script(HEARD)
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


def hear(page: Page, words: str) -> None:
    """Waits until a screen reader would have said so."""
    page.wait_for_function("words => window.heard.some((said) => said.includes(words))", arg=words)


def test_the_heat_is_that_of_the_face_in_view(page: Page, models: FakeModels) -> None:
    models.seconds = 1.0
    for index in (1, 2):  # the second one while the first one's heat is still on its way
        page.locator("#chooser button").nth(index).click()
        expect(page.locator(".fer-verdict h3")).to_contain_text(f"Face {index + 1}")
    expect(page.locator("#overlay")).to_contain_text("Face 3:")
    expect(page.locator("#overlay img").first).to_have_attribute("alt", re.compile("for happy, on face 3"))
    hear(page, "Face 3 of 3: happy, 90% confident.")
    hear(page, "Explanation for happy ready.")


def test_the_last_click_counts(page: Page) -> None:
    page.route("**/gradio_api/**", _late_once())
    for index in (1, 2):
        page.locator("#chooser button").nth(index).click()
    expect(page.locator(".fer-verdict h3")).to_contain_text("Face 3")
    expect(page.locator("#overlay")).to_contain_text("Face 3:")


def _late_once() -> Callable[[Route], None]:
    """Lets the first request wait for a second."""
    waits = [1.0]

    def pass_on(route: Route) -> None:
        time.sleep(waits.pop() if waits else 0)
        route.continue_()

    return pass_on


def test_starting_over_leaves_no_picture_on_the_server(page: Page, demo: gr.Blocks, models: FakeModels) -> None:
    models.seconds = 1.0
    page.locator("#chooser button").nth(1).click()
    expect(page.locator(".fer-verdict h3")).to_contain_text("Face 2")
    page.get_by_role("button", name="Start over").click()
    hear(page, "Forgotten. Add another photo")
    end = time.monotonic() + 30
    while (left := _pictures_kept(demo)) and time.monotonic() < end:
        time.sleep(0.1)
    assert left == []
    time.sleep(1.5)  # what was being explained is over by now
    assert _pictures_kept(demo) == []


def _pictures_kept(demo: gr.Blocks) -> list[str]:
    (session,) = demo.state_holder.session_data.values()
    parts = [config["props"] for config in session.components]
    kept = [part.get("elem_id") for part in parts if "data:image" in str(part.get("value"))]
    return [str(name) for name in kept if name != "examples"]


@pytest.mark.parametrize("what", ["opacity", "model"])
def test_a_forgotten_photo_is_told(page: Page, demo: gr.Blocks, what: str) -> None:
    for session in list(demo.state_holder.session_data):
        sessions.forget(demo, session)
    if what == "model":
        page.locator("#model input").click()
        page.get_by_role("option", name="other").click()
    else:
        page.locator("#opacity input[type=range]").focus()
        page.keyboard.press("Home")
        page.locator("#opacity input[type=range]").dispatch_event("pointerup")
    expect(page.locator("#message")).to_contain_text("This photo has been forgotten")
    expect(page.locator("#answer")).not_to_be_visible()
    hear(page, "This photo has been forgotten")


def test_labels_stay_in_a_narrow_photo(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    outside = page.evaluate(
        """() => {
          const frame = document.querySelector(".fer-frame").getBoundingClientRect();
          return [...document.querySelectorAll(".fer-tag")].filter((tag) => {
            const { left, right, top } = tag.getBoundingClientRect();
            return left < frame.left - 1 || right > frame.right + 1 || top < frame.top - 1;
          }).map((tag) => tag.textContent);
        }"""
    )
    assert outside == []


def test_everything_is_forgotten_when_the_page_is_closed(page: Page, demo: gr.Blocks) -> None:
    kept = demo.state_holder.session_data
    assert len(kept) == 1
    page.close()
    end = time.monotonic() + 60
    while kept and time.monotonic() < end:
        time.sleep(0.1)
    assert not kept
