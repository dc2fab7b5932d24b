"""From a picture to the answer that the commands and pages show."""

from __future__ import annotations

import io
import json
import threading

import numpy as np
import pytest
from PIL import Image

from fer_core.errors import ImageError
from fer_core.inference import Predictor
from fer_core.labels import EMOTIONS
from tests.fer_core.inference.pictures import Brightness, astronaut, collage, skimage_picture


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor(Brightness())


def test_a_photo_with_one_face(predictor: Predictor) -> None:
    result = predictor.predict(astronaut())
    (found,) = result.faces
    assert (result.width, result.height) == result.image.size == (512, 512)
    assert result.message == "found 1 face"
    assert found.confidence == found.probabilities[found.emotion] == max(found.probabilities.values())
    assert tuple(found.probabilities) == EMOTIONS
    assert found.face.crop.shape == (48, 48)


def test_the_object_that_outsiders_rely_on(predictor: Predictor) -> None:
    document = json.loads(json.dumps(predictor.predict(astronaut()).to_dict("a.jpg"), allow_nan=False))
    assert {name: document[name] for name in ("image", "width", "height")} == {
        "image": "a.jpg",
        "width": 512,
        "height": 512,
    }
    (face,) = document["faces"]
    assert set(face) == {"box", "detection_score", "emotion", "confidence", "probabilities"}
    x, y, width, height = face["box"]
    assert x < 225 < x + width
    assert y < 129 < y + height
    assert 0.93 <= face["detection_score"] <= 1
    assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-6)
    assert isinstance(document["message"], str)


def test_all_faces_of_a_photo_go_into_one_call() -> None:
    classifier = Brightness()
    result = Predictor(classifier).predict(collage(4, 2))
    assert classifier.batches == [8]
    assert result.message == "found 8 faces"


def test_a_face_is_answered_alike_alone_and_in_company() -> None:
    predictor = Predictor(Brightness())
    pair = Image.new("RGB", (1024, 512))
    pair.paste(astronaut(), (0, 0))
    pair.paste(astronaut().point(lambda value: value // 3), (512, 0))
    by_place = sorted(predictor.predict(pair).faces, key=lambda found: found.face.box[0])
    assert len(by_place) == 2
    assert EMOTIONS.index(by_place[0].emotion) > EMOTIONS.index(by_place[1].emotion)


def test_no_face_is_a_normal_answer(predictor: Predictor) -> None:
    result = predictor.predict(skimage_picture("coffee"))
    assert result.faces == ()
    assert "no face was found" in result.message
    assert "detect=False" in result.message
    assert result.to_dict("coffee.png")["faces"] == []


def test_a_48x48_picture_is_classified_as_it_is(predictor: Predictor) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
    result = predictor.predict(pixels)
    assert (result.faces[0].face.crop == pixels).all()
    assert "48x48" in result.message


def test_without_a_search_the_centre_square_is_the_face(predictor: Predictor) -> None:
    result = predictor.predict(Image.new("RGB", (300, 100), "white"), detect=False)
    assert result.faces[0].face.box == (100, 0, 100, 100)
    assert result.faces[0].emotion == EMOTIONS[-1]
    assert "centre square" in result.message
    square = predictor.predict(Image.new("RGB", (100, 100)), detect=False)
    assert "whole picture" in square.message


def test_an_animation_says_which_frame(predictor: Predictor) -> None:
    file = io.BytesIO()
    astronaut().save(file, "GIF", save_all=True, append_images=[Image.new("RGB", (512, 512))])
    result = predictor.predict(file.getvalue())
    assert len(result.faces) == 1
    assert result.message == "found 1 face. the file has several frames, the first was used"


def test_what_cannot_be_read_raises(predictor: Predictor) -> None:
    with pytest.raises(ImageError):
        predictor.predict(b"not a picture")


def test_several_threads_get_the_same_answers() -> None:
    predictor, answers = Predictor(Brightness()), []
    threads = [threading.Thread(target=lambda: answers.append(predictor.predict(astronaut()))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({json.dumps(result.to_dict("a")) for result in answers}) == 1
    assert len(answers) == 4
