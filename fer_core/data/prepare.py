"""Raw source -> prepared dataset on disk: all of it, or nothing."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fer_core.data import store
from fer_core.data.readers import Progress, ReadOptions, ReadResult, read_source
from fer_core.data.table import FaceDataset, centre_squares, counts, source_labels
from fer_core.errors import ConfigError, Rejection, RowsError
from fer_core.files import cache_folder

_SHOWN: Final = 3


@dataclass(frozen=True)
class PrepareReport:
    """What was prepared.

    Attributes:
        out: the prepared folder.
        rows: faces in it.
        splits: {split: {emotion: faces}}.
        source_format: name of the reader.
        has_votes: whether FER+ votes were joined.
        seconds: wall-clock time.
        rejected: the broken rows that were left out.
        left_out: {the dataset's name of a label that is no emotion of the project: faces with it, kept unlabelled}.
        fingerprint: of the prepared dataset.
        centre_squares: {size of pictures that went in as their centre square: faces}.
    """

    out: Path
    rows: int
    splits: dict[str, dict[str, int]]
    source_format: str
    has_votes: bool
    seconds: float
    rejected: tuple[Rejection, ...]
    left_out: dict[str, int]
    fingerprint: str
    centre_squares: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """The JSON document of `scripts.prepare_data`."""
        return {
            "rows": self.rows,
            "splits": self.splits,
            "source_format": self.source_format,
            "votes": self.has_votes,
            "seconds": round(self.seconds, 3),
            "rejected": rejection_rows(self.rejected),
            "left_out": self.left_out,
            "centre_squares": self.centre_squares,
            "fingerprint": self.fingerprint,
            "out": str(self.out),
        }


def rejection_rows(rejected: Sequence[Rejection]) -> list[dict[str, int | str]]:
    """Rejections as JSON."""
    return [{"row": rejection.row, "reason": rejection.reason} for rejection in rejected]


def where(rejection: Rejection) -> str:
    """`row 5` for the row of a file, the name for a picture."""
    return f"row {rejection.row}" if isinstance(rejection.row, int) else rejection.row


def prepare(
    source: Path,
    out: Path,
    *,
    ferplus: Path | None = None,
    skip_broken: bool = False,
    progress: Progress | None = None,
    options: ReadOptions | None = None,
) -> PrepareReport:
    """Reads a raw source and saves it as a prepared dataset.

    Args:
        source: file, folder or archive in one of the forms in `READERS`.
        out: folder for the prepared dataset; what it holds stays untouched until the new one is complete.
        ferplus: FER+'s votes, `fer2013new.csv`.
        skip_broken: leave broken rows out instead of refusing the source.
        progress: hears how far the reading has come.
        options: what else may be chosen about the reading.

    Raises:
        FormatError: the source is in no form that is known, or damaged.
        RowsError: rows are broken and `skip_broken` is off, or none is left.
        DataError: `out` holds other files.
    """
    started = time.perf_counter()
    store.refuse_foreign(out)
    result = read_source(source, ferplus=ferplus, progress=progress, options=options)
    _require_good_rows(result, skip_broken)
    saved = store.save(result.dataset, out)
    return PrepareReport(
        out=out,
        rows=len(saved),
        splits=counts(saved.table),
        source_format=saved.source_format,
        has_votes=saved.has_votes,
        seconds=time.perf_counter() - started,
        rejected=result.rejected,
        left_out=source_labels(saved.table),
        fingerprint=saved.fingerprint,
        centre_squares=centre_squares(saved.table),
    )


def open_or_prepare(
    path: Path,
    *,
    progress: Progress | None = None,
    options: ReadOptions | None = None,
    skip_broken: bool = False,
) -> FaceDataset:
    """A prepared folder opened, or a raw source prepared once and kept in a cache folder.

    The cache is `$FER_CACHE`, or `fer` in the user's cache folder; a source that changed (size or time of any of its
    files) is prepared anew, and one that is read with other options is kept beside it.

    Args:
        path: the folder or source.
        progress: hears how far the reading has come.
        options: what may be chosen about reading a raw source.
        skip_broken: leave broken rows of a raw source out instead of refusing it.

    Raises:
        ConfigError: options of reading with a folder that is prepared already.
        DataError: as for `prepare` and `store.load`.
    """
    options = options or ReadOptions()
    if store.is_prepared(path):
        if options.key:
            raise ConfigError(f"{path} is prepared already; name its raw source to choose how it is read")
        return store.load(path)
    place, state = _cache_key(path, f"{options.key} {skip_broken}" if options.key or skip_broken else "")
    cached = cache_folder() / f"{place}-{state}"
    if not store.is_prepared(cached):
        prepare(path, cached, skip_broken=skip_broken, progress=progress, options=options)
        for older in set(cache_folder().glob(f"{place}-*")) - {cached}:
            shutil.rmtree(older, ignore_errors=True)
    return store.load(cached)


def _require_good_rows(result: ReadResult, skip_broken: bool) -> None:
    if not result.rejected or (skip_broken and len(result.dataset)):
        return
    shown = "; ".join(f"{where(rejection)}: {rejection.reason}" for rejection in result.rejected[:_SHOWN])
    more = f"; and {len(result.rejected) - _SHOWN:,} more" if len(result.rejected) > _SHOWN else ""
    mend = "mend them, or leave them out with `scripts.prepare_data --skip-broken`"
    count = f"{len(result.rejected):,} of {result.total:,} rows cannot be used"
    advice = mend if len(result.dataset) else "no row is left"
    raise RowsError(f"{count} ({shown}{more}): {advice}", result.rejected)


def _cache_key(path: Path, chosen: str) -> tuple[str, str]:
    """(which source it is and how it is read, what state it is in) as hexadecimal digests."""
    whole = path.resolve()
    state = hashlib.sha256(str(store.VERSION).encode())
    for file in _files(whole):
        stat = file.stat()
        state.update(f"{file}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
    return hashlib.sha256(os.fsencode(whole) + chosen.encode()).hexdigest()[:12], state.hexdigest()[:16]


def _files(path: Path) -> Iterator[Path]:
    """The file itself, or every file below the folder, in a fixed order; nothing where there is nothing."""
    if path.is_dir():
        yield from sorted(file for file in path.rglob("*") if file.is_file())
    elif path.exists():
        yield path
