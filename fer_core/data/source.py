"""A file, a folder or an archive as named members that can be read; nothing is ever unpacked to disk.

Names never become paths of this machine: an archive's `../../x` is just a name that no form has. Files are told by
their first bytes, not by their suffix.
"""

from __future__ import annotations

import gzip
import lzma
import os
import tarfile
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Final

from fer_core.errors import FormatError

CHUNK: Final = 1 << 18
"""Bytes read at a time: what is parsed from one chunk stays in the processor's cache."""

MOST_MEMBERS: Final = 5_000_000
"""Files of a source; AffectNet as its makers give it has 1.5 million."""
BIGGEST_PICTURE: Final = 1 << 24
"""Bytes; a 48x48 picture has a few thousand, so nothing beyond is read."""

_GZIP, _ZIP = b"\x1f\x8b", b"PK"
_ENCRYPTED: Final = 1
"""The bit of a zip member's flags."""
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_JUNK: Final = ("__MACOSX", "Thumbs.db", "desktop.ini")


class TruncatedError(Exception):
    """The source ends in the middle of its content."""


class Source(ABC):
    """Members of a source.

    Attributes:
        label: what messages call it.
        members: names with `/` between the parts, sorted; hidden files are left out.
        root: the name of the folder that holds them, "" for files and archives: a split, where one was named alone.
    """

    label: str
    members: tuple[str, ...]
    root: str = ""

    def __init__(self) -> None:
        self._done = 0
        self._first_lines: dict[str, str] = {}

    @abstractmethod
    def blocks(self, member: str) -> Iterator[bytes]:
        """The member's content in pieces, unpacked if gzipped; raises TruncatedError after the last whole piece."""

    @abstractmethod
    def pictures(self, wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """(name, content) of each member wanted, in whatever order is quick; cut off where it is unreasonably big."""

    @abstractmethod
    def size(self, member: str) -> int:
        """Bytes that `position` counts up to while the member is read."""

    def position(self) -> int:
        """How far `blocks` has come."""
        return self._done

    def close(self) -> None:  # noqa: B027 - most have nothing open
        """Closes what is open."""

    def first_line(self, member: str) -> str:
        """The member's first line without its end, decoded; undecodable bytes become marks."""
        if member not in self._first_lines:
            start = next(self.blocks(member), b"")
            line = start.split(b"\n", 1)[0][:4096].rstrip(b"\r")
            self._first_lines[member] = line.decode("utf-8-sig", "replace")
        return self._first_lines[member]

    def _note(self, done: int) -> None:
        self._done = done


class FileSource(Source):
    """One file, plain or gzipped."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.label = path.name
        self.members = (path.name,)

    def blocks(self, member: str) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            yield from _unpacked(file, self._note)

    def pictures(self, wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
        for name in wanted:
            with self.path.open("rb") as file:
                yield name, file.read(BIGGEST_PICTURE)

    def size(self, member: str) -> int:
        return self.path.stat().st_size


class FolderSource(Source):
    """A folder and all below it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.label = path.name
        self.root = path.absolute().name
        self.members = _visible(self._walk())

    def _walk(self) -> Iterator[str]:
        seen = {self.path.resolve()}
        for folder, below, files in os.walk(self.path, followlinks=True, onerror=_refuse):
            below[:] = [name for name in below if not name.startswith(".") and _is_new(Path(folder, name), seen)]
            base = PurePosixPath(Path(folder).relative_to(self.path).as_posix())
            yield from (str(base / name) for name in files)

    def blocks(self, member: str) -> Iterator[bytes]:
        with (self.path / member).open("rb") as file:
            yield from _unpacked(file, self._note)

    def pictures(self, wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
        for name in sorted(wanted):
            with (self.path / name).open("rb") as file:
                yield name, file.read(BIGGEST_PICTURE)

    def size(self, member: str) -> int:
        return (self.path / member).stat().st_size


class ZipSource(Source):
    """A .zip file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.label = path.name
        self._zip = zipfile.ZipFile(path)
        self._infos = {info.filename: info for info in self._zip.infolist() if not info.is_dir()}
        self._check_that_it_unpacks()
        self.members = _visible(self._infos)

    def _check_that_it_unpacks(self) -> None:
        for info in self._infos.values():
            if info.flag_bits & _ENCRYPTED:
                problem = "it is encrypted"
            elif info.compress_type not in _METHODS:
                problem = f"it is packed by method {info.compress_type}, which is not known here"
            else:
                continue
            self.close()
            raise FormatError(f"{self.label} cannot be unpacked ({problem}); unpack it and name the folder")

    def blocks(self, member: str) -> Iterator[bytes]:
        with self._zip.open(self._infos[member]) as file:
            yield from _unpacked(file, self._note)

    def pictures(self, wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
        for name in sorted(wanted, key=lambda name: self._infos[name].header_offset):
            with self._zip.open(self._infos[name]) as file:
                yield name, file.read(BIGGEST_PICTURE)

    def size(self, member: str) -> int:
        return self._infos[member].file_size

    def close(self) -> None:
        self._zip.close()


class TarSource(Source):
    """A .tar file, plain or gzipped."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.label = path.name
        self._tar = tarfile.open(path, "r:*")  # noqa: SIM115 - closed by `close`
        self._infos: dict[str, tarfile.TarInfo] = {}
        for info in self._tar:
            if info.isreg() or info.islnk():
                self._infos[info.name] = info
            if len(self._infos) > MOST_MEMBERS:
                raise FormatError(f"{self.label} has more than {MOST_MEMBERS:,} files; name the dataset itself")
        self._check_to_the_end()
        self.members = _visible(self._infos)

    def _check_to_the_end(self) -> None:
        """Reads what follows the last member: only there does gzip say whether all of it was right."""
        file = self._tar.fileobj
        while file is not None and file.read(CHUNK):
            pass

    def blocks(self, member: str) -> Iterator[bytes]:
        yield from _unpacked(self._open(member), self._note)

    def pictures(self, wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
        for name in sorted(wanted, key=lambda name: self._infos[name].offset_data):
            yield name, self._open(name).read(BIGGEST_PICTURE)

    def size(self, member: str) -> int:
        info = self._infos[member]
        return self._infos[info.linkname].size if info.islnk() and info.linkname in self._infos else info.size

    def close(self) -> None:
        self._tar.close()

    def _open(self, member: str) -> IO[bytes]:
        file = self._tar.extractfile(self._infos[member])
        assert file is not None  # only regular files are listed
        return file


def _refuse(error: OSError) -> None:
    """A folder that cannot be looked into is told, and not taken for an empty one."""
    raise error


def _is_new(folder: Path, seen: set[Path]) -> bool:
    """Whether a folder was not met yet; a link may lead back to one that was."""
    real = folder.resolve()
    if real in seen:
        return False
    seen.add(real)
    return True


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """The members of a file, folder or archive.

    Raises:
        FormatError: there is nothing there, it is empty, or it is damaged, whenever that comes to light.
    """
    try:
        source = _kind(path)(path)
        try:
            yield source
        finally:
            source.close()
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise FormatError(f"{path.name} is damaged ({error}); get the file again") from error
    except (EOFError, TruncatedError) as error:
        raise FormatError(f"{path.name} is cut off before its end; get the file again") from error
    except OSError as error:
        raise FormatError(f"{path} cannot be read ({error.strerror or error})") from error


def ahead(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The same blocks, each fetched by a thread while the one before is worked on."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, blocks, b"")
        while block := coming.result():
            coming = pool.submit(next, blocks, b"")
            yield block


def _kind(path: Path) -> Callable[[Path], Source]:
    if not path.exists():
        raise FormatError(f"{path} does not exist; name a file or folder that does")
    if path.is_dir():
        return FolderSource
    with path.open("rb") as file:
        head = file.read(512)
    if not head:
        raise FormatError(f"{path.name} is empty; get the file again")
    if head.startswith(_ZIP):
        return ZipSource
    if head.startswith(_GZIP):
        with path.open("rb") as file:
            head = next(iter(_unpacked(file, lambda done: None)), b"")
    return TarSource if head[257:262] == b"ustar" else FileSource


def _unpacked(file: IO[bytes], note: Callable[[int], None]) -> Iterator[bytes]:
    """A file's content in pieces, unpacked where it is gzipped; `note` hears how much of the file is read."""
    raw = _noted(file, note)
    first = next(raw, b"")
    if not first.startswith(_GZIP):
        yield from _joined(first, raw)
        return
    yield from _gunzip(_joined(first, raw))


def _noted(file: IO[bytes], note: Callable[[int], None]) -> Iterator[bytes]:
    done = 0
    try:
        for block in iter(partial(file.read, CHUNK), b""):
            done += len(block)
            note(done)
            yield block
    except EOFError as error:
        raise TruncatedError from error


def _joined(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest


def _gunzip(raw: Iterator[bytes]) -> Iterator[bytes]:
    """Unpacks a gzip file of one or more parts, never more than a chunk at a time, up to where it breaks off."""
    decoder = zlib.decompressobj(wbits=31)
    for block in raw:
        while block:
            if decoder.eof:
                block = block.lstrip(b"\0")  # padding between parts
                if not block:
                    break
                decoder = zlib.decompressobj(wbits=31)
            if piece := decoder.decompress(block, CHUNK):
                yield piece
            block = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
    if not decoder.eof and (piece := decoder.flush()):
        yield piece
    if not decoder.eof:
        raise TruncatedError


def _visible(names: Iterator[str] | Collection[str]) -> tuple[str, ...]:
    """Names without hidden files and what desktops leave behind, sorted."""
    kept = []
    for name in names:
        parts = PurePosixPath(name).parts
        if not any(part in _JUNK or (part.startswith(".") and part not in (".", "..")) for part in parts):
            kept.append(name)
        if len(kept) > MOST_MEMBERS:
            raise FormatError(f"there are more than {MOST_MEMBERS:,} files; name the dataset itself")
    return tuple(sorted(kept))
