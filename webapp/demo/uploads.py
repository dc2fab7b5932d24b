"""Where uploads lie for a moment, and how they go: a private folder per process, emptied after every request.

Gradio writes what a visitor sends into a folder before a handler sees it. Here that folder belongs to this process
alone, each file is deleted seconds after it was read, a sweep takes what no handler ever asked for, and the whole
folder goes when the process ends.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import sys
import tempfile
import threading
from pathlib import Path
from typing import Final

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
    atexit.register(remove_folder)
    return folder


def remove_folder() -> None:
    """Deletes this process's upload folder with everything in it."""
    folder = Path(os.environ.get(FOLDER_VARIABLE, ""))
    if folder.name.startswith(f"{_PREFIX}{os.getpid()}-"):
        shutil.rmtree(folder, ignore_errors=True)


def was_uploaded(path: Path) -> bool:
    """Whether a file lies in the upload folder, links and `..` followed; a caller may name any file of this machine."""
    folder = os.environ.get(FOLDER_VARIABLE, "")
    return bool(folder) and path.resolve().is_relative_to(Path(folder).resolve())


def _remove_orphans(parent: Path) -> None:
    """Folders whose process was killed before it could clean up."""
    for folder in parent.glob(f"{_PREFIX}*-*"):
        number = folder.name.removeprefix(_PREFIX).split("-")[0]
        if number.isdigit() and not _runs(int(number)):
            shutil.rmtree(folder, ignore_errors=True)


def _runs(process: int) -> bool:
    if sys.platform == "win32":  # there signal 0 is Ctrl-C
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


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
