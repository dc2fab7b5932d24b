"""How far a long computation is: whoever starts it may wrap its items and see them pass."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """Hands items on and shows how many have passed."""

    def __call__(self, items: Iterable[T], total: int, text: str) -> Iterable[T]:
        """The same items, `total` of them; `text` says what they are."""
        ...


def unshown(items: Iterable[T], total: int, text: str) -> Iterable[T]:
    """Hands the items on and shows nothing."""
    return items
