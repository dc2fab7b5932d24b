"""What the demo's page changes with each event: nothing of one answer stays beside another, the last one counts."""

from __future__ import annotations

import asyncio
from typing import Any

import gradio as gr
import numpy as np
import pytest

from tests.webapp.fakes import FakeModels, face
from webapp.demo import handlers, page
from webapp.demo.handlers import FORGOTTEN, PREDICTED, Visit
from webapp.demo.page import _Page, build_demo

PHOTO = np.zeros((200, 200, 3), np.uint8)
HEAT = "<p>heat</p>"


@pytest.fixture
def models() -> FakeModels:
    return FakeModels(face(20, 20, 80, 90), face(120, 20, 40, 160))


@pytest.fixture
def built(models: FakeModels) -> _Page:
    async def build() -> _Page:  # inside a loop, or Gradio leaves loops of its own behind
        with gr.Blocks():
            return _Page(models, links=False)

    return asyncio.run(build())


@pytest.fixture
def visit(models: FakeModels) -> Visit:
    return handlers.classify(models, "sure", PHOTO)


def explain(built: _Page, visit: Visit | None, shown: str, target: str = PREDICTED) -> dict[Any, Any]:
    """The default method with the controls as they stand."""
    return built._explain(visit, shown, "grad_cam", target, 0.5, *(part.value for part in built.controls.values()))


def test_no_heat_stays_beside_another_answer(built: _Page, models: FakeModels, visit: Visit) -> None:
    updates = [
        built._restart(),
        built._example("sure", 0),
        built._choose(visit, 1),
        built._choose(visit, 7),
        built._whole(visit),
        built._switch(visit, "shown", "other"),
        built._answer(lambda: handlers.classify(models, "sure", b"no picture")),
    ]
    for update in updates:
        assert update[built.overlay] == ""
        assert set(update) <= {*built._answer_outputs(), built.about, built.target}


def test_an_empty_page_keeps_nothing(built: _Page) -> None:
    update = built._restart()
    assert set(update) == set(built._answer_outputs())
    assert update.pop(built.message)
    assert not any(value for value in update.values() if not isinstance(value, gr.blocks.Block))


def test_choosing_a_face_keeps_what_is_the_same_for_all(built: _Page, visit: Visit) -> None:
    update = built._choose(visit, 1)
    assert update[built.visit].chosen == 1
    assert built.message not in update
    assert 'data-announce="Face 2 of 2: happy, 90% confident."' in update[built.face]


@pytest.mark.parametrize("shown", ["", "<p>an answer</p>"])
def test_a_forgotten_answer_says_so_where_one_was_shown(built: _Page, shown: str) -> None:
    updates = [explain(built, None, shown), built._switch(None, shown, "other")]
    for update in updates:
        assert (FORGOTTEN in update.get(built.message, "")) == bool(shown)
        assert (update.get(built.summary) == "") == bool(shown)
        assert update.get(built.overlay, "") == ""
    assert "accuracy not measured" in updates[1][built.about]


def test_an_explanation_changes_the_heat_only(built: _Page, visit: Visit) -> None:
    update = explain(built, visit, "shown")
    assert list(update) == [built.overlay]
    assert "Face 1" in update[built.overlay]


def test_whatever_may_be_asked_again_is_answered_last(models: FakeModels) -> None:
    async def build() -> gr.Blocks:
        return build_demo(models, links=False)

    events = [event for event in asyncio.run(build()).fns.values() if event.fn and event.api_visibility == "private"]
    answering = {event.name: event.trigger_mode for event in events if event.outputs}
    assert {"_choose", "_switch", "_choose_method", "_offer", "_explain", "_classify"} <= set(answering)
    assert set(answering.values()) == {"always_last"}
    assert len([event for event in events if event.name == "_explain"]) == 1  # two would overtake each other


def test_what_waited_is_told_what_was_clicked_last() -> None:
    for script in (page.CHOSEN_FACE, page.CHOSEN_EXAMPLE):
        assert "window.ferChosen" in script
    assert 'window.ferChosen[element.closest("#examples") ? "example" : "face"]' in page.SCRIPT
