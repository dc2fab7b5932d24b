"""What a dataset calls its labels -> the project's emotions.

A map gives each of a dataset's words a name. Where the name is an emotion of the project, that is the label; where it
is none (compound emotions, "uncertain", "no face"), the face stays in the dataset without a label and keeps the name as
its `source_label`, so that an evaluation can count what it left out by name.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fer_core.data.readers._names import EMOTION_ALIASES, closest, label_of_word
from fer_core.errors import ConfigError
from fer_core.labels import FERPLUS_EMOTIONS, UNLABELLED

_EXAMPLE: Final = '{"joy": "happy", "bored": null}'


def plain_word(word: str) -> str:
    """A dataset's word without case, padding and joints: `Happily_Surprised ` -> `happily surprised`, `03` -> `3`."""
    text = re.sub(r"[\s_-]+", " ", word).strip().casefold()
    return str(int(text)) if text.isdecimal() else text


@dataclass(frozen=True)
class LabelMap:
    """Words of a dataset and what they mean.

    Attributes:
        title: whose labels they are, for messages.
        names: {plain word: an emotion's name, or the name under which such faces are left out}.
    """

    title: str
    names: Mapping[str, str]

    def __contains__(self, word: str) -> bool:
        return plain_word(word) in self.names

    def label(self, word: str) -> tuple[int, str]:
        """(index of the emotion, ""), or (-1, the name that it is left out under); KeyError for an unknown word."""
        name = self.names[plain_word(word)]
        known = name in FERPLUS_EMOTIONS
        return (FERPLUS_EMOTIONS.index(name), "") if known else (UNLABELLED, name)

    def closest(self, word: str) -> str | None:
        """The most similar word that it has, if any is similar."""
        return closest(plain_word(word), list(self.names))

    @property
    def key(self) -> str:
        """The same for maps that say the same: hexadecimal digits."""
        return hashlib.sha256(json.dumps(sorted(self.names.items())).encode()).hexdigest()[:16]


def _numbered(title: str, names: str, start: int = 0) -> LabelMap:
    """A map of the numbers from `start` on; blanks part the names, underscores stand for blanks within."""
    found = (name.replace("_", " ") for name in names.split())
    return LabelMap(title, {str(number): name for number, name in enumerate(found, start)})


COMPOUND: Final = (
    "happily_surprised happily_disgusted sadly_fearful sadly_angry sadly_surprised sadly_disgusted fearfully_angry "
    "fearfully_surprised angrily_surprised angrily_disgusted disgustedly_surprised"
)
"""RAF-DB's eleven compound emotions in the order of their numbers 1..11."""

_NO_EMOTION: Final = f"{COMPOUND} none uncertain unknown no_face nf other"

WORDS: Final = LabelMap(
    "words for emotions",
    {word: emotion for emotion, words in EMOTION_ALIASES.items() for word in words.split()}
    | {word.replace("_", " "): word.replace("_", " ") for word in _NO_EMOTION.split()},
)
"""English words for emotions, and words that datasets use for what is none."""

LABEL_MAPS: Final = {
    "words": WORDS,
    "fer2013": _numbered("FER2013's numbers", "angry disgust fear happy sad surprise neutral"),
    "ferplus": _numbered("FER+'s numbers", "neutral happy surprise sad angry disgust fear contempt unknown no_face"),
    "affectnet": _numbered(
        "AffectNet's numbers", "neutral happy sad surprise fear disgust angry contempt none uncertain no_face"
    ),
    "raf_db": _numbered("RAF-DB's numbers", "surprise fear disgust happy sad angry neutral", start=1),
    "raf_db_compound": _numbered("RAF-DB's compound numbers", COMPOUND, start=1),
    "ck": _numbered("CK+'s numbers", "neutral angry contempt disgust fear happy sad surprise"),
    "jaffe": LabelMap(
        "JAFFE's codes", dict(zip(["an", "di", "fe", "ha", "sa", "su", "ne"], FERPLUS_EMOTIONS, strict=False))
    ),
}  # fmt: skip
"""Maps that are known by name: published label orders of the datasets."""


def read_label_map(text: str) -> LabelMap:
    """A label map from the name of a known one, a JSON file, or JSON itself.

    The JSON is an object {the dataset's word: an emotion, or null to leave such faces out}.

    Raises:
        ConfigError: it is none of these, or names no emotion of the project.
    """
    if text in LABEL_MAPS:
        return LABEL_MAPS[text]
    inline = text.lstrip().startswith("{")
    document = _json(text, "the label map") if inline else _file(Path(text))
    if not isinstance(document, dict) or not document:
        raise ConfigError(f"a label map is a JSON object such as {_EXAMPLE}; write it like that")
    names = {plain_word(word): _name(word, value) for word, value in document.items()}
    return LabelMap("the label map" if inline else Path(text).name, names)


def _file(path: Path) -> Any:
    if not path.is_file():
        near = closest(str(path), list(LABEL_MAPS))
        known = f"closest: {near!r}" if near else f"known maps: {', '.join(LABEL_MAPS)}"
        raise ConfigError(f"there is no label map {str(path)!r} ({known}); give a JSON file, or JSON like {_EXAMPLE}")
    try:
        return _json(path.read_text(encoding="utf-8-sig"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the label map {path} cannot be read ({error}); save it as UTF-8 text") from error


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ConfigError(f"{name} is no JSON ({error}); write it like {_EXAMPLE}") from error


def _name(word: str, value: Any) -> str:
    """What a word of a user's map stands for."""
    if value is None:
        return plain_word(word)
    label = label_of_word(value) if isinstance(value, str) else None
    if label is None:
        raise ConfigError(
            f"the label map gives {word!r} the emotion {value!r}; use {', '.join(FERPLUS_EMOTIONS)} or null"
        )
    return FERPLUS_EMOTIONS[label]
