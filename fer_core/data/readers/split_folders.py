"""FER2013 as pictures named by official split: `train/angry/Training_123.jpg`, `test/angry/PublicTest_123.jpg`.

`test/` holds Public and Private together; the names tell them apart.
"""

from __future__ import annotations

import re

from fer_core.data.readers._base import READERS, Reader, ReadOptions, ReadResult
from fer_core.data.readers._names import label_of_word, split_of_part
from fer_core.data.readers._pictures import Place, places, read_pictures, sort_out
from fer_core.data.source import Source
from fer_core.labels import SPLITS

NAME = "split_folders"
_PREFIX = re.compile(rf"({'|'.join(SPLITS)})_", re.IGNORECASE)
_CANONICAL = {split.lower(): split for split in SPLITS}


def _split(place: Place) -> str:
    if match := _PREFIX.match(place.file):
        return _CANONICAL[match[1].lower()]
    return split_of_part(place.part) or ""


def _fits(source: Source) -> bool:
    return any(_PREFIX.match(place.file) and label_of_word(place.emotion) is not None for place in places(source))


def _read(source: Source, options: ReadOptions) -> ReadResult:
    pictures, rejected = sort_out([(place, _split(place)) for place in places(source)])
    return read_pictures(source, pictures, rejected, NAME, options.progress)


READERS.add(NAME, Reader(NAME, "folders `train/angry/Training_123.jpg`", 70, _fits, _read, "name"))
