"""Visitors who went away are forgotten, with all that their page showed."""

from __future__ import annotations

import datetime
import time

import pytest
from gradio.state_holder import StateHolder

from webapp.demo import sessions


class Page:
    """What an app keeps of a page's visitors: one who left long ago, and one who is here."""

    def __init__(self) -> None:
        self.state_holder = StateHolder()
        for name, ago in (("gone", 1000), ("here", 10)):
            self.state_holder.session_data[name] = f"the photo of {name}"  # type: ignore[assignment]
            used = datetime.datetime.now() - datetime.timedelta(seconds=ago)
            self.state_holder.time_last_used[name] = used


@pytest.fixture
def page() -> Page:
    return Page()


def test_only_idle_sessions_go_and_nothing_of_them_stays(page: Page) -> None:
    sessions.forget_idle(page, 900)  # type: ignore[arg-type]
    assert list(page.state_holder.session_data) == ["here"]
    assert list(page.state_holder.time_last_used) == ["here"]


def test_a_watch_looks_by_itself_and_ends(page: Page) -> None:
    stop = sessions.watch(page, 900, every=0.01)  # type: ignore[arg-type]
    end = time.monotonic() + 10
    while "gone" in page.state_holder.session_data and time.monotonic() < end:
        time.sleep(0.01)
    stop.set()
    assert list(page.state_holder.session_data) == ["here"]


def test_a_page_that_was_never_mounted_is_let_alone(page: Page) -> None:
    del page.state_holder
    sessions.forget_idle(page, 0)  # type: ignore[arg-type]
