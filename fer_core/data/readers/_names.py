"""Words that datasets use for emotions and splits -> the project's own."""

from __future__ import annotations

import difflib
import re
from pathlib import PurePosixPath
from typing import Final

from fer_core.labels import EMOTIONS, FERPLUS_EMOTIONS, SPLITS

EMOTION_ALIASES: Final = {
    "angry": "angry anger",
    "disgust": "disgust disgusted",
    "fear": "fear fearful afraid scared",
    "happy": "happy happiness joy",
    "sad": "sad sadness",
    "surprise": "surprise surprised",
    "neutral": "neutral neutrality",
    "contempt": "contempt contemptuous",
}
"""The emotion -> the words that mean it."""

PART_ALIASES: Final = {
    "Training": "train training train_set fer2013train",
    "PublicTest": "publictest validation valid val val_set dev fer2013valid",
    "PrivateTest": "privatetest test testing test_set fer2013test",
}
"""The split -> the folder names that mean it. A `test` folder is looked at only once at the end: PrivateTest."""

_LABELS: Final = {
    word: FERPLUS_EMOTIONS.index(emotion) for emotion, words in EMOTION_ALIASES.items() for word in words.split()
}
_PARTS: Final = {word: split for split, words in PART_ALIASES.items() for word in words.split()}
_USAGES: Final = {split.lower(): split for split in SPLITS}


def label_of_word(word: str) -> int | None:
    """`Happiness` -> 3 (7: contempt), whatever its case; None where it is no emotion."""
    return _LABELS.get(word.strip().lower())


def label_of_cell(cell: str, classes: int = len(EMOTIONS)) -> int:
    """A CSV's `emotion`: 0 to 6 (to 7 of eight classes), or an emotion's name, -> its label.

    Raises:
        ValueError: it is neither; the message says so.
    """
    text = cell.strip()
    if text.isdecimal() and int(text) < classes:
        return int(text)
    if (label := label_of_word(text)) is not None:
        return label
    if not text:
        raise ValueError("the label is missing")
    raise ValueError(
        f"unknown label {text[:20]!r}; labels are 0 to {classes - 1} or {', '.join(FERPLUS_EMOTIONS[:classes])}"
    )


def split_of_usage(cell: str) -> str:
    """A CSV's `Usage` -> the split, whatever its case.

    Raises:
        ValueError: it is none of the three; the message says so.
    """
    text = cell.strip()
    if split := _USAGES.get(text.lower()):
        return split
    if not text:
        raise ValueError("the usage is missing")
    raise ValueError(f"unknown usage {text[:20]!r}; usages are {', '.join(SPLITS)}")


def split_of_part(folder: str) -> str | None:
    """`train`, `Validation`, ... -> the split; None for any other folder."""
    return _PARTS.get(folder.strip().lower())


def parts_of(member: str) -> tuple[str, ...]:
    """A member's name as folders and file; archives packed on Windows may part them by backslashes."""
    return PurePosixPath(member.replace("\\", "/")).parts


def number_in(name: str) -> int | None:
    """The last whole number in a file's name (`Training_123.jpg` -> 123), or None."""
    numbers = re.findall(r"\d+", parts_of(name)[-1].rsplit(".", 1)[0])
    return int(numbers[-1]) if numbers and len(numbers[-1]) < 19 else None


def closest(word: str, words: list[str]) -> str | None:
    """The most similar of `words`, if any is similar."""
    found = difflib.get_close_matches(word.lower(), words, n=1)
    return found[0] if found else None
