"""The demo in a browser, as a visitor uses it."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from fer_core.labels import EMOTIONS
from tests.browser.conftest import NewPage, Watch
from tests.webapp.serving import Served
from webapp.demo.examples import EXAMPLES

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with an astronaut, six astronauts, a wall and a text that calls itself a picture."""
    astronaut = Image.fromarray(EXAMPLES[0].picture)
    astronaut.save(tmp_path / "astronaut.png")
    head = astronaut.crop((120, 10, 330, 220))
    crowd = Image.new("RGB", (630, 420))
    for index in range(6):
        crowd.paste(head, (210 * (index % 3), 210 * (index // 3)))
    crowd.save(tmp_path / "crowd.png")
    Image.new("RGB", (400, 300), "white").save(tmp_path / "wall.png")
    (tmp_path / "text.png").write_text("not a picture")
    return tmp_path


def visit(page: Page, app_url: str) -> Page:
    """Opens the demo and waits until it can be used."""
    page.goto(f"{app_url}/demo/")
    page.wait_for_selector("#photo-input input[type=file]", state="attached")
    return page


def upload(page: Page, path: Path) -> None:
    """Chooses a file as a visitor does."""
    page.set_input_files("#photo-input input[type=file]", str(path))


def explained(page: Page) -> None:
    """Waits for the overlay, which comes last."""
    expect(page.locator("#overlay img").first).to_be_visible()


def source(page: Page, selector: str) -> str:
    """What the first picture in a block shows."""
    return page.locator(f"{selector} img").first.get_attribute("src") or ""


def changed(page: Page, selector: str, before: str) -> str:
    """Waits until a block's first picture is another one."""
    expect(page.locator(f"{selector} img").first).not_to_have_attribute("src", before)
    return source(page, selector)


def test_an_uploaded_photo_is_answered_in_full(new_page: NewPage, app_url: str, app: Served, pictures: Path) -> None:
    page = visit(new_page(), app_url)
    upload(page, pictures / "astronaut.png")
    explained(page)
    expect(page.locator("#picture .fer-box")).to_have_count(1)
    rows = page.locator(".fer-bars tr")
    expect(rows).to_have_count(7)
    shares = [float(text.rstrip("%")) for text in page.locator(".fer-bars td:last-child").all_inner_texts()]
    assert sum(shares) == pytest.approx(100, abs=0.5)
    assert page.locator(".fer-verdict h3").inner_text().split()[1] in EMOTIONS
    crop = page.locator("#face img").first
    assert crop.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [48, 48]
    assert crop.evaluate("image => getComputedStyle(image).imageRendering") == "pixelated"
    expect(page.locator("#overlay img")).to_have_count(2)
    _wait_until_gone(app, "astronaut.png")


def _wait_until_gone(app: Served, name: str) -> None:
    end = time.monotonic() + 30
    while (left := [path for path in app.uploads() if path.name == name]) and time.monotonic() < end:
        time.sleep(0.1)
    assert left == []


def test_method_target_opacity_and_controls_change_the_overlay(new_page: NewPage, app_url: str) -> None:
    page = visit(new_page(), app_url)
    page.locator("#examples [data-index='0']").click()
    explained(page)
    first = source(page, "#overlay")
    _choose(page, "#target", "surprise")
    second = changed(page, "#overlay", first)
    expect(page.locator("#overlay")).to_contain_text("surprise")
    _choose(page, "#method", "Integrated gradients")
    third = changed(page, "#overlay", second)
    expect(page.locator("#overlay")).to_contain_text("against surprise")
    page.locator("#opacity input[type=range]").focus()
    page.keyboard.press("Home")
    page.locator("#opacity input[type=range]").dispatch_event("pointerup")
    changed(page, "#overlay", third)


def _choose(page: Page, selector: str, words: str) -> None:
    page.locator(f"{selector} input").click()
    page.get_by_role("option", name=words, exact=True).click()


def test_several_faces_can_be_looked_at_in_turn(new_page: NewPage, app_url: str, pictures: Path) -> None:
    page = visit(new_page(), app_url)
    upload(page, pictures / "crowd.png")
    explained(page)
    expect(page.locator("#picture .fer-box")).to_have_count(6)
    faces = page.locator("#chooser button")
    expect(faces).to_have_count(6)
    expect(faces.nth(0)).to_have_attribute("aria-pressed", "true")
    faces.nth(3).focus()
    page.keyboard.press("Enter")
    expect(faces.nth(3)).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".fer-verdict h3")).to_contain_text("Face 4")
    page.locator("#picture .fer-box").nth(1).click()
    expect(page.locator(".fer-verdict h3")).to_contain_text("Face 2")
    explained(page)


def test_no_face_is_a_friendly_answer_with_a_way_on(new_page: NewPage, app_url: str, pictures: Path) -> None:
    page = visit(new_page(), app_url)
    upload(page, pictures / "wall.png")
    expect(page.locator("#message")).to_contain_text("No face was found here")
    expect(page.locator("#face")).not_to_be_visible()
    told = page.locator("#fer-live[role=status]")
    expect(told).to_contain_text("No face was found here")
    page.get_by_role("button", name="Classify the whole picture anyway").click()
    explained(page)
    expect(told).to_contain_text(re.compile("Explanation for .* ready"))
    expect(page.locator("#summary")).to_contain_text("The whole picture as one face")
    expect(page.get_by_role("button", name="Classify the whole picture anyway")).not_to_be_visible()


def test_a_broken_file_is_told_without_code(new_page: NewPage, app_url: str, pictures: Path) -> None:
    page = visit(new_page(), app_url)
    upload(page, pictures / "text.png")
    expect(page.locator("#message .fer-error")).to_contain_text("not a picture")
    assert "Traceback" not in page.content()
    expect(page.locator(".toast-wrap .toast-body")).to_have_count(0)
    upload(page, pictures / "astronaut.png")  # and the next one is answered as if nothing had been
    explained(page)
    expect(page.locator("#message .fer-error")).to_have_count(0)


def test_drawn_examples_and_starting_over(new_page: NewPage, app_url: str) -> None:
    page = visit(new_page(), app_url)
    page.get_by_role("group", name="Examples").get_by_role("button", name="surprise").click()
    explained(page)
    expect(page.locator("#message")).to_contain_text("48x48 face already")
    page.get_by_role("button", name="Start over").click()
    expect(page.locator("#answer")).not_to_be_visible()
    expect(page.locator("#message")).to_contain_text("Forgotten")


def test_answer_and_overlay_can_be_saved(new_page: NewPage, app_url: str, tmp_path: Path) -> None:
    page = visit(new_page(), app_url)
    page.locator("#examples [data-index='0']").click()
    explained(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as JSON").click()
    download.value.save_as(tmp_path / "faces.json")
    document = json.loads((tmp_path / "faces.json").read_text())
    assert tuple(document["faces"][0]["probabilities"]) == EMOTIONS
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as PNG").nth(1).click()
    assert re.fullmatch(rf"photo-grad_cam-({'|'.join(EMOTIONS)})\.png", download.value.suggested_filename)
    download.value.save_as(tmp_path / "overlay.png")
    overlay = np.asarray(Image.open(tmp_path / "overlay.png").convert("RGB"), np.int16)
    assert overlay.shape == (512, 512, 3)
    assert np.abs(overlay - EXAMPLES[0].picture).max() > 60
    with page.expect_download() as download:
        page.get_by_role("button", name="Save all of this as one picture").click()
    assert download.value.suggested_filename.startswith("explanation-grad_cam-")
    download.value.save_as(tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > 1000


def test_a_pasted_picture_is_answered(new_page: NewPage, app_url: str, pictures: Path) -> None:
    page = new_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.route("**/queue/join*", _late_once())  # pasting first says that the old photo is gone; the server is slow
    visit(page, app_url)
    page.evaluate(
        """async (text) => {
          const blob = new Blob([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], { type: "image/png" });
          await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
        }""",
        base64.b64encode((pictures / "astronaut.png").read_bytes()).decode(),
    )
    page.get_by_label("Paste from clipboard").click()
    explained(page)
    expect(page.locator("#picture .fer-box")).to_have_count(1)


def _late_once() -> Callable[[Route], None]:
    """Lets the first request wait for two seconds."""
    waits = [2.0]

    def pass_on(route: Route) -> None:
        time.sleep(waits.pop() if waits else 0)
        route.continue_()

    return pass_on


def test_a_picture_from_the_camera_is_answered(webcam_page: Page, app_url: str) -> None:
    page = visit(webcam_page, app_url)
    page.get_by_label("Capture from camera").click()
    page.get_by_text("Click to Access Webcam").click()
    page.wait_for_function("document.querySelector('#photo-input video')?.videoWidth > 0")
    page.get_by_label("capture photo").click()
    explained(page)
    expect(page.locator("#picture .fer-box")).to_have_count(1)


def test_the_page_says_why_the_camera_is_missing(new_page: NewPage, app_url: str) -> None:
    page = new_page()
    page.add_init_script("Object.defineProperty(window, 'isSecureContext', { value: false })")
    visit(page, app_url)
    expect(page.get_by_text("The camera stays off")).to_be_visible()
    assert not visit(new_page(), app_url).get_by_text("The camera stays off").is_visible()


def test_two_visitors_do_not_see_each_other(new_page: NewPage, app_url: str, pictures: Path) -> None:
    pages = [visit(new_page(), app_url) for _ in range(2)]
    upload(pages[0], pictures / "crowd.png")
    upload(pages[1], pictures / "astronaut.png")
    for page, count in zip(pages, (6, 1), strict=True):
        explained(page)
        expect(page.locator("#picture .fer-box")).to_have_count(count)


@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_shows_everything_without_sideways_scrolling(new_page: NewPage, app_url: str, dark: bool) -> None:
    page = visit(new_page(390, 844, dark), app_url)
    page.locator("#examples [data-index='0']").click()
    explained(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(page.locator("#summary")).to_be_in_viewport()  # the page moved to the answer
    assert ("dark" in (page.locator("body").get_attribute("class") or "")) == dark


def test_every_control_has_a_name(new_page: NewPage, app_url: str) -> None:
    page = visit(new_page(), app_url)
    page.locator("#examples [data-index='0']").click()
    explained(page)
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("main button, main input, main img")]
          .filter((e) => e.offsetParent && !(e.innerText?.trim() || e.ariaLabel || e.title || e.alt
            || e.labels?.length || e.getAttribute("aria-labelledby")))
          .map((e) => e.outerHTML.slice(0, 120))"""
    )
    assert nameless == []


def test_the_page_for_programs_names_both_endpoints_and_asks_nobody(
    new_page: NewPage, app_url: str, watch: Watch
) -> None:
    page = visit(new_page(), app_url)
    page.get_by_role("button", name="Use via API").click()
    for words in ("/classify", "/explain", "handle_file('photo.jpg')"):
        expect(page.locator("body")).to_contain_text(words)
    assert page.locator("body").inner_text().count("API name:") == 2
    watch.errors.clear()  # Gradio's page looks here for services that this app does not offer
