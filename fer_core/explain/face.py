"""Explaining what a classifier says of one face."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_core.errors import ConfigError, ImageError
from fer_core.explain.attribution import attribute, numbers_of, pictures_of, require
from fer_core.explain.bars import between
from fer_core.explain.base import EXPLAINERS
from fer_core.explain.faithfulness import measure

if TYPE_CHECKING:
    from fer_core.classifiers.base import CheckpointClassifier


@dataclass(frozen=True)
class Explanation:
    """Why one face got its answer.

    Attributes:
        method: name of the method.
        target: the emotion that is explained.
        emotion: the emotion that the classifier names.
        heatmap: float32 (48, 48), [-1, 1] where `signed`, else [0, 1].
        faithfulness: `{"deletion": .., "insertion": ..}` in [0, 1], or None where it was not asked for.
        seconds: time of the attribution, without loading and without the faithfulness.
        signed: whether negative heat speaks against the target.
        probabilities: of all emotions.
        pictures: what the method shows beside the heatmap, uint8 (h, w), by what it is.
        numbers: what it tells beside it, as data; see `Explainer.numbers`.
    """

    method: str
    target: str
    emotion: str
    heatmap: np.ndarray
    faithfulness: dict[str, float] | None
    seconds: float
    signed: bool
    probabilities: dict[str, float]
    pictures: dict[str, np.ndarray] = field(default_factory=dict, repr=False)
    numbers: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def targeted(self) -> bool:
        """Whether the heat is about the target, and not about the face whatever the answer."""
        return EXPLAINERS[self.method].targeted

    @property
    def range_text(self) -> str:
        """What the contrast of heat stands for (`gates 0.21 to 0.26`); "" where it shows no weights of the model."""
        return range_text(self.numbers)

    @property
    def message(self) -> str:
        """One sentence where the heatmap is zero everywhere; "" where there is heat."""
        if self.heatmap.any():
            return ""
        if not self.targeted:
            return "The network attends to all parts of this face alike."
        speaks = "speaks for or against" if self.signed else "speaks for"
        return f"Nothing on this face {speaks} {self.target} by this method."

    def to_dict(self) -> dict[str, Any]:
        """The keys of `scripts.explain --json`."""
        return {
            "method": self.method,
            "target": self.target,
            "emotion": self.emotion,
            "confidence": self.probabilities[self.emotion],
            "target_probability": self.probabilities[self.target],
            "faithfulness": self.faithfulness,
            "seconds": self.seconds,
            "numbers": self.numbers,
            "pictures": list(self.pictures),
            "message": self.message,
        }


def explain_face(
    classifier: CheckpointClassifier,
    crop: np.ndarray,
    *,
    method: str,
    target: str | None = None,
    faithfulness: bool = False,
    **controls: Any,
) -> Explanation:
    """Explains one face.

    Args:
        classifier: a network's classifier.
        crop: uint8 (48, 48) grey face, as the classifier takes it.
        method: a name in EXPLAINERS.
        target: the emotion to explain; the predicted one unless told.
        faithfulness: whether to measure deletion and insertion as well.
        controls: the method's controls.

    Raises:
        UnknownNameError, ConfigError, UnsupportedError: as `attribute`; ConfigError too for an unknown emotion.
        ImageError: the crop is not a uint8 picture of two dimensions.
    """
    labels = classifier.labels
    check_target(target, labels)
    EXPLAINERS[method].options(**controls)  # complain before the work
    if crop.dtype != np.uint8 or crop.ndim != 2:
        raise ImageError(f"a face is a grey picture of 8-bit pixels (48, 48), not {crop.dtype} {crop.shape}")
    chances = classifier.predict_proba(crop[None])[0]
    emotion = labels[int(np.argmax(chances))]
    index = labels.index(target or emotion)
    model, faces = classifier.torch_model(), classifier.normalise(crop[None])
    require(method, model)  # also loads what the method needs, so that the time below is its own
    start = time.perf_counter()
    heatmap = attribute(method, model, faces, index, **controls)
    seconds = time.perf_counter() - start
    areas = measure(classifier.predict_proba, crop, heatmap, index).to_dict() if faithfulness else None
    return Explanation(
        method,
        labels[index],
        emotion,
        heatmap,
        areas,
        seconds,
        EXPLAINERS[method].signed,
        {label: float(p) for label, p in zip(labels, chances, strict=True)},
        pictures_of(method, model, faces, crop, **controls),
        numbers_of(method, model, faces, **controls),
    )


def range_text(numbers: dict[str, Any]) -> str:
    """`Explainer.numbers` -> their range in words, with as many digits as tell its ends apart; "" without one."""
    if "range" not in numbers:
        return ""
    span = numbers["range"]
    return f"{span['of']} {between(span['lowest'], span['highest'])}"


def check_target(target: str | None, labels: tuple[str, ...]) -> None:
    """Raises ConfigError where the model knows no such emotion."""
    if target is not None and target not in labels:
        raise ConfigError(f"the model knows no emotion {target!r}; it knows: {', '.join(labels)}")
