"""What the demo's HTML says."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from fer_core.labels import COLOURS, EMOTIONS
from tests.webapp.fakes import FakeModels, card, face
from webapp.demo import handlers, views
from webapp.demo.examples import EXAMPLES
from webapp.demo.handlers import Visit

PHOTO = np.zeros((300, 400, 3), np.uint8)


class _Page(HTMLParser):
    """Tags with their attributes, and whether every one was closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def visit_of(count: int) -> Visit:
    """A photo with `count` faces in a row."""
    return handlers.classify(FakeModels(*(face(10 + 40 * i, 100, 36, 90) for i in range(count))), "sure", PHOTO)


@pytest.mark.parametrize("count", [0, 1, 2, 9])
def test_every_picture_has_a_text_and_every_tag_its_end(count: int) -> None:
    visit = visit_of(count)
    html = views.photo(visit) + views.summary(visit) + views.chooser(visit) + views.examples(EXAMPLES)
    html += views.face(visit, "Trust it.") if count else ""
    page = _Page(html)
    assert page.open == []
    assert all(attributes.get("alt") for tag, attributes in page.tags if tag == "img")
    assert not re.search(r'(src|href)="(?!data:)', html)


def test_every_face_has_a_box_and_several_a_choice() -> None:
    assert views.photo(visit_of(3)).count("fer-box") == 3
    assert views.chooser(visit_of(1)) == ""
    choices = views.chooser(handlers.choose(visit_of(3), 2))
    assert re.findall(r'aria-pressed="(\w+)"', choices) == ["false", "false", "true"]


def test_numbers_do_not_cover_small_faces() -> None:
    models = FakeModels(*(face(8 * i, 100, 6, 90) for i in range(30)), face(300, 100, 60, 90))
    visit = handlers.classify(models, "sure", PHOTO)
    html = views.photo(visit)
    assert html.count("fer-box") == 31
    assert html.count("fer-tag") == 2  # of the chosen face, and of the one with room for it


def test_boxes_stay_inside_the_photo() -> None:
    models = FakeModels(face(-50, -50, 100, 90), face(350, 250, 100, 90))
    html = views.photo(handlers.classify(models, "sure", PHOTO))
    for left, top, width, height in re.findall(r"left:([\d.]+)%;top:([\d.]+)%;width:([\d.]+)%;height:([\d.]+)%", html):
        assert float(left) + float(width) <= 100.01
        assert float(top) + float(height) <= 100.01


def test_all_probabilities_are_told() -> None:
    html = views.face(visit_of(1), "")
    assert all(f">{emotion}</th>" in html for emotion in EMOTIONS)
    assert html.count("%</td>") == 7


def test_the_page_tells_how_much_of_the_face_the_model_looks_at() -> None:
    assert "centre" not in views.face(visit_of(1), "")
    assert "centre, 44&times;44" in views.face(visit_of(1), "", field=44)


def test_an_unsure_model_says_so() -> None:
    visit = visit_of(1)
    assert "unsure" not in views.face(visit, "")
    chances = dict.fromkeys(EMOTIONS, 0.1) | {"fear": 0.4}
    one = visit.face
    unsure = Visit(
        type(visit.result)(400, 300, (type(one)(one.face, "fear", 0.4, chances),), "", visit.result.image), "sure"
    )
    assert "unsure: fear and angry" in views.face(unsure, "")


def test_messages_are_escaped_and_stand_alone() -> None:
    assert "<b>" not in views.message("<b>bold</b>")
    assert views.sentence("the file is empty") == "The file is empty."
    assert views.sentence("Really?") == "Really?"
    assert views.message("") == ""


def test_no_face_is_told_kindly_and_notes_are_kept() -> None:
    visit = visit_of(0)
    assert views.found(visit).startswith("No face was found here.")
    assert "detect=" not in views.found(visit)
    one = visit_of(1)
    noted = Visit(
        type(one.result)(400, 300, one.faces, "found 1 face. the file has 12 frames", one.result.image), "sure"
    )
    assert views.found(noted) == "The file has 12 frames."


def test_model_line_gives_accuracy_with_its_interval() -> None:
    line = views.model_line(card())
    assert "70.1% of PrivateTest (95 % interval 68.6% to 71.6%)" in line
    assert "2.3 million parameters" in line
    assert "accuracy not measured" in views.model_line(card(metrics={}))


@pytest.mark.parametrize("colour", COLOURS.values())
def test_words_on_a_colour_can_be_read(colour: str) -> None:
    def light(value: str) -> float:
        channels = [int(value[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05

    ink = re.search(r"--ink:(#\w+)", views._paint(next(name for name, c in COLOURS.items() if c == colour)))
    assert ink is not None
    pair = sorted((light(ink.group(1)), light(colour)))
    assert pair[1] / pair[0] >= 4.5


def test_legend_tells_what_signed_heat_means() -> None:
    models, visit = FakeModels(face(10, 10, 60, 90)), visit_of(1)
    for method, words in {"grad_cam": "hardly matters", "integrated_gradients": "against happy"}.items():
        explained = handlers.explain(models, visit, method)
        html = views.explanation(visit, explained, *handlers.overlays(visit, explained, 0.5))
        assert words in html
        assert html.count("data-save") == 2
        assert handlers.sheet(visit, explained, 0.5).width > 1000


def explanation_of(visit: Visit, target: str, heat: float = 1, method: str = "grad_cam") -> str:
    """The page's HTML of a heatmap that is the same everywhere."""
    explained = handlers.explain(FakeModels(), visit, method, target)
    explained.heatmap[...] = heat
    return views.explanation(
        visit, explained, *handlers.overlays(visit, explained, 0.5), handlers.sheet(visit, explained, 0.5)
    )


def test_heat_says_of_which_face_and_which_emotion_it_is() -> None:
    html = explanation_of(handlers.choose(visit_of(3), 1), "disgust")
    assert "Heatmap of the pixels that speak for disgust, on face 2" in html
    assert "On face 2, for disgust" in html
    assert "Face 2: Grad-CAM, what speaks for disgust?" in html
    assert "The model gives disgust 14%, and happy 14%." in html
    assert 'data-save="explanation-grad_cam-disgust-face-2.png"' in html
    assert 'data-announce="Explanation for disgust ready."' in html
    one = explanation_of(visit_of(1), "happy")
    assert "The model gives" not in one
    assert 'data-save="face-grad_cam-happy.png"' in one
    assert "On the face, for happy" in one


def test_no_heat_says_so() -> None:
    html = explanation_of(visit_of(1), "disgust", heat=0)
    assert html.count("Nothing on this face speaks for disgust by this method.") == 2  # seen, and heard
    assert "hardly matters" not in html
    assert "alike" in explanation_of(visit_of(1), "disgust", heat=0, method="self_attention")


def test_words_stay_in_the_photo() -> None:
    html = views.photo(handlers.classify(FakeModels(face(0, 100, 60, 90), face(330, 100, 60, 90)), "sure", PHOTO))
    left, right = re.findall(r'<span class="([^"]+)">', html)
    assert left == "fer-tag"
    assert right == "fer-tag fer-leftwards"
    wide = np.zeros((200, 1000, 3), np.uint8)
    assert "fer-inside" in views.photo(handlers.classify(FakeModels(face(10, 50, 90, 90)), "sure", wide))
    assert "fer-inside" not in views.photo(handlers.classify(FakeModels(face(10, 80, 90, 90)), "sure", wide))


def test_the_same_words_are_news_when_they_come_again() -> None:
    one, two = views.message("Not a picture", "error"), views.message("Not a picture", "error")
    assert 'data-announce="Not a picture."' in one
    assert one != two
    assert "data-announce" not in views.message("Welcome", announced=False)


def test_examples_work_without_any_file() -> None:
    assert [example.name for example in EXAMPLES] == ["photo", *EMOTIONS]
    assert EXAMPLES[0].picture.shape == (512, 512, 3)
    assert all(example.picture.shape == (48, 48) for example in EXAMPLES[1:])
