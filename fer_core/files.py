"""Files and folders that are never half-written: a draft beside the target, then a rename."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

CACHE_VARIABLE: Final = "FER_CACHE"
"""Environment variable that names the folder for what can be made again."""


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yields a temporary path beside `target`; it takes the target's place when the block ends without an error."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(target: Path, text: str) -> None:
    """Writes UTF-8 text in one step."""
    with replacing(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(target: Path, document: Any) -> None:
    """Writes a JSON document, indented by two blanks, in one step."""
    write_text(target, json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def replace_folder(draft: Path, target: Path) -> Path:
    """Puts a finished folder in the place of `target`, beside which it lies, and returns `target`.

    What was there goes last: until the draft is in its place, the old folder is there or beside it as
    `.NAME.replaced`, so that a kill loses neither.
    """
    old = target.with_name(f".{target.name}.replaced")
    if target.exists():
        shutil.rmtree(old, ignore_errors=True)
        target.rename(old)
    try:
        draft.rename(target)
    except BaseException:
        if old.exists():
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)
    return target


def cache_folder() -> Path:
    """Where datasets and models that were prepared on the way are kept: `$FER_CACHE`, or `fer` in the user's cache."""
    if chosen := os.environ.get(CACHE_VARIABLE):
        return Path(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "fer"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "fer"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fer"
