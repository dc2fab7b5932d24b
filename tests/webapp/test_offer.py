"""Which methods of explanation the page offers: those that suit the model in use, with its ranges."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest

from fer_core.errors import FerError
from fer_core.explain import EXPLAINERS, Control, IntControl
from tests.webapp.fakes import FakeModels, face
from webapp.demo import handlers, views
from webapp.demo.handlers import Visit
from webapp.demo.models import CheckpointModels
from webapp.demo.page import AT_ONCE, _Page, _update_control

PHOTO = np.zeros((200, 200, 3), np.uint8)


class Silent(FakeModels):
    """Models that are no single network."""

    def methods(self, name: str) -> dict[str, tuple[Control, ...]]:
        return {}


def page_over(models: FakeModels) -> _Page:
    async def build() -> _Page:  # inside a loop, or Gradio leaves loops of its own behind
        with gr.Blocks():
            return _Page(models, links=False)

    return asyncio.run(build())


def offer(page: _Page, visit: Visit | None, offered: str = "", method: str = "grad_cam") -> dict[str, Any]:
    """What `_offer` changes, by the names of the page's parts."""
    known = {part: name for name, part in vars(page).items() if isinstance(part, gr.blocks.Block)}
    update = page._offer(visit, offered, method)
    if update == gr.skip():
        return {}
    assert set(update) <= set(page._offer_outputs())
    return {known[part]: value for part, value in update.items() if part in known}


@pytest.fixture
def models() -> FakeModels:
    return FakeModels(face(20, 20, 80, 90))


def test_the_methods_are_those_of_the_model(models: FakeModels) -> None:
    page = page_over(models)
    sure = offer(page, handlers.classify(models, "sure", PHOTO))
    assert [name for _, name in sure["method"].choices] == ["grad_cam", "integrated_gradients"]
    assert sure["offered"] == "sure"
    assert sure["explanation"].visible
    assert not sure["unexplained"].visible
    other = offer(page, handlers.classify(models, "other", PHOTO), "sure", "integrated_gradients")
    assert [name for _, name in other["method"].choices] == ["grad_cam", "integrated_gradients", "self_attention"]
    assert other["method"].value == "integrated_gradients"


def test_a_method_that_the_next_model_lacks_gives_way_to_the_first(models: FakeModels) -> None:
    update = offer(page_over(models), handlers.classify(models, "sure", PHOTO), "other", "self_attention")
    assert update["method"].value == "grad_cam"
    assert EXPLAINERS["grad_cam"].description in update["method_line"]
    assert update["target"].visible


def test_attention_asks_for_no_emotion(models: FakeModels) -> None:
    update = offer(page_over(models), handlers.classify(models, "other", PHOTO), "sure", "self_attention")
    assert not update["target"].visible
    assert "same for all emotions" in update["method_line"]


def test_nothing_changes_without_another_model(models: FakeModels) -> None:
    page, visit = page_over(models), handlers.classify(models, "sure", PHOTO)
    for update in (offer(page, visit, "sure"), offer(page, None), offer(page, replace(visit, result=_faceless(visit)))):
        assert update == {}


def _faceless(visit: Visit) -> Any:
    return replace(visit.result, faces=())


def test_a_model_without_methods_says_so() -> None:
    models = Silent(face(20, 20, 80, 90))
    page, visit = page_over(models), handlers.classify(models, "sure", PHOTO)
    update = offer(page, visit)
    assert update["unexplained"].visible
    assert not update["explanation"].visible
    explained = page._explain(visit, "shown", "grad_cam", handlers.PREDICTED, 0.5, *(None for _ in page.controls))
    assert explained == {page.overlay: ""}


@pytest.mark.parametrize(("most", "shown"), [(1, False), (4, True)])
def test_sliders_reach_as_far_as_the_model(most: int, shown: bool) -> None:
    update = _update_control(IntControl("layer", "Layer", 0, 0, most, "Which."))
    assert (update.maximum, update.value, update.visible) == (most, 0, shown)


def test_a_checkpoint_knows_its_methods(tiny_checkpoint: Path) -> None:
    methods = CheckpointModels([tiny_checkpoint]).methods("tiny")
    assert "channel_attention" in methods
    assert "vit_heads" not in methods
    assert methods["channel_attention"][0].maximum == 4  # its layers


def test_methods_are_told_while_another_visitor_waits_for_heat(tiny_checkpoint: Path) -> None:
    models = CheckpointModels([tiny_checkpoint])
    models.methods("tiny")
    with models._explaining, ThreadPoolExecutor(1) as pool:
        assert "saliency" in pool.submit(models.methods, "tiny").result(timeout=60)


def test_attention_is_described_as_attention(models: FakeModels) -> None:
    visit = handlers.classify(models, "other", PHOTO)
    explained = handlers.explain(models, visit, "self_attention")
    explained.pictures["what the crop holds"] = np.zeros((48, 48), np.uint8)
    html = views.explanation(visit, explained, *handlers.overlays(visit, explained, 0.5))
    assert "attended most" in html
    assert "Heatmap of where the network attends, on the face" in html
    assert "What the crop holds" in html
    assert "speak" not in html
    assert "0.21" not in html
    explained.numbers["range"] = {"of": "gates", "lowest": 0.2134, "highest": 0.2611}
    html = views.explanation(visit, explained, *handlers.overlays(visit, explained, 0.5))
    assert "(gates 0.21 to 0.26)" in html


def test_no_more_photos_are_judged_at_once_than_fit(models: FakeModels) -> None:
    page = page_over(models)
    running, most = [0], [0]
    lock = threading.Lock()

    def work() -> Visit:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.05)
        with lock:
            running[0] -= 1
        raise FerError("not a picture")

    with ThreadPoolExecutor(3 * AT_ONCE) as pool:
        answers = list(pool.map(lambda _: page._answer(work), range(3 * AT_ONCE)))
    assert most[0] == AT_ONCE
    assert all("picture" in str(answer[page.message]) for answer in answers)
