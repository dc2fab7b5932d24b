"""What a training run shows on stderr: lines and bars."""

from __future__ import annotations

import sys
from typing import Any


def say(text: str) -> None:
    """A line."""
    print(text, file=sys.stderr, flush=True)


def bar(items: Any, total: int, text: str) -> Any:
    """The items, with a bar that goes when they end."""
    from tqdm import tqdm

    often = 0.5 if sys.stderr.isatty() else 30  # a log file keeps every state of the bar
    return tqdm(items, total=total, desc=text, unit="batch", leave=False, file=sys.stderr, mininterval=often)
