"""What every command shares: typer with plain help, `--json`, errors as one line on stderr, progress on stderr."""

from __future__ import annotations

import dataclasses
import io
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from fer_core.errors import FerError, file_trouble

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else.")]
"""Type of a command's `as_json: JsonOption = False` argument."""

SmallFacesOption = Annotated[
    bool, typer.Option("--small-faces", help="Search finer, for small faces behind large ones; takes longer.")
]
"""The same of `small_faces: SmallFacesOption = False`."""

BAD_INPUT = 2


def run(function: Callable[..., Any]) -> None:
    """Runs `function` as a command whose arguments are the options; what the user can mend is one line and status 2."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file name may hold what the terminal cannot show
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command(help=function.__doc__)(function)
    try:
        app()
    except FerError as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail("stopped", status=130)
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None
    except OSError as error:
        fail(file_trouble(error))


def fail(message: str, status: int = BAD_INPUT) -> NoReturn:
    """Ends the command with one line on stderr."""
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    raise SystemExit(status)


def emit(document: Any, as_json: bool, lines: Iterable[str]) -> None:
    """Prints the JSON document, or the lines for people."""
    if as_json:
        print(json.dumps(document, default=_plain, ensure_ascii=False, allow_nan=False))
    else:
        for line in lines:
            print(line)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):  # NumPy scalars and arrays
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no JSON form")
