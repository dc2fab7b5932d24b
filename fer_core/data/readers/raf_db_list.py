"""RAF-DB as its makers give it: `EmoLabel/list_patition_label.txt` and `Image/aligned/train_00001_aligned.jpg`.

Li et al. 2017, https://doi.org/10.1109/CVPR.2017.277. A line of the list is `train_00001.jpg 5`; labels beyond 7 betray
the list of compound emotions. `test` becomes PrivateTest.
"""

from __future__ import annotations

from typing import Final

from fer_core.data.readers._base import READERS, Reader, ReadOptions, ReadResult
from fer_core.data.readers._decoding import photo_decoder
from fer_core.data.readers._label_maps import LABEL_MAPS, LabelMap
from fer_core.data.readers._names import parts_of, split_of_part
from fer_core.data.readers._pictures import Picture, picture_names, read_pictures
from fer_core.data.source import Source
from fer_core.errors import FormatError, Rejection

NAME: Final = "raf_db_list"
LISTS: Final = ("list_patition_label.txt", "list_partition_label.txt")
"""The list's name as it is published, and as one would spell it."""


def _lists(source: Source) -> list[str]:
    return [name for name in source.members if parts_of(name)[-1].lower() in LISTS]


def _files(source: Source) -> dict[str, str]:
    """{plain name such as `train_00001`: member}, aligned faces before originals."""
    names = sorted(picture_names(source), key=lambda name: "aligned" in name.lower())
    return {_plain(parts_of(name)[-1]): name for name in names}


def _plain(file: str) -> str:
    return file.lower().rsplit(".", 1)[0].removesuffix("_aligned")


def _read(source: Source, options: ReadOptions) -> ReadResult:
    lists = _lists(source)
    if len(lists) > 1:
        raise FormatError(f"{source.label} holds several lists of labels ({', '.join(lists[:3])}); name one's folder")
    lines = b"".join(source.blocks(lists[0])).decode("utf-8-sig", "replace").splitlines()
    rows = [line.split() for line in lines if line.strip()]
    files, seen = _files(source), set[str]()
    pictures, rejected = [], []
    labels = _map([cells[-1] for cells in rows])
    for number, cells in enumerate(rows):
        try:
            picture = _picture(cells, files, labels)
            if picture.name in seen:
                raise ValueError("it is listed twice")
            seen.add(picture.name)
            pictures.append(picture)
        except ValueError as error:
            rejected.append(Rejection(f"{lists[0]}:{number + 1}", f"{cells[0]}: {error}"))
    return read_pictures(source, pictures, rejected, NAME, options.progress, decode=photo_decoder(options.frame))


def _map(labels: list[str]) -> LabelMap:
    compound = any(label.isdecimal() and int(label) > 7 for label in labels)
    return LABEL_MAPS["raf_db_compound" if compound else "raf_db"]


def _picture(cells: list[str], files: dict[str, str], labels: LabelMap) -> Picture:
    """A line of the list as a picture; raises ValueError where it cannot be one."""
    if len(cells) != 2:
        raise ValueError(f"{len(cells)} words in the line instead of a name and a label")
    plain = _plain(cells[0])
    split = split_of_part(plain.split("_")[0])
    if split is None:
        raise ValueError("the name begins with neither train nor test")
    if cells[1] not in labels:
        raise ValueError(f"unknown label {cells[1][:20]!r}")
    if plain not in files:
        raise ValueError("there is no such picture")
    return Picture(files[plain], split, *labels.label(cells[1]))


READERS.add(
    NAME,
    Reader(
        NAME, "`list_patition_label.txt` with `train_00001_aligned.jpg` (RAF-DB)", 61, lambda s: bool(_lists(s)), _read
    ),
)
