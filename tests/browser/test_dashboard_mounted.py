"""The dashboard below `/dashboard` of the whole web app."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import NewPage, Watch, settle


def test_it_shows_the_dataset_that_the_app_was_started_with(new_page: NewPage, app_url: str) -> None:
    page = new_page()
    page.goto(f"{app_url}/dashboard/")
    settle(page, "FER dashboard")
    expect(page.get_by_text("Dataset in use")).to_contain_text("with its faces")
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Class balance").click()
    settle(page, "Class balance")
    assert page.url.endswith("/dashboard/balance")
    page.get_by_test_id("stSidebar").get_by_role("link", name="FER", exact=True).click()
    page.wait_for_url(f"{app_url}/")


def test_a_page_opens_by_its_address(new_page: NewPage, watch: Watch, app_url: str) -> None:
    page = new_page(390, 844, dark=True)
    page.goto(f"{app_url}/dashboard/duplicates")
    settle(page, "Duplicates and leakage")
    watch.errors[:] = [error for error in watch.errors if "404" not in error]  # it looks for its base address first
