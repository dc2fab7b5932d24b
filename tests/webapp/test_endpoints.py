"""`/classify` and `/explain`, called as other programs call them."""

from __future__ import annotations

import contextlib
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from fer_core.labels import EMOTIONS
from tests.webapp.serving import Served
from webapp.demo.examples import EXAMPLES
from webapp.demo.uploads import GRACE

FILE_DATA = {"meta": {"_type": "gradio.FileData"}}
"""What marks a path in a message as a file."""


@contextlib.contextmanager
def calling(served: Served, answers: Path) -> Iterator[Client]:
    """A program that calls the demo, in a session of its own; what it fetches goes to `answers`."""
    client = Client(f"{served.url}/demo/", verbose=False, download_files=answers, analytics_enabled=False)
    try:
        yield client
    finally:
        client.close()


@pytest.fixture(scope="module")
def client(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A calling program."""
    with calling(served, tmp_path_factory.mktemp("answers")) as client:
        yield client


@pytest.fixture
def astronaut(tmp_path: Path) -> Path:
    path = tmp_path / "astronaut.png"
    Image.fromarray(EXAMPLES[0].picture).save(path)
    return path


def test_classify_answers_as_the_command_does(client: Client, astronaut: Path) -> None:
    answer = client.predict(handle_file(astronaut), api_name="/classify")
    assert (answer["width"], answer["height"]) == (512, 512)
    (face,) = answer["faces"]
    assert tuple(face["probabilities"]) == EMOTIONS
    assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert face["emotion"] == max(face["probabilities"], key=face["probabilities"].__getitem__)
    x, y, width, height = face["box"]
    assert 150 < x + width / 2 < 300
    assert 50 < y + height / 2 < 200


def test_a_picture_without_a_face_is_a_normal_answer(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "wall.png"
    Image.new("RGB", (300, 200), "white").save(path)
    answer = client.predict(handle_file(path), api_name="/classify")
    assert answer["faces"] == []
    assert "no face" in answer["message"]


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n cut off"])
def test_a_broken_file_is_told_in_a_sentence(client: Client, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(content)
    with pytest.raises(AppError, match="this file"):
        client.predict(handle_file(path), api_name="/classify")


def test_no_picture_at_all(client: Client) -> None:
    with pytest.raises(AppError, match="choose a photo"):
        client.predict(None, api_name="/classify")


def test_nothing_is_fetched_for_a_caller(client: Client, served: Served) -> None:
    picture = {"path": "http://127.0.0.1:9/face.png", "meta": {"_type": "gradio.FileData"}}
    with pytest.raises(AppError, match="fetches nothing"):
        client.predict(picture, api_name="/classify")


@pytest.mark.parametrize("meta", [FILE_DATA, {}], ids=["with_meta", "without"])
def test_no_file_of_this_machine_is_opened_for_a_caller(served: Served, tmp_path: Path, meta: dict[str, Any]) -> None:
    private = tmp_path / "private.png"
    Image.fromarray(EXAMPLES[0].picture).save(private)
    for function in range(4):
        for fields in ([{"path": str(private), **meta}], [{"path": str(private), **meta}, "vgg_se"]):
            request = urllib.request.Request(
                f"{served.url}/demo/gradio_api/run/predict",
                json.dumps({"data": fields, "fn_index": function, "session_hash": "stranger"}).encode(),
                {"content-type": "application/json"},
            )
            with contextlib.suppress(urllib.error.HTTPError), urllib.request.urlopen(request, timeout=60) as answer:
                assert "data:image" not in answer.read().decode()
    time.sleep(GRACE + 1)
    assert private.exists()


def test_explain_gives_an_overlay(client: Client, astronaut: Path) -> None:
    overlay = np.asarray(Image.open(client.predict(handle_file(astronaut), "grad_cam", "sad", api_name="/explain")))
    assert overlay.shape == (512, 512, 3)
    changed = (overlay != EXAMPLES[0].picture).any(axis=2)
    assert changed.any()
    assert not changed[300:].any()  # the suit is no part of the face


def test_explain_takes_the_predicted_emotion_unless_told(client: Client, astronaut: Path) -> None:
    emotion = client.predict(handle_file(astronaut), api_name="/classify")["faces"][0]["emotion"]
    pictures = [
        Path(client.predict(handle_file(astronaut), "saliency", target, api_name="/explain")).read_bytes()
        for target in ("", emotion)
    ]
    assert pictures[0] == pictures[1]


@pytest.mark.parametrize(("method", "target"), [("grad_camm", "sad"), ("grad_cam", "joyful")])
def test_unknown_names_are_told(client: Client, astronaut: Path, method: str, target: str) -> None:
    with pytest.raises(AppError, match=r"grad_cam|joyful"):
        client.predict(handle_file(astronaut), method, target, api_name="/explain")


def test_explain_takes_another_model(client: Client, astronaut: Path) -> None:
    method = "spatial_transformer"  # which the model to begin with does not have
    with pytest.raises(AppError, match="this model has none"):
        client.predict(handle_file(astronaut), method, "", api_name="/explain")
    overlay = client.predict(handle_file(astronaut), method, "", "deep_emotion", api_name="/explain")
    assert (np.asarray(Image.open(overlay)) != EXAMPLES[0].picture).any()
    with pytest.raises(AppError, match="no model 'deep_emotions' on this page"):
        client.predict(handle_file(astronaut), method, "", "deep_emotions", api_name="/explain")


@pytest.mark.parametrize("more", [[], ["mini_xception"]], ids=["as_before", "with_model"])
def test_explain_answers_a_plain_request(served: Served, client: Client, astronaut: Path, more: list[str]) -> None:
    """A program that knows three arguments goes on working without Gradio's client, which fills in the fourth."""
    form = b"--part\r\ncontent-disposition: form-data; name=files; filename=face.png\r\n\r\n"
    form += astronaut.read_bytes() + b"\r\n--part--\r\n"
    kind = {"content-type": "multipart/form-data; boundary=part"}
    (uploaded,) = _json(served, "gradio_api/upload", form, kind)
    data = [{"path": uploaded, **FILE_DATA}, "saliency", "sad", *more]
    sent = json.dumps({"data": data}).encode()
    event = _json(served, "gradio_api/call/explain", sent, {"content-type": "application/json"})["event_id"]
    with urllib.request.urlopen(f"{served.url}/demo/gradio_api/call/explain/{event}", timeout=120) as answer:
        told = answer.read().decode()
    assert "event: complete" in told
    assert ".png" in told


def _json(served: Served, path: str, body: bytes, headers: dict[str, str]) -> Any:
    request = urllib.request.Request(f"{served.url}/demo/{path}", body, headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def test_only_the_two_endpoints_are_public(client: Client) -> None:
    assert set(client.view_api(return_format="dict", print_info=False)["named_endpoints"]) == {"/classify", "/explain"}
    assert client.view_api(return_format="dict", print_info=False)["unnamed_endpoints"] == {}


def test_visitors_at_the_same_time_get_their_own_answers(client: Client, served: Served, tmp_path: Path) -> None:
    # a visitor a client: threads that share one race for its stream, which cancels calls now and then
    paths = []
    for index, example in enumerate(EXAMPLES[1:]):
        paths.append(tmp_path / f"{index}.png")
        Image.fromarray(example.picture).save(paths[-1])

    def ask(caller: Client, path: Path) -> dict[str, float]:
        return caller.predict(handle_file(path), api_name="/classify")["faces"][0]["probabilities"]

    def visit(path: Path) -> list[dict[str, float]]:
        with calling(served, tmp_path) as visitor:
            start.wait()
            return [ask(visitor, path) for _ in range(3)]

    alone = [ask(client, path) for path in paths]
    assert len({tuple(answer.values()) for answer in alone}) == len(alone)
    start = Barrier(len(paths), timeout=60)
    with ThreadPoolExecutor(len(paths)) as pool:
        together = list(pool.map(visit, paths))
    assert together == [[answer] * 3 for answer in alone]


def test_no_upload_outlives_its_use(client: Client, served: Served, astronaut: Path) -> None:
    client.predict(handle_file(astronaut), api_name="/classify")
    end = time.monotonic() + 30
    while (left := [path for path in served.uploads() if path.name == astronaut.name]) and time.monotonic() < end:
        time.sleep(0.1)
    assert left == []
