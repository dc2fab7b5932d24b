"""What the demo does, as plain functions: a picture in, values out. They know nothing of Gradio."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image

from fer_core.artifacts import Card
from fer_core.errors import ImageError, UnknownNameError
from webapp.demo.models import Models

if TYPE_CHECKING:
    from fer_core.explain import Explanation
    from fer_core.inference.faces import Face
    from fer_core.inference.image import ImageSource
    from fer_core.inference.predictor import FacePrediction, PhotoResult

SHOWN_SIDE: Final = 1280
"""Longest side in pixels of the copy that is kept for showing; the photo itself is dropped after detection."""

PREDICTED: Final = "predicted"
"""The target that stands for whichever emotion the model names."""

NO_PHOTO: Final = "Please choose a photo first: drop one into the box, paste it, or take one with the camera."
FORGOTTEN: Final = "This photo has been forgotten on the server, as promised. Please add it once more."


@dataclass(frozen=True)
class Visit:
    """One visitor's photo while it is looked at; lives in memory only.

    Attributes:
        result: boxes in pixels of the photo as sent; `result.image` is a smaller copy for showing.
        checkpoint: the model that judged it.
        whole: whether the whole picture was taken as the face.
        chosen: index of the face that is shown in detail.
        explanations: what has been computed already, by face, method, target and controls.
    """

    result: PhotoResult
    checkpoint: str
    whole: bool = False
    chosen: int = 0
    explanations: dict[tuple[Any, ...], Explanation] = field(default_factory=dict, repr=False)

    @property
    def faces(self) -> tuple[FacePrediction, ...]:
        """The faces in the order of the answer."""
        return self.result.faces

    @property
    def face(self) -> FacePrediction:
        """The chosen face; raises ImageError where there is none."""
        if not self.faces:
            raise ImageError(self.result.message or "There is no face to look at.")
        return self.faces[self.chosen]

    @property
    def scale(self) -> float:
        """Pixels of the shown copy per pixel of the photo."""
        return self.result.image.width / self.result.width


def classify(models: Models, checkpoint: str, photo: ImageSource | None, *, detect: bool = True) -> Visit:
    """Finds and judges every face of a photo.

    Args:
        photo: file, bytes, picture or array; None where nothing was chosen.
        detect: False takes the whole picture as one face.

    Raises:
        ImageError: there is no photo, or it cannot be read; the message is for the visitor.
    """
    if photo is None:
        raise ImageError(NO_PHOTO)
    result = models.predict(checkpoint, _named(photo), detect=detect)
    return Visit(replace(result, image=_shrink(result.image)), checkpoint, whole=not detect)


def classify_whole(models: Models, visit: Visit | None) -> Visit:
    """The same photo again, taken as one face from edge to edge."""
    visit = _required(visit)
    again = models.predict(visit.checkpoint, visit.result.image, detect=False)
    faces = tuple(replace(one, face=_scaled(one.face, 1 / visit.scale)) for one in again.faces)
    return Visit(replace(visit.result, faces=faces, message=again.message), visit.checkpoint, whole=True)


def switch_model(models: Models, visit: Visit, checkpoint: str) -> Visit:
    """The same faces, judged by another checkpoint."""
    faces = models.classify(checkpoint, [one.face for one in visit.faces])
    return Visit(replace(visit.result, faces=faces), checkpoint, visit.whole, visit.chosen)


def choose(visit: Visit | None, index: int) -> Visit:
    """The same answer with another face in view; raises UnknownNameError for a face that is not there."""
    visit = _required(visit)
    if not 0 <= index < len(visit.faces):
        raise UnknownNameError(f"there is no face {index + 1}; the photo has {len(visit.faces)}")
    return replace(visit, chosen=index)


def explain(
    models: Models, visit: Visit | None, method: str, target: str = PREDICTED, controls: Mapping[str, Any] | None = None
) -> Explanation:
    """Why the model names an emotion for the chosen face; answers from memory where nothing changed."""
    visit = _required(visit)
    options = dict(controls or {})
    key = (visit.chosen, method, target, *sorted(options.items()))
    if key not in visit.explanations:
        visit.explanations[key] = models.explain(
            visit.checkpoint,
            visit.face.face.crop,
            method=method,
            target=None if target == PREDICTED else target,
            **options,
        )
    return visit.explanations[key]


def overlays(visit: Visit, explanation: Explanation, opacity: float) -> tuple[Image.Image, Image.Image | None]:
    """The heatmap on the face, and on the photo; None for the latter where the face is the whole picture.

    Args:
        opacity: 0 shows the picture only, 1 the heatmap only.
    """
    from fer_core.explain.overlay import overlay_face, overlay_photo

    face = visit.face.face
    on_face = overlay_face(face.crop, explanation.heatmap, opacity, signed=explanation.signed)
    if is_whole(visit):
        return on_face, None
    shown = _scaled(face, visit.scale)
    return on_face, overlay_photo(visit.result.image, shown, explanation.heatmap, opacity, signed=explanation.signed)


def sheet(visit: Visit, explanation: Explanation, opacity: float) -> Image.Image:
    """All that a presenter needs on one picture: photo, what the model saw, heat, its meaning, method and model."""
    from fer_core.explain.sheet import explanation_sheet

    face = visit.face.face
    photo = None if is_whole(visit) else visit.result.image
    shown, model = _scaled(face, visit.scale), visit.checkpoint
    return explanation_sheet(explanation, face.crop, photo=photo, face=shown, opacity=opacity, model=model)


def is_whole(visit: Visit) -> bool:
    """Whether the one face is the picture from edge to edge."""
    if len(visit.faces) != 1:
        return False
    _, _, width, height = visit.face.face.box
    return round(width) >= visit.result.width and round(height) >= visit.result.height


def as_document(visit: Visit) -> dict[str, Any]:
    """The answer as `scripts.predict --json` gives it, with the model's name."""
    return {**visit.result.to_dict("photo"), "checkpoint": visit.checkpoint}


def reliability(card: Card, emotion: str, split: str = "PrivateTest") -> str:
    """How far to trust this checkpoint when it names this emotion, in a sentence; "" where it was not measured."""
    scores = card.metrics.get(split, {}).get("per_class", {}).get(emotion)
    if not scores:
        return ""
    precision, recall = f"{scores['precision']:.0%}", f"{scores['recall']:.0%}"
    return (
        f"When this model says {emotion}, it is right {precision} of the time on {split} (precision), "
        f"and it finds {recall} of the {emotion} faces there (recall; {scores['support']:,} faces)."
    )


def _named(photo: ImageSource) -> ImageSource:
    """Bytes as a file with a name, for messages that begin with "this file" rather than "the picture"."""
    if not isinstance(photo, bytes):
        return photo
    file = io.BytesIO(photo)
    file.name = "this file"
    return file


def _required(visit: Visit | None) -> Visit:
    if visit is None:
        raise ImageError(FORGOTTEN)
    return visit


def _shrink(image: Image.Image) -> Image.Image:
    """At most SHOWN_SIDE pixels a side, made without a second picture of the first one's size."""
    scale = SHOWN_SIDE / max(image.size)
    if scale >= 1:
        return image.copy()
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)


def _scaled(face: Face, scale: float) -> Face:
    """The face in a photo whose sides are `scale` times as long."""
    x, y, width, height = (float(side) * scale for side in face.box)
    to_crop = np.array(face.to_crop, np.float64)
    to_crop[:, :2] /= scale
    landmarks = None if face.landmarks is None else np.asarray(face.landmarks) * np.float32(scale)
    return replace(face, box=(x, y, width, height), landmarks=landmarks, to_crop=to_crop)
