"""Any folder of pictures with a label map that says what its folders mean (`--label-map`)."""

from __future__ import annotations

from typing import Final

from fer_core.data.readers._base import READERS, Reader, ReadOptions, ReadResult
from fer_core.data.readers._pictures import picture_names
from fer_core.data.readers.emotion_folders import read_folders
from fer_core.data.source import Source

NAME: Final = "mapped_folders"


def _fits(source: Source) -> bool:
    return bool(picture_names(source))


def _read(source: Source, options: ReadOptions) -> ReadResult:
    assert options.label_map is not None, "this reader is chosen by its label map"
    return read_folders(source, options, options.label_map, NAME)


READERS.add(NAME, Reader(NAME, "any folders of pictures, with `--label-map`", 1000, _fits, _read))
