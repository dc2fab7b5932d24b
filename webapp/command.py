"""How the web app's commands end: an error that the user can mend is one line on stderr and status 2."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NoReturn

import typer

from fer_core.errors import FerError, file_trouble

BAD_INPUT = 2


def run(function: Callable[..., Any]) -> None:
    """Runs `function` as a command whose arguments are its options."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command(help=function.__doc__)(function)
    try:
        app()
    except FerError as error:
        _fail(str(error))
    except OSError as error:
        _fail(file_trouble(error))


def _fail(message: str) -> NoReturn:
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    raise SystemExit(BAD_INPUT)
