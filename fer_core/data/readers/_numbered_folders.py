"""Pictures in folders by split and label number: `train/3/x.jpg`. Which emotion a number means differs by dataset."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from fer_core.data.readers._base import ReadOptions, ReadResult
from fer_core.data.readers._decoding import photo_decoder
from fer_core.data.readers._label_maps import LABEL_MAPS, plain_word
from fer_core.data.readers._names import parts_of, split_of_part
from fer_core.data.readers._pictures import Picture, Place, picture_names, places, read_pictures
from fer_core.data.source import Source
from fer_core.errors import Rejection


def numbers(source: Source) -> set[int]:
    """The numbers that folders under a split's are called."""
    words = {plain_word(place.emotion) for place in _places(source)}
    return {int(word) for word in words if word.isdecimal()}


def _places(source: Source) -> Iterator[Place]:
    """As `places`; the source itself may be a split's folder."""
    yield from places(source)
    if split_of_part(source.root):
        pairs = ((name, parts) for name in source.members if len(parts := parts_of(name)) == 2)
        yield from (Place(name, source.root, folder, file) for name, (folder, file) in pairs)


@dataclass(frozen=True)
class NumberedForm:
    """A raw form whose folders are numbers.

    Attributes:
        name: public name of the form.
        labels: name of the label map.
        told_by: the numbers that there are -> whether they are this form's.
    """

    name: str
    labels: str
    told_by: Callable[[set[int]], bool]

    def fits(self, source: Source) -> bool:
        """Whether the folders' numbers are this form's."""
        return self.told_by(numbers(source))

    def read(self, source: Source, options: ReadOptions) -> ReadResult:
        """Reads the pictures in numbered folders; others are broken."""
        labels, pictures, rejected = LABEL_MAPS[self.labels], [], []
        found = {place.name: place for place in _places(source)}
        for name in picture_names(source):
            place = found.get(name)
            if place is None or place.emotion not in labels:
                rejected.append(Rejection(name, f"its folders are no split and number ({labels.title})"))
            else:
                split = split_of_part(place.part) or ""
                pictures.append(Picture(name, split, *labels.label(place.emotion)))
        decode = photo_decoder(options.frame)
        return read_pictures(source, pictures, rejected, self.name, options.progress, decode=decode)
