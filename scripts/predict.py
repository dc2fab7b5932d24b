"""Photos to faces to emotions: `python -m scripts.predict photo.jpg --json`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fer_core.artifacts import DEFAULT_CHECKPOINT
from fer_core.errors import ImageError
from scripts._cli import BAD_INPUT, JsonOption, SmallFacesOption, emit, run

if TYPE_CHECKING:
    from fer_core.inference.predictor import Predictor

BAR_LENGTH = 24


def main(
    images: Annotated[
        list[Path],
        typer.Argument(metavar="IMAGE...", help="Photos, 48x48 faces, or folders of them.", show_default=False),
    ],
    checkpoint: Annotated[
        str, typer.Option(help="A name under checkpoints/, or a checkpoint's folder.")
    ] = DEFAULT_CHECKPOINT,
    no_detect: Annotated[
        bool, typer.Option("--no-detect", help="Take each picture's centre square for the face, without a search.")
    ] = False,
    small_faces: SmallFacesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Find the faces of each picture, the largest first, and name their emotions.

    A picture that cannot be read gets a line on stderr and an entry without faces; the others are answered all the
    same, and the exit status is 2.
    """
    from fer_core.classifiers import load_classifier
    from fer_core.inference import FaceDetector, Predictor

    pictures = expand(images)
    predictor = Predictor(load_classifier(checkpoint), FaceDetector(small_faces=small_faces))
    answers = list(answer(predictor, pictures, detect=not no_detect))
    emit(answers, as_json, lines(answers))
    if any(entry["width"] is None for entry in answers):
        raise SystemExit(BAD_INPUT)


def expand(paths: list[Path]) -> list[Path]:
    """The pictures named, each folder replaced by the pictures anywhere in it (hidden ones left out), by name.

    A folder without pictures stays in the list, where reading it says what is wrong.
    """
    return [picture for path in paths for picture in (_pictures_in(path) or [path])]


def _pictures_in(path: Path) -> list[Path]:
    from fer_core.inference.image import SUFFIXES

    if not path.is_dir():
        return []
    files = (file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
    return sorted(file for file in files if not any(part.startswith(".") for part in file.relative_to(path).parts))


def answer(predictor: Predictor, pictures: list[Path], *, detect: bool) -> Iterator[dict[str, Any]]:
    """One entry a picture, in order; where it cannot be read, `width` and `height` are None and `message` says why."""
    from tqdm import tqdm

    with tqdm(pictures, unit="picture", delay=0.5, leave=False, disable=len(pictures) < 2) as bar:
        for picture in bar:
            name = os.fsencode(picture).decode("utf-8", "replace")
            try:
                yield predictor.predict(picture, detect=detect).to_dict(name)
            except ImageError as error:
                reason = _without_pictures(picture) if picture.is_dir() else str(error)
                bar.write(f"error: {_one_line(reason)}", file=sys.stderr)
                yield {"image": name, "width": None, "height": None, "faces": [], "message": _one_line(reason)}


def _without_pictures(folder: Path) -> str:
    return f"the folder {folder} holds no picture; name a picture, or a folder that holds some"


def _one_line(text: str) -> str:
    return " ".join(text.encode("utf-8", "replace").decode("utf-8").split())


def lines(answers: list[dict[str, Any]]) -> Iterator[str]:
    """The answers for people."""
    for entry in answers:
        if entry["width"] is None:
            yield f"{entry['image']}: not read"
            continue
        advice = entry["message"].replace("detect=False", "--no-detect")
        yield f"{entry['image']} ({entry['width']}x{entry['height']}): {advice}"
        for number, face in enumerate(entry["faces"], start=1):
            yield from _face_lines(number, face)


def _face_lines(number: int, face: dict[str, Any]) -> Iterator[str]:
    x, y, width, height = (round(value) for value in face["box"])
    yield f"  face {number}, {width}x{height} at ({x}, {y}): {face['emotion']} {face['confidence']:.0%}"
    for emotion, probability in face["probabilities"].items():
        yield f"    {emotion:9}{_bar(probability):{BAR_LENGTH}} {probability:6.1%}"


def _bar(share: float) -> str:
    block = "█" if (sys.stdout.encoding or "").lower().startswith("utf") else "#"
    return block * round(share * BAR_LENGTH)


if __name__ == "__main__":
    run(main)
