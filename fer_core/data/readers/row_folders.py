"""Pictures in folders by split and emotion: `images/train/angry/<row>.jpg`, `images/validation/...`, `test/...`.

`validation` becomes PublicTest, which is what is selected on, and `test` PrivateTest. The copy of FER2013 that has
this layout was split anew by its maker, so its splits are not the official ones.
"""

from __future__ import annotations

from fer_core.data.readers._base import READERS, Reader, ReadOptions, ReadResult
from fer_core.data.readers._names import label_of_word, split_of_part
from fer_core.data.readers._pictures import places, read_pictures, sort_out
from fer_core.data.source import Source

NAME = "row_folders"


def _fits(source: Source) -> bool:
    return any(label_of_word(place.emotion) is not None for place in places(source))


def _read(source: Source, options: ReadOptions) -> ReadResult:
    pictures, rejected = sort_out([(place, split_of_part(place.part) or "") for place in places(source)])
    return read_pictures(source, pictures, rejected, NAME, options.progress)


READERS.add(NAME, Reader(NAME, "folders `images/train/angry/123.jpg`", 80, _fits, _read, "name"))
