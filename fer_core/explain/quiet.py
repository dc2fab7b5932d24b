"""Captum's notices about hooks, silenced."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_LOCK = threading.Lock()


@contextmanager
def captum_quiet() -> Iterator[None]:
    """Silences the warning that Captum gives whenever it hooks a model; the hooks live on a private copy.

    Python 3.11 keeps its warning filters per process, so the callers take turns, for tens of milliseconds each.
    """
    with _LOCK, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"(?s)\s*Setting (forward, )?backward hooks")
        yield
