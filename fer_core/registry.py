"""Names looked up: a duplicate name fails at import, an unknown one with the closest that exists."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from fer_core.errors import UnknownNameError

T = TypeVar("T")


class Registry(Generic[T]):
    """A mapping from public names to things of one kind, filled by the modules that define them.

    Args:
        kind: what an entry is, in the singular, for messages ("model", "explainer").
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, T] = {}

    def add(self, name: str, entry: T) -> T:
        """Registers `entry` under `name`; raises ValueError where the name is taken."""
        if name in self._entries:
            raise ValueError(f"the {self.kind} {name!r} is registered already")
        self._entries[name] = entry
        return entry

    def register(self, name: str) -> Callable[[T], T]:
        """`add` as a decorator."""
        return lambda entry: self.add(name, entry)

    def __getitem__(self, name: str) -> T:
        """The entry; raises UnknownNameError that names the closest one."""
        try:
            return self._entries[name]
        except KeyError:
            raise UnknownNameError(self._unknown(name)) from None

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def items(self) -> list[tuple[str, T]]:
        """(name, entry) pairs in the order of the names."""
        return [(name, self._entries[name]) for name in self]

    def _unknown(self, name: str) -> str:
        close = difflib.get_close_matches(str(name), self._entries, n=1)
        hint = f"closest: {close[0]!r}" if close else f"there are: {', '.join(self)}"
        return f"no {self.kind} {name!r}; {hint}"
