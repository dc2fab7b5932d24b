"""Readers: one raw form per file; the form of a source is told by its header or layout, never by its name alone.

`read_source` is the one way in. A new form is one file here that adds itself to `READERS`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fer_core.data.readers import mapped_folders
from fer_core.data.readers._base import READERS, Frame, Progress, Reader, ReadOptions, ReadResult
from fer_core.data.readers._csv import csv_members, header_of, plain
from fer_core.data.readers._label_maps import LABEL_MAPS, LabelMap, read_label_map
from fer_core.data.readers._names import closest, parts_of, split_of_part
from fer_core.data.readers._numbered_folders import numbers
from fer_core.data.source import Source, open_source
from fer_core.errors import FormatError

__all__ = [
    "LABEL_MAPS",
    "READERS",
    "Frame",
    "LabelMap",
    "Progress",
    "ReadOptions",
    "ReadResult",
    "Reader",
    "read_label_map",
    "read_source",
]


def read_source(
    source: Path,
    *,
    ferplus: Path | None = None,
    progress: Progress | None = None,
    options: ReadOptions | None = None,
) -> ReadResult:
    """Reads a raw dataset: its good rows as a dataset, its broken ones by name.

    Args:
        source: a file, a folder, or an archive (.gz, .zip, .tar.gz) of one.
        ferplus: FER+'s `fer2013new.csv`, to be joined row by row.
        progress: hears how far it has come.
        options: what else may be chosen about the reading.

    Raises:
        FormatError: the source is in no form that is known, damaged, or does not fit the votes.
    """
    options = replace(options or ReadOptions(), progress=progress)
    with open_source(source) as opened:
        reader = _recognise(opened, options)
        result = reader.read(opened, options)
    if ferplus is None:
        return result
    from fer_core.data.ferplus import join

    return join(result, ferplus, numbered=reader.numbered)


def _recognise(source: Source, options: ReadOptions) -> Reader:
    mapped = mapped_folders.NAME
    if options.label_map is not None:
        if not READERS[mapped].fits(source):
            raise FormatError(f"a label map goes with folders of pictures, and {source.label} has none; leave it out")
        return READERS[mapped]
    readers = [reader for name, reader in READERS.items() if name != mapped]
    for reader in sorted(readers, key=lambda reader: reader.rank):
        if reader.fits(source):
            return reader
    raise FormatError(f"{source.label} is in no form that is known: {_closest(source)}")


def _closest(source: Source) -> str:
    """What the source has, and the form that it comes nearest to."""
    if not source.members:
        return "it holds no files"
    if "dataset.json" in source.members:
        return "it is a prepared dataset already, name it where DATA is asked for"
    if csv_members(source):
        return _closest_csv(source, csv_members(source)[0])
    return _closest_layout(source)


def _closest_csv(source: Source, member: str) -> str:
    header = header_of(source, member)
    names = plain(header)
    if not all(name.isprintable() for name in header) or "\ufffd" in header[0]:
        return f"{member} is no text; closest: kaggle_csv, {READERS['kaggle_csv'].looks_like}"
    if "neutral" in names and "nf" in names:
        return "it holds FER+'s votes and no pixels; name `fer2013.csv` as the source and this file with --ferplus"
    if not any(names):
        return f"{member} is empty"
    if names[0].isdecimal():
        return f"{member} has no header; closest: kaggle_csv, whose first line is `emotion,pixels,Usage`"
    shown = ",".join(header)[:60]
    near = {name: closest(name, ["emotion", "pixels", "usage"]) for name in names}
    renamed = [f"{name!r} should be {known!r}" for name, known in near.items() if known and known != name]
    hint = f" ({'; '.join(renamed)})" if renamed else ""
    form = "test_csv" if {*near.values()} - {None} == {"pixels"} else "kaggle_csv"
    return f"the first line of {member} is {shown!r}; closest: {form}, {READERS[form].looks_like}{hint}"


def _closest_layout(source: Source) -> str:
    example = source.members[0]
    if found := sorted(numbers(source)):
        shown = f"{found[0]} to {found[-1]}"
        return (
            f"it has folders {shown}, which FER2013, AffectNet and RAF-DB number differently; "
            "say whose numbers they are with --label-map fer2013, affectnet or raf_db"
        )
    folders = {part for name in source.members for part in parts_of(name)[:-1]}
    plus = any(folder.lower().startswith("fer2013") and split_of_part(folder) for folder in folders)
    form = "ferplus_folders" if plus else "split_folders" if folders else "kaggle_csv"
    other = "; or say what its folders mean with --label-map" if folders else ""
    return f"it has files like {example!r}; closest: {form}, {READERS[form].looks_like}{other}"
