"""CK+ as its makers give it: `cohn-kanade-images/S005/001/S005_001_00000011.png`, `Emotion/S005/001/..._emotion.txt`.

Lucey et al. 2010, https://doi.org/10.1109/CVPRW.2010.5543262. A sequence goes from a neutral face to the peak of an
expression; the emotion that its file names belongs to the last frame. Sequences without such a file are kept without a
label. The first frames of labelled sequences become neutral faces where that is asked for. `S005` is the `subject`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from fer_core.data.readers._base import READERS, Reader, ReadOptions, ReadResult
from fer_core.data.readers._decoding import photo_decoder
from fer_core.data.readers._label_maps import LABEL_MAPS
from fer_core.data.readers._names import parts_of
from fer_core.data.readers._pictures import Picture, picture_names, read_pictures
from fer_core.data.source import Source
from fer_core.errors import Rejection
from fer_core.labels import EMOTIONS, UNLABELLED

NAME: Final = "ck_sequences"
NO_EMOTION: Final = "no emotion given"
"""Name under which the last frames of sequences without an emotion are left out."""

_FRAME = re.compile(r"(s\d{3})_(\d{3})_(\d{8})\.\w+", re.IGNORECASE)
_EMOTION = re.compile(r"(s\d{3})_(\d{3})_\d{8}_emotion\.txt", re.IGNORECASE)

Sequence = tuple[str, str]
"""Subject and number, such as ("S005", "001")."""


def _found(names: Iterator[str], pattern: re.Pattern[str]) -> Iterator[tuple[Sequence, str]]:
    for name in names:
        if match := pattern.fullmatch(parts_of(name)[-1]):
            yield (match[1].upper(), match[2]), name


def _frames(source: Source) -> dict[Sequence, list[str]]:
    """The frames of each sequence, in their order."""
    frames: dict[Sequence, list[str]] = defaultdict(list)
    for sequence, name in _found(iter(picture_names(source)), _FRAME):
        frames[sequence].append(name)
    return {sequence: sorted(names, key=lambda name: parts_of(name)[-1].lower()) for sequence, names in frames.items()}


def _fits(source: Source) -> bool:
    emotions = any(True for _ in _found(iter(source.members), _EMOTION))
    return emotions and any(True for _ in _found(iter(source.members), _FRAME))


def _read(source: Source, options: ReadOptions) -> ReadResult:
    frames, rejected = _frames(source), []
    labels: dict[Sequence, int] = {}
    for sequence, name in _found(iter(source.members), _EMOTION):
        try:
            labels[sequence] = _label(b"".join(source.blocks(name)))
            if sequence not in frames:
                raise ValueError("there are no pictures of its sequence")
        except ValueError as error:
            rejected.append(Rejection(name, str(error)))
            frames.pop(sequence, None)
    pictures = [_last(sequence, names, labels.get(sequence)) for sequence, names in frames.items()]
    if options.first_neutral:
        first = [(sequence[0], names[0]) for sequence, names in frames.items() if sequence in labels and len(names) > 1]
        neutral = EMOTIONS.index("neutral")
        pictures += [Picture(name, "PrivateTest", neutral, subject=subject) for subject, name in first]
    decode = photo_decoder(options.frame)
    return read_pictures(source, pictures, rejected, NAME, options.progress, decode=decode)


def _last(sequence: Sequence, names: list[str], label: int | None) -> Picture:
    if label is None:
        return Picture(names[-1], "PrivateTest", UNLABELLED, NO_EMOTION, sequence[0])
    return Picture(names[-1], "PrivateTest", label, subject=sequence[0])


def _label(content: bytes) -> int:
    """`   3.0000000e+00` -> the label; raises ValueError where the file says anything else."""
    text = content.decode("utf-8", "replace").strip()
    try:
        number = str(int(float(text)))
        return LABEL_MAPS["ck"].label(number)[0]
    except (ValueError, OverflowError, KeyError):
        raise ValueError(f"the emotion is {text[:20]!r}, not a number from 0 to 7") from None


READERS.add(
    NAME,
    Reader(NAME, "folders `S005/001/S005_001_00000011.png` with `S005_001_00000011_emotion.txt`", 62, _fits, _read),
)
