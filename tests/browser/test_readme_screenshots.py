"""The README's pictures of the three pages, taken as a visitor sees them.

    FER_SCREENSHOTS=webapp/landing/screenshots python -m pytest tests/browser/test_readme_screenshots.py

Without the variable they go to a temporary folder, so that the test proves that they can be taken. They show the
astronaut, drawn faces and figures only, never a face of FER2013: the app that they are taken of serves drawn faces.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import NewPage, settle

LARGEST = 300 * 1024


@pytest.fixture
def screenshots(tmp_path: Path) -> Path:
    """Where the pictures go."""
    folder = Path(os.environ.get("FER_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def save(picture: bytes, path: Path) -> None:
    """Writes a screenshot with 256 colours, which is what keeps it small."""
    raw = path.with_suffix(".raw.png")
    raw.write_bytes(picture)
    with Image.open(raw) as image:
        image.convert("RGB").quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)
    raw.unlink()
    assert path.stat().st_size < LARGEST


def test_landing(new_page: NewPage, app_url: str, screenshots: Path) -> None:
    page = new_page(1200, 760)
    page.goto(app_url)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    save(page.screenshot(), screenshots / "landing.png")


def test_demo(new_page: NewPage, app_url: str, screenshots: Path) -> None:
    page = new_page(1200, 900)
    page.goto(f"{app_url}/demo/")
    page.locator("#examples [data-index='0']").click()
    expect(page.locator("#overlay img").last).to_be_visible()
    page.mouse.move(0, 0)
    save(page.screenshot(full_page=True), screenshots / "demo.png")


def test_dashboard(new_page: NewPage, app_url: str, screenshots: Path) -> None:
    page = new_page(1200, 1060)
    page.goto(f"{app_url}/dashboard/confusion")
    expect(page.locator("[data-testid=stApp] .js-plotly-plot").first).to_be_visible()
    settle(page, "Confusion matrix")
    expect(page.locator("[data-testid=stSkeleton]")).to_have_count(0)
    save(page.screenshot(), screenshots / "dashboard.png")
