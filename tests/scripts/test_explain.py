"""`scripts.explain`: the JSON that outsiders rely on, the picture, and one sentence for every mistake."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_core.data.drawn import draw_face
from fer_core.explain import EXPLAINERS
from fer_core.explain import face as face_module
from fer_core.labels import EMOTIONS
from scripts import explain
from tests.fer_core.explain.conftest import ON_VGG_SE
from tests.scripts.conftest import Command

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def command(run_here: Command, tiny_checkpoint: Path) -> Command:
    """Runs the command on the tiny checkpoint."""
    return lambda *words: run_here(explain.main, *words, "--checkpoint", tiny_checkpoint)


@pytest.fixture(scope="module")
def face_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("faces") / "face.png"
    Image.fromarray(draw_face("happy", rng=np.random.default_rng(2))).save(path)
    return path


@pytest.fixture(scope="module")
def astronaut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from skimage.data import astronaut as picture

    path = tmp_path_factory.mktemp("photos") / "astronaut.jpg"
    Image.fromarray(picture()).save(path)
    return path


def test_json_of_a_photo(command: Command, astronaut: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "why.png"
    done = command(astronaut, "--method", "grad_cam", "--target", "fear", "--out", out, "--json")
    assert done.status == 0, done.err
    document = json.loads(done.out)
    assert document["method"] == "grad_cam"
    assert document["target"] == "fear"
    assert document["emotion"] in EMOTIONS
    assert set(document["faithfulness"]) == {"deletion", "insertion"}
    assert document["seconds"] > 0
    x, y, width, height = document["box"]
    assert 150 < x + width / 2 < 280
    assert 60 < y + height / 2 < 180
    with Image.open(out) as picture:
        assert picture.format == "PNG"
        assert picture.width > picture.height
    assert [path.name for path in out.parent.iterdir()] == ["why.png"]


@pytest.mark.parametrize("method", ON_VGG_SE)
def test_every_method(method: str, command: Command, face_file: Path, tmp_path: Path) -> None:
    done = command(face_file, "--method", method, "--out", tmp_path / "why.png", "--json")
    assert done.status == 0, done.err
    document = json.loads(done.out)
    assert document["target"] == document["emotion"]
    assert (tmp_path / "why.png").is_file()


@pytest.mark.parametrize(("panel", "size"), [("face", (336, 336)), ("photo", (512, 512))])
def test_panels(panel: str, size: tuple[int, int], command: Command, astronaut: Path, tmp_path: Path) -> None:
    done = command(astronaut, "--method", "saliency", "--panel", panel, "--out", tmp_path / "why.jpg")
    assert done.status == 0, done.err
    assert "the model says" in done.out
    with Image.open(tmp_path / "why.jpg") as picture:
        assert picture.size == size
        assert picture.format == "JPEG"


def test_controls_reach_the_method(command: Command, face_file: Path, tmp_path: Path) -> None:
    pictures = []
    for window in (6, 16):
        out = tmp_path / f"{window}.png"
        done = command(
            face_file, "--method", "occlusion", "--set", f"window={window}", "--set", "stride=6", "--out", out, "--json"
        )
        assert done.status == 0, done.err
        assert json.loads(done.out)["controls"] == {"window": window, "stride": 6, "baseline": "grey"}
        pictures.append(out.read_bytes())
    assert pictures[0] != pictures[1]


def test_no_face_offers_the_whole_picture(command: Command, tmp_path: Path) -> None:
    empty = tmp_path / "wall.png"
    Image.new("RGB", (320, 240), (120, 130, 140)).save(empty)
    done = command(empty, "--out", tmp_path / "why.png")
    assert done.status == 2
    assert "--no-detect" in done.err
    assert not (tmp_path / "why.png").exists()
    assert command(empty, "--no-detect", "--out", tmp_path / "why.png").status == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--method", "gradcam"), "closest: 'grad_cam'"),
        (("--target", "joy"), "the model knows no emotion 'joy'"),
        (("--set", "steps=3", "--method", "integrated_gradients"), "it has: n_steps, baseline"),
        (("--set", "n_steps=3", "--method", "integrated_gradients"), "from 10 to 300"),
        (("--set", "n_steps", "--method", "integrated_gradients"), "NAME=VALUE"),
        (("--opacity", "2"), "opacity must be from 0"),
        (("--panel", "poster"), "sheet, face, photo"),
        (("--face", "3"), "--face must be from 1 to 1"),
    ],
)
def test_mistakes_are_one_sentence(
    arguments: tuple[str, ...], words: str, command: Command, face_file: Path, tmp_path: Path
) -> None:
    done = command(face_file, "--out", tmp_path / "why.png", *arguments)
    assert done.status == 2
    assert words in done.err
    assert done.out == ""
    assert len(done.err.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_output_that_cannot_be(command: Command, face_file: Path, tmp_path: Path) -> None:
    assert "must end in .png" in command(face_file, "--out", tmp_path / "why.gif").err
    (tmp_path / "a.png").mkdir()
    assert "is a folder" in command(face_file, "--out", tmp_path / "a.png").err
    (tmp_path / "file").write_text("")
    blocked = command(face_file, "--out", tmp_path / "file" / "why.png")
    assert blocked.status == 2
    assert "cannot write" in blocked.err


def test_missing_and_broken_pictures(command: Command, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("not a picture")
    for name in ("gone.png", "text.png"):
        done = command(tmp_path / name, "--out", tmp_path / "why.png")
        assert done.status == 2
        assert name in done.err
        assert len(done.err.strip().splitlines()) == 1
    assert "name a picture" in command().err


def test_an_old_picture_survives_a_failure(command: Command, face_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "why.png"
    out.write_bytes(b"old")
    assert command(face_file, "--target", "joy", "--out", out).status == 2
    assert out.read_bytes() == b"old"


def test_list(command: Command) -> None:
    plain, document = command("--list"), json.loads(command("--list", "--json").out)
    assert [entry["name"] for entry in document] == ON_VGG_SE  # what suits the checkpoint
    steps = next(entry for entry in document if entry["name"] == "integrated_gradients")["controls"][0]
    assert (steps["name"], steps["minimum"], steps["maximum"], steps["default"]) == ("n_steps", 10, 300, 50)
    assert all(name in plain.out for name in ON_VGG_SE)
    gates = next(entry for entry in document if entry["name"] == "channel_attention")
    assert not gates["targeted"]
    assert gates["controls"][0]["maximum"] == 4  # the layers that this model has


def test_attention_says_what_it_shows(command: Command, face_file: Path, tmp_path: Path) -> None:
    done = command(face_file, "--method", "channel_attention", "--set", "layer=1", "--out", tmp_path / "why.png")
    assert done.status == 0, done.err
    assert "channel_attention shows where the network attends" in done.out
    assert "also shows" not in done.out  # the sheet shows it
    face = ("--panel", "face", "--out", tmp_path / "face.png")
    assert "--panel sheet also shows: gates of" in command(face_file, "--method", "channel_attention", *face).out
    document = json.loads(command(face_file, "--method", "channel_attention", *face, "--json").out)
    assert document["numbers"]["layer"] == 4
    assert all(0 <= gate <= 1 for gate in document["numbers"]["gates"])
    deeper = command(face_file, "--method", "channel_attention", "--set", "layer=9", "--out", tmp_path / "why.png")
    assert "layer must be from 0 to 4 for this model, not 9" in deeper.err
    other = command(face_file, "--method", "vit_heads", "--out", tmp_path / "why.png")
    assert other.status == 2
    assert "this model has none" in other.err


def test_no_heat_is_told(command: Command, face_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(face_module, "attribute", lambda *_, **__: np.zeros((48, 48), np.float32))
    words = "Nothing on this face speaks for disgust by this method."
    done = command(face_file, "--target", "disgust", "--out", tmp_path / "why.png")
    assert words in done.out
    assert command(face_file, "--target", "disgust", "--out", tmp_path / "why.png", "--json").json["message"] == words


def test_as_people_run_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.explain", "--list", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)) == len(EXPLAINERS)
    assert done.stderr == ""
