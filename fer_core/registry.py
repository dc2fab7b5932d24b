"""Names looked up: a duplicate name fails at import, an unknown one with the closest that exists."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from fer_core.errors import UnknownNameError

T = TypeVar("T")


class Registry(Generic[T]):
    """A mapping from public names to things of one kind, filled by the modules that define them.

    Args:
        kind: what an entry is, in the singular, for messages ("model", "explainer").
        package: full name of a package whose modules register themselves; they are imported at the first look.
    """

    def __init__(self, kind: str, package: str = "") -> None:
        self.kind = kind
        self._package = package
        self._lock = threading.RLock()
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
        self._fill()
        try:
            return self._entries[name]
        except KeyError:
            raise UnknownNameError(self._unknown(name)) from None

    def __contains__(self, name: object) -> bool:
        self._fill()
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        self._fill()
        return iter(sorted(self._entries))

    def __len__(self) -> int:
        self._fill()
        return len(self._entries)

    def items(self) -> list[tuple[str, T]]:
        """(name, entry) pairs in the order of the names."""
        return [(name, self._entries[name]) for name in self]

    def _fill(self) -> None:
        with self._lock:  # a second thread waits until the first has imported all
            name, self._package = self._package, ""
            try:
                if name:
                    for module in pkgutil.iter_modules(importlib.import_module(name).__path__):
                        importlib.import_module(f"{name}.{module.name}")
            except BaseException:
                self._package = name  # the next look meets the same error, not half a registry
                raise

    def _unknown(self, name: str) -> str:
        close = difflib.get_close_matches(str(name), self._entries, n=1)
        hint = f"closest: {close[0]!r}" if close else f"there are: {', '.join(self)}"
        return f"no {self.kind} {name!r}; {hint}"
