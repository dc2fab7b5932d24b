"""`scripts.predict`: the JSON that outsiders rely on, one sentence for a bad file, the others answered all the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_core.data.drawn import draw_face
from fer_core.labels import EMOTIONS
from scripts import predict
from tests.fer_core.inference.pictures import astronaut, skimage_picture
from tests.scripts.conftest import Command, Outcome

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def command(run_here: Command, tiny_checkpoint: Path) -> Command:
    """Runs the command on the tiny checkpoint."""
    return lambda *words: run_here(predict.main, *words, "--checkpoint", tiny_checkpoint)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a portrait, a faceless picture, a 48x48 face in its own folder, a text file and hidden junk."""
    folder = tmp_path_factory.mktemp("pictures")
    astronaut().save(folder / "a portrait.jpg")
    skimage_picture("coffee").save(folder / "coffee.PNG")
    (folder / "sub").mkdir()
    Image.fromarray(draw_face("happy", rng=np.random.default_rng(2))).save(folder / "sub" / "face.png")
    (folder / "notes.txt").write_text("not a picture, and not named like one")
    (folder / ".hidden").mkdir()
    astronaut().save(folder / ".hidden" / "secret.png")
    return folder


@pytest.fixture
def text_file(tmp_path: Path) -> Path:
    path = tmp_path / "text.png"
    path.write_text("not a picture")
    return path


def errors(done: Outcome) -> list[str]:
    """The error lines, without what a progress bar wrote around them."""
    return [line for part in done.err.split("\n") for line in part.split("\r") if line.startswith("error: ")]


def test_a_list_with_one_entry_a_picture_in_order(command: Command, pictures: Path) -> None:
    names = [str(pictures / name) for name in ("coffee.PNG", "a portrait.jpg", "sub/face.png")]
    done = command(*names, "--json")
    assert done.status == 0
    assert [entry["image"] for entry in done.json] == names
    assert [len(entry["faces"]) for entry in done.json] == [0, 1, 1]
    assert [(entry["width"], entry["height"]) for entry in done.json] == [(600, 400), (512, 512), (48, 48)]
    for entry in done.json:
        for face in entry["faces"]:
            assert tuple(face["probabilities"]) == EMOTIONS
            assert face["confidence"] == face["probabilities"][face["emotion"]]
    assert "no face was found" in done.json[0]["message"]


def test_one_picture_is_a_list_too_and_stderr_stays_empty(command: Command, pictures: Path) -> None:
    done = command(pictures / "a portrait.jpg", "--json")
    assert len(done.json) == 1
    assert done.err == ""


def test_the_answer_is_the_classifiers_own(command: Command, pictures: Path, tiny_checkpoint: Path) -> None:
    from fer_core.classifiers import load_classifier

    path = pictures / "sub" / "face.png"
    row = load_classifier(tiny_checkpoint).predict_proba(np.asarray(Image.open(path))[None])[0]
    (face,) = command(path, "--json").json[0]["faces"]
    assert list(face["probabilities"].values()) == pytest.approx(row.tolist(), abs=1e-6)
    assert face["box"] == [0, 0, 48, 48]


def test_a_folder_stands_for_the_pictures_in_it(command: Command, pictures: Path) -> None:
    names = [Path(entry["image"]).name for entry in command(pictures, "--json").json]
    assert names == ["a portrait.jpg", "coffee.PNG", "face.png"]


def test_without_a_search(command: Command, pictures: Path) -> None:
    (entry,) = command(pictures / "coffee.PNG", "--no-detect", "--json").json
    assert [face["box"] for face in entry["faces"]] == [[100, 0, 400, 400]]


def test_small_faces_on_request(command: Command, tmp_path: Path) -> None:
    photo = astronaut().resize((1800, 1800))
    photo.paste(astronaut().crop((140, 10, 310, 180)).resize((50, 50)), (40, 1600))
    photo.save(tmp_path / "two.png")
    (alone,), (both,) = (command(tmp_path / "two.png", *more, "--json").json for more in ((), ("--small-faces",)))
    assert [len(alone["faces"]), len(both["faces"])] == [1, 2]
    assert both["faces"][0] == alone["faces"][0]


def test_bad_files_do_not_stop_the_others(command: Command, pictures: Path, text_file: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    gone = tmp_path / "gone.jpg"
    done = command(text_file, pictures / "a portrait.jpg", gone, tmp_path / "empty", "--json")
    assert done.status == 2
    assert [len(entry["faces"]) for entry in done.json] == [0, 1, 0, 0]
    bad = [entry for entry in done.json if entry["width"] is None]
    assert len(bad) == 3
    assert errors(done) == [f"error: {entry['message']}" for entry in bad]
    for entry, part in zip(bad, ("not a picture", "no picture", "holds no picture"), strict=True):
        assert part in entry["message"]


def test_one_bad_file_is_one_line(command: Command, text_file: Path) -> None:
    for options in ((), ("--json",)):
        done = command(text_file, *options)
        assert done.status == 2
        assert len(done.err.strip().splitlines()) == 1
        assert "text.png" in done.err


def test_for_people(command: Command, pictures: Path) -> None:
    done = command(pictures)
    assert done.status == 0
    assert "face 1" in done.out
    assert "--no-detect" in done.out
    assert "detect=False" not in done.out
    assert all(emotion in done.out for emotion in EMOTIONS)
    assert "█" in done.out or "#" in done.out


def test_a_checkpoint_that_is_not_there(run_here: Command, pictures: Path) -> None:
    done = run_here(predict.main, pictures, "--checkpoint", "vgg_sr")
    assert done.status == 2
    assert "vgg_sr" in done.err


def test_names_in_any_bytes(pictures: Path, tmp_path: Path, tiny_checkpoint: Path) -> None:
    name = os.fsencode(tmp_path) + b"/f\xff\xc3\xa9ce.png"
    Path(os.fsdecode(name)).write_bytes((pictures / "sub" / "face.png").read_bytes())
    command = [sys.executable, "-m", "scripts.predict", name, "--checkpoint", str(tiny_checkpoint)]
    for options in (["--json"], []):
        done = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr
        assert "f�éce.png" in done.stdout.decode("utf-8")
