"""The emotions: one order, one spelling, one colour each, and the id maps of the datasets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fer_core.errors import ConfigError

EMOTIONS: Final = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""FER2013's seven emotions in the order of its label ids 0..6; every array of the project uses this order."""

FERPLUS_EMOTIONS: Final = (*EMOTIONS, "contempt")
"""FER+'s eight classes: the seven in FER2013's order, then contempt."""

SPLITS: Final = ("Training", "PublicTest", "PrivateTest")
TESTS: Final = ("PublicTest", "PrivateTest")
"""The splits that nothing is learnt from: the first chooses, the second is looked at once."""
UNLABELLED: Final = -1
"""The label of a row that carries none (the competition's `test.csv`)."""

FERPLUS_COLUMNS: Final = {
    "anger": "angry",
    "disgust": "disgust",
    "fear": "fear",
    "happiness": "happy",
    "sadness": "sad",
    "surprise": "surprise",
    "neutral": "neutral",
    "contempt": "contempt",
    "unknown": "unknown",
    "NF": "not_a_face",
}
"""FER+'s column -> the name that the project uses; FER+ orders its columns differently from FER2013."""

VOTE_COLUMNS: Final = tuple(f"votes_{name}" for name in (*FERPLUS_EMOTIONS, "unknown", "not_a_face"))
"""The face table's ten vote columns, emotions first, in the project's order."""

COLOURS: Final = {
    "angry": "#d1495b",
    "disgust": "#6a994e",
    "fear": "#7b5ea7",
    "happy": "#e9a820",
    "sad": "#3a7ca5",
    "surprise": "#e07a3f",
    "neutral": "#7d8597",
    "contempt": "#a98467",
}
"""One colour per emotion, readable on a light and on a dark page."""

EMOJI: Final = {
    "angry": "😠",
    "disgust": "🤢",
    "fear": "😨",
    "happy": "😄",
    "sad": "😢",
    "surprise": "😲",
    "neutral": "😐",
    "contempt": "😒",
}


def ink_on(colour: str, dark: str = "#000000") -> str:
    """The dark ink or `#ffffff`, whichever stands out more on a colour such as `#d1495b`."""
    return max((dark, "#ffffff"), key=lambda ink: contrast(ink, colour))


def contrast(one: str, other: str) -> float:
    """How far two colours stand apart, 1 to 21, as WCAG 2 has it."""
    dark, bright = sorted((_luminance(one), _luminance(other)))
    return (bright + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def judged_by(labels: Sequence[str]) -> str:
    """Whose labels a model with these classes is judged against: FER2013's, or the majorities of FER+'s voters."""
    return "FER+ majority" if len(labels) == len(FERPLUS_EMOTIONS) else "FER2013"


def labels_for(num_classes: int) -> tuple[str, ...]:
    """The class names of a model with 7 (FER2013) or 8 (FER+) outputs."""
    if num_classes == len(EMOTIONS):
        return EMOTIONS
    if num_classes == len(FERPLUS_EMOTIONS):
        return FERPLUS_EMOTIONS
    raise ConfigError(f"a model has 7 classes (FER2013) or 8 (FER+), not {num_classes}")
