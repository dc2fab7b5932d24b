"""Where uploads lie for a moment, and how they go: a private folder per process, emptied after every request.

Gradio writes what a visitor sends into a folder before a handler sees it. Here that folder belongs to this process
alone, each file is deleted seconds after it was read, a sweep takes what no handler ever asked for, and the whole
folder goes when the process ends.
"""

from __future__ import annotations

import atexit
import base64
import contextlib
import os
import shutil
import tempfile
import threading
from abc import ABCMeta
from pathlib import Path
from typing import Any, Final

import gradio as gr
from gradio.data_classes import ImageData

FOLDER_VARIABLE: Final = "GRADIO_TEMP_DIR"
GRACE: Final = 5.0
"""Seconds that a file stays after it was read: the visitor's browser may just be fetching it to show it."""

SWEEP: Final = (20, 60)
"""Every 20 s, what is older than 60 s goes (answers of the API that their caller had time to fetch)."""

LARGEST: Final = "50mb"
_PREFIX: Final = "fer-demo-"


def private_folder() -> Path:
    """Makes this process's upload folder, tells Gradio of it, and sees to it that it goes at the end."""
    _remove_orphans(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    os.environ[FOLDER_VARIABLE] = str(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _remove_orphans(parent: Path) -> None:
    """Folders whose process was killed before it could clean up."""
    for folder in parent.glob(f"{_PREFIX}*-*"):
        number = folder.name.removeprefix(_PREFIX).split("-")[0]
        if number.isdigit() and not _runs(int(number)):
            shutil.rmtree(folder, ignore_errors=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


class _NoStub(type(gr.Image)):  # type: ignore[misc]
    """Gradio writes a `.pyi` file beside the source of every component; this one leaves the folder alone."""

    def __new__(cls, name: str, bases: tuple[type, ...], attributes: dict[str, Any]) -> _NoStub:
        """A component class, made as Python makes it."""
        return ABCMeta.__new__(cls, name, bases, attributes)


class PhotoInput(gr.Image, metaclass=_NoStub):
    """Gradio's image box that hands over the file's bytes as they were sent.

    Gradio's own opens the picture first and answers a broken one with a traceback, and it would fetch an address that a
    caller names instead of a file. This one does neither, and the file is gone soon after it was read.
    """

    is_template = True  # drawn in the browser by gr.Image's own code

    def preprocess(self, payload: ImageData | None) -> bytes | None:  # type: ignore[override]
        """The picture's bytes; None where there is no picture."""
        if payload is None:
            return None
        if payload.url and payload.url.startswith("data:"):
            return _decode(payload.url)
        path = Path(payload.path or "")
        try:
            content = path.read_bytes()
        except OSError:
            return b""
        forget(path)
        return content

    def example_payload(self) -> Any:
        """What the page for programs shows as an example; Gradio's points to another host."""
        return {"path": "photo.jpg", "url": "photo.jpg", "meta": {"_type": "gradio.FileData"}}

    def example_value(self) -> Any:
        """As above."""
        return "photo.jpg"

    async def async_move_resource_to_block_cache(self, url_or_file_path: str | Path | None) -> str | None:
        """As Gradio's, but nothing is fetched from elsewhere."""
        _refuse_addresses(url_or_file_path)
        return await super().async_move_resource_to_block_cache(url_or_file_path)

    def move_resource_to_block_cache(self, url_or_file_path: str | Path | None) -> str | None:
        """As Gradio's, but nothing is fetched from elsewhere."""
        _refuse_addresses(url_or_file_path)
        return super().move_resource_to_block_cache(url_or_file_path)


def forget(path: Path, after: float = GRACE) -> None:
    """Deletes an upload `after` seconds, unless somebody sent the same picture again meanwhile.

    Gradio names uploads by their content, so two visitors with one picture share a file; the second one's replaces it.
    """
    with contextlib.suppress(OSError):
        seen = _identity(path)
        timer = threading.Timer(after, _delete_unchanged, (path, seen))
        timer.daemon = True
        timer.start()


def _delete_unchanged(path: Path, seen: tuple[int, int]) -> None:
    with contextlib.suppress(OSError):
        if _identity(path) == seen:
            path.unlink()
            path.parent.rmdir()


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_ino, status.st_mtime_ns


def _decode(address: str) -> bytes:
    try:
        return base64.b64decode(address.partition(",")[2], validate=True)
    except ValueError:
        return b""


def _refuse_addresses(source: str | Path | None) -> None:
    if isinstance(source, str) and "://" in source:
        raise gr.Error(
            "Send the picture itself; this page fetches nothing from other addresses.", print_exception=False
        )
