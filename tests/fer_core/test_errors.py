"""The exception tree: as its docstring draws it, and all of it the user's to mend."""

from __future__ import annotations

import inspect
import re

import pytest

from fer_core import errors


def _classes() -> list[type[Exception]]:
    found = inspect.getmembers(errors, inspect.isclass)
    return [value for _, value in found if issubclass(value, Exception) and value.__module__ == errors.__name__]


@pytest.mark.parametrize("error", _classes(), ids=lambda error: error.__name__)
def test_every_error_is_drawn_under_its_parent(error: type[Exception]) -> None:
    drawing = (errors.__doc__ or "").splitlines()
    depth = {found[2]: len(found[1]) for line in drawing if (found := re.match(r"([ │├└─]*)([A-Z]\w+)", line))}
    assert error.__name__ in depth
    parent = error.__bases__[0].__name__
    if parent != "Exception":
        assert depth[parent] < depth[error.__name__]


@pytest.mark.parametrize("error", _classes(), ids=lambda error: error.__name__)
def test_every_error_is_a_fer_error(error: type[Exception]) -> None:
    assert issubclass(error, errors.FerError)


def test_broken_rows_travel_with_their_error() -> None:
    rejected = [errors.Rejection(3, "2303 pixels"), errors.Rejection("a.png", "not an image")]
    error = errors.RowsError("2 rows are broken", rejected)
    assert error.rejected == tuple(rejected)
    assert str(error) == "2 rows are broken"
