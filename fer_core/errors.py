"""One exception tree. Every message is one sentence or two: what was wrong, and how to mend it.

FerError
├── ConfigError       an option has a value that cannot work
├── UnknownNameError  a registry has no such name
├── DataError         a dataset cannot be used
│   ├── FormatError   the source is in no form that is known, or its header or structure is broken
│   └── RowsError     rows of the source are broken; carries each of them
├── CheckpointError   a checkpoint folder is missing, incomplete or does not fit
├── ImageError        a picture cannot be read
└── UnsupportedError  the request makes sense but this model or machine cannot do it
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class FerError(Exception):
    """Base of every error that is the user's to mend; scripts print it as one line and exit with status 2."""


def file_trouble(error: OSError) -> str:
    """What the file system refused, in a sentence for whoever gave the command."""
    if error.filename is None:
        return f"the file system refused ({error.strerror or error}); see that the disk has room"
    why = error.strerror or type(error).__name__
    return f"{error.filename} cannot be read or written ({why}); name another place, or see that this one may be used"


class ConfigError(FerError):
    """An option has a value that cannot work."""


class UnknownNameError(FerError):
    """A registry has no entry of that name."""


class DataError(FerError):
    """A dataset cannot be used."""


class FormatError(DataError):
    """The source is in no form that is known, or its header or structure is broken."""


@dataclass(frozen=True)
class Rejection:
    """One row of a source that cannot be used: its 0-based number (or file name) and the reason."""

    row: int | str
    reason: str


class RowsError(DataError):
    """Rows of the source are broken; `rejected` names each of them."""

    def __init__(self, message: str, rejected: Sequence[Rejection]) -> None:
        super().__init__(message)
        self.rejected = tuple(rejected)


class CheckpointError(FerError):
    """A checkpoint folder is missing, incomplete or does not fit."""


class ImageError(FerError):
    """A picture cannot be read."""


class UnsupportedError(FerError):
    """The request makes sense, but this model or machine cannot do it."""
