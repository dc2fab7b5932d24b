"""Shows what in a face speaks for an emotion: `python -m scripts.explain photo.jpg --method grad_cam --out why.png`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fer_core.errors import ConfigError, FerError, ImageError
from fer_core.explain import DEFAULT_METHOD, EXPLAINERS, Control
from fer_core.explain.controls import describe
from scripts._cli import JsonOption, SmallFacesOption, emit, run

if TYPE_CHECKING:
    from fer_core.explain import Explanation
    from fer_core.inference.predictor import FacePrediction, PhotoResult


def main(
    image: Annotated[Path | None, typer.Argument(help="A photo, or a 48x48 face.", show_default=False)] = None,
    method: Annotated[str, typer.Option(help="How to explain; --list shows the methods.")] = DEFAULT_METHOD,
    target: Annotated[
        str | None, typer.Option(help="The emotion to explain; the one that the model names unless given.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The picture to write (PNG, JPEG or WebP by its ending).")] = None,
    checkpoint: Annotated[str | None, typer.Option(help="A name under checkpoints/ or a folder.")] = None,
    face: Annotated[int, typer.Option(min=1, help="Which face of the photo, from 1, the largest first.")] = 1,
    no_detect: Annotated[bool, typer.Option("--no-detect", help="Take the whole picture for the face.")] = False,
    small_faces: SmallFacesOption = False,
    opacity: Annotated[float, typer.Option(help="Of the heat, from 0 (plain face) to 1.")] = 0.65,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A control of the method; may be repeated.")
    ] = None,
    panel: Annotated[
        str, typer.Option(help="What to write: sheet (photo, face and heat side by side), face or photo.")
    ] = "sheet",
    show: Annotated[
        bool,
        typer.Option(
            "--list", help="List the methods with their controls, and stop; with --checkpoint those that suit it."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Explain what the model says of one face of a picture, and write the explanation as a picture."""
    if show:
        methods = listed_methods(checkpoint)
        emit([describe_method(name, controls) for name, controls in methods.items()], as_json, method_lines(methods))
        return
    if image is None or out is None:
        raise ConfigError("name a picture and where to write: python -m scripts.explain photo.jpg --out why.png")
    controls = EXPLAINERS[method].options(**parse_settings(settings or []))  # complain before the model loads
    check_output(out, panel, opacity)
    result, prediction, explanation = explain_photo(
        image, checkpoint, method, target, controls, face, not no_detect, small_faces
    )
    write_picture(result, prediction, explanation, out, panel, opacity, checkpoint_name(checkpoint))
    document = {"image": str(image), "out": str(out), **explanation.to_dict(), **face_keys(prediction, face)}
    document |= {"checkpoint": checkpoint_name(checkpoint), "controls": controls, "panel": panel}
    emit(document, as_json, report_lines(document))


PANELS = ("sheet", "face", "photo")
ENDINGS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}


def parse_settings(texts: list[str]) -> dict[str, str]:
    """`["n_steps=20"]` -> `{"n_steps": "20"}`."""
    pairs = [text.partition("=") for text in texts]
    for name, sign, _ in pairs:
        if not name or not sign:
            raise ConfigError(f"--set takes NAME=VALUE, not {name + sign!r}; --list shows the controls of each method")
    return {name.strip(): value.strip() for name, _, value in pairs}


def check_output(out: Path, panel: str, opacity: float) -> None:
    """Raises ConfigError where the picture could not be written, before any work is done."""
    from fer_core.explain.overlay import check_opacity

    check_opacity(opacity)
    if panel not in PANELS:
        raise ConfigError(f"--panel must be one of {', '.join(PANELS)}, not {panel!r}")
    if out.suffix.lower() not in ENDINGS:
        raise ConfigError(f"--out must end in {', '.join(ENDINGS)}, not {out.name!r}")
    if out.is_dir():
        raise ConfigError(f"--out {out} is a folder; name a file in it")


def checkpoint_name(checkpoint: str | None) -> str:
    """The checkpoint that is used."""
    from fer_core.artifacts import DEFAULT_CHECKPOINT

    return checkpoint or DEFAULT_CHECKPOINT


def explain_photo(
    image: Path,
    checkpoint: str | None,
    method: str,
    target: str | None,
    controls: dict[str, Any],
    number: int,
    detect: bool,
    small_faces: bool,
) -> tuple[PhotoResult, FacePrediction, Explanation]:
    """Reads, finds, classifies and explains."""
    from fer_core.classifiers import load_classifier
    from fer_core.explain import explain_face
    from fer_core.explain.face import check_target
    from fer_core.inference import FaceDetector, Predictor

    classifier = load_classifier(checkpoint_name(checkpoint))
    check_target(target, classifier.labels)
    detector = FaceDetector(small_faces=small_faces)
    result = Predictor(classifier, detector).predict(image, detect=detect)
    prediction = choose_face(result, number, image)
    explanation = explain_face(
        classifier, prediction.face.crop, method=method, target=target, faithfulness=True, **controls
    )
    return result, prediction, explanation


def choose_face(result: PhotoResult, number: int, image: Path) -> FacePrediction:
    """The face of that number, from 1."""
    if not result.faces:
        raise ImageError(f"{image}: no face was found; if the whole picture is one face, add --no-detect")
    if number > len(result.faces):
        raise ConfigError(f"--face must be from 1 to {len(result.faces)} (the faces in {image}), not {number}")
    return result.faces[number - 1]


def write_picture(
    result: PhotoResult,
    prediction: FacePrediction,
    explanation: Explanation,
    out: Path,
    panel: str,
    opacity: float,
    checkpoint: str,
) -> None:
    """Writes the chosen picture in one step: the old file or the whole new one."""
    from fer_core.explain.overlay import overlay_face, overlay_photo
    from fer_core.explain.sheet import explanation_sheet
    from fer_core.files import replacing

    heat, face = explanation.heatmap, prediction.face
    if panel == "face":
        picture = overlay_face(face.crop, heat, opacity, signed=explanation.signed)
    elif panel == "photo":
        picture = overlay_photo(result.image, face, heat, opacity, signed=explanation.signed)
    else:
        photo = result.image if face.landmarks is not None else None
        model = Path(checkpoint).name or checkpoint
        picture = explanation_sheet(explanation, face.crop, photo=photo, face=face, opacity=opacity, model=model)
    try:
        with replacing(out) as temporary:
            picture.save(temporary, format=ENDINGS[out.suffix.lower()])
    except OSError as error:
        raise FerError(f"cannot write {out}: {error.strerror or error}") from error


def face_keys(prediction: FacePrediction, number: int) -> dict[str, Any]:
    """Where the face is."""
    return {"face": number, "box": [float(v) for v in prediction.face.box], "detection_score": prediction.face.score}


def report_lines(document: dict[str, Any]) -> Iterator[str]:
    """The outcome for people."""
    from fer_core.explain.face import range_text

    areas = document["faithfulness"]
    yield f"the model says {document['emotion']} ({100 * document['confidence']:.0f} %)"
    if EXPLAINERS[document["method"]].targeted:
        work = f"explains {document['target']} ({100 * document['target_probability']:.0f} %)"
    else:
        work = "shows where the network attends"
    yield f"{document['method']} {work} in {1000 * document['seconds']:.0f} ms"
    yield f"deletion {areas['deletion']:.3f} (lower is more faithful), insertion {areas['insertion']:.3f} (higher is)"
    if document["message"]:
        yield document["message"]
    elif span := range_text(document["numbers"]):
        yield f"the heat's contrast stands for {span}"
    yield f"wrote {document['out']}"
    if document["pictures"] and document["panel"] != "sheet":
        yield f"--panel sheet also shows: {', '.join(document['pictures'])}"


def listed_methods(checkpoint: str | None) -> dict[str, tuple[Control, ...]]:
    """All methods with their controls, or those that suit the checkpoint, with the ranges that it has."""
    if checkpoint is None:
        return {name: explainer.controls for name, explainer in EXPLAINERS.items()}
    from fer_core.classifiers import load_classifier
    from fer_core.explain import controls_for, methods_for

    model = load_classifier(checkpoint).torch_model()
    return {name: controls_for(name, model) for name in methods_for(model)}


def describe_method(name: str, controls: tuple[Control, ...]) -> dict[str, Any]:
    """A method as plain data."""
    explainer = EXPLAINERS[name]
    keys = ("name", "title", "description", "paper", "signed", "targeted")
    return {key: getattr(explainer, key) for key in keys} | {"controls": [describe(c) for c in controls]}


def method_lines(methods: dict[str, tuple[Control, ...]]) -> Iterator[str]:
    """The methods for people."""
    for name, controls in methods.items():
        yield f"{name}: {EXPLAINERS[name].description}"
        for control in controls:
            yield f"    {control.name}={control.default}  {control.range_text}. {control.help}"


if __name__ == "__main__":
    run(main)
