"""The start page in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewPage


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_every_window(new_page: NewPage, app_url: str, width: int, dark: bool) -> None:
    page = new_page(width, 844, dark)
    page.goto(app_url)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, background.strip("rgb()").split(","))) < 200) == dark


def test_three_ways_lead_to_three_places(new_page: NewPage, app_url: str) -> None:
    page = new_page()
    page.goto(app_url)
    page.get_by_role("link", name="Try it on a photo").click()
    expect(page.get_by_text("Drop a photo here")).to_be_visible()
    page.go_back()
    page.get_by_role("link", name="Look into the data").click()
    expect(page.locator("[data-testid=stApp]")).to_be_visible()
    page.go_back()
    page.get_by_role("link", name="Reproduce and extend").click()
    expect(page.get_by_text("python -m scripts.train")).to_be_in_viewport()


def test_it_can_be_used_by_keyboard(new_page: NewPage, app_url: str) -> None:
    page = new_page()
    page.goto(app_url)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "/demo/"
    page.keyboard.press("Enter")
    expect(page.get_by_text("Drop a photo here")).to_be_visible()
