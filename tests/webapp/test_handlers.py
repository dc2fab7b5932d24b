"""The demo's functions, with a stand-in for the models."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from fer_core.errors import ImageError, UnknownNameError
from tests.webapp.fakes import FakeModels, card, face
from webapp.demo import handlers

PHOTO = np.random.default_rng(0).integers(0, 255, (400, 600, 3), np.uint8)


@pytest.fixture
def models() -> FakeModels:
    """Two faces in every photo, the larger one first."""
    return FakeModels(face(100, 50, 120, 90), face(300, 60, 60, 160))


def test_classify_shows_the_largest_face_first(models: FakeModels) -> None:
    visit = handlers.classify(models, "sure", PHOTO)
    assert [one.emotion for one in visit.faces] == ["happy", "happy"]
    assert visit.chosen == 0
    assert visit.face.face.crop[0, 0] == 90


def test_the_kept_copy_is_small_but_boxes_refer_to_the_photo(models: FakeModels) -> None:
    visit = handlers.classify(models, "sure", Image.new("RGB", (4000, 3000)))
    assert max(visit.result.image.size) == handlers.SHOWN_SIDE
    assert (visit.result.width, visit.result.height) == (4000, 3000)
    assert visit.face.face.box == (100, 50, 120, 120)
    assert visit.scale == pytest.approx(handlers.SHOWN_SIDE / 4000)


@pytest.mark.parametrize("photo", [None, b"", b"no picture", b"\xff\xd8\xff\xe0 cut off"])
def test_what_is_no_photo_is_told_in_a_sentence(models: FakeModels, photo: bytes | None) -> None:
    with pytest.raises(ImageError) as told:
        handlers.classify(models, "sure", photo)
    assert "Traceback" not in str(told.value)
    assert len(str(told.value)) > 20


def test_no_face_is_an_answer_and_the_whole_picture_can_be_classified() -> None:
    models = FakeModels()
    visit = handlers.classify(models, "sure", PHOTO)
    assert visit.faces == ()
    whole = handlers.classify_whole(models, visit)
    assert whole.whole
    assert len(whole.faces) == 1
    with pytest.raises(ImageError):
        _ = visit.face


def test_whole_picture_boxes_are_in_pixels_of_the_photo_as_sent() -> None:
    models = FakeModels()
    visit = handlers.classify(models, "sure", Image.new("L", (3000, 3000)))
    whole = handlers.classify_whole(models, visit)
    assert whole.face.face.box == pytest.approx((0, 0, 3000, 3000))
    assert handlers.is_whole(whole)


def test_choose_keeps_the_answer_and_refuses_a_face_that_is_not_there(models: FakeModels) -> None:
    visit = handlers.choose(handlers.classify(models, "sure", PHOTO), 1)
    assert visit.face.face.crop[0, 0] == 160
    with pytest.raises(UnknownNameError, match="has 2"):
        handlers.choose(visit, 2)
    with pytest.raises(ImageError, match="forgotten"):
        handlers.choose(None, 0)


def test_switching_the_model_judges_the_same_faces_again(models: FakeModels) -> None:
    visit = handlers.choose(handlers.classify(models, "sure", PHOTO), 1)
    handlers.explain(models, visit, "grad_cam")
    switched = handlers.switch_model(models, visit, "other")
    assert [one.emotion for one in switched.faces] == ["sad", "sad"]
    assert switched.chosen == 1
    assert switched.faces[0].face is visit.faces[0].face
    assert switched.explanations == {}


def test_explanations_are_computed_once_per_question(models: FakeModels) -> None:
    visit = handlers.classify(models, "sure", PHOTO)
    for _ in range(2):
        handlers.explain(models, visit, "grad_cam")
    assert models.explained == 1
    handlers.explain(models, visit, "grad_cam", "sad")
    handlers.explain(models, visit, "integrated_gradients", "sad", {"n_steps": 20})
    handlers.explain(models, visit, "integrated_gradients", "sad", {"n_steps": 30})
    handlers.explain(models, handlers.choose(visit, 1), "grad_cam")
    assert models.explained == 5


def test_overlay_lies_on_the_chosen_face_only(models: FakeModels) -> None:
    visit = handlers.choose(handlers.classify(models, "sure", PHOTO), 1)
    explained = handlers.explain(models, visit, "grad_cam")
    on_face, on_photo = handlers.overlays(visit, explained, 1.0)
    assert on_face.size[0] == on_face.size[1]
    assert on_photo is not None
    changed = (np.asarray(on_photo) != PHOTO).any(axis=2)
    rows, columns = np.nonzero(changed)
    assert 60 <= rows.min()
    assert rows.max() <= 120
    assert 300 <= columns.min()
    assert columns.max() <= 345  # the heat is on the left half
    assert np.array_equal(np.asarray(handlers.overlays(visit, explained, 0.0)[1]), PHOTO)


def test_overlay_of_a_shrunk_photo_lies_where_the_face_is() -> None:
    models = FakeModels(face(1000, 500, 800, 90))
    photo = Image.new("RGB", (4000, 3000), "grey")
    visit = handlers.classify(models, "sure", photo)
    _, on_photo = handlers.overlays(visit, handlers.explain(models, visit, "grad_cam"), 1.0)
    rows, columns = np.nonzero((np.asarray(on_photo) != np.asarray(visit.result.image)).any(axis=2))
    assert columns.min() == pytest.approx(1000 * visit.scale, abs=12)
    assert rows.max() == pytest.approx(1300 * visit.scale, abs=12)


def test_a_picture_that_is_the_face_has_no_second_overlay() -> None:
    models = FakeModels()
    visit = handlers.classify(models, "sure", np.zeros((48, 48), np.uint8), detect=False)
    assert handlers.overlays(visit, handlers.explain(models, visit, "grad_cam"), 0.5)[1] is None


def test_the_sheet_holds_photo_face_and_heat(models: FakeModels) -> None:
    visit = handlers.classify(models, "sure", PHOTO)
    sheet = handlers.sheet(visit, handlers.explain(models, visit, "grad_cam", "disgust"), 0.5)
    whole = handlers.classify(models, "sure", PHOTO, detect=False)
    assert sheet.width > handlers.sheet(whole, handlers.explain(models, whole, "grad_cam"), 0.5).width + 300


def test_document_has_the_keys_of_the_command(models: FakeModels) -> None:
    document = handlers.as_document(handlers.classify(models, "sure", PHOTO))
    assert document["checkpoint"] == "sure"
    assert {"width", "height", "faces", "message"} <= set(document)
    assert {"box", "detection_score", "emotion", "confidence", "probabilities"} <= set(document["faces"][0])


def test_reliability_names_precision_and_recall_of_that_emotion() -> None:
    sentence = handlers.reliability(card(), "happy")
    assert "says happy, it is right 83% of the time on PrivateTest" in sentence
    assert "finds 73% of the happy faces" in sentence
    assert "1,003 faces" in sentence
    assert handlers.reliability(card(metrics={}), "happy") == ""


def test_bytes_of_any_readable_file_are_classified(models: FakeModels) -> None:
    buffer = io.BytesIO()
    Image.fromarray(PHOTO).save(buffer, "PNG")
    assert len(handlers.classify(models, "sure", buffer.getvalue()).faces) == 2
