"""What long commands show on stderr: lines and bars."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


def say(text: str) -> None:
    """A line."""
    print(text, file=sys.stderr, flush=True)


def bar(items: Iterable[T], total: int, text: str) -> Iterable[T]:
    """The items, with a bar that comes where they take longer than half a second, and goes when they end."""
    from tqdm import tqdm

    often = 0.5 if sys.stderr.isatty() else 30  # a log file keeps every state of the bar
    shown: Iterable[T] = tqdm(
        items, total=total, desc=text, unit="", leave=False, delay=0.5, file=sys.stderr, mininterval=often
    )
    return shown
