"""`python -m webapp`: the web app on one address."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fer_core.artifacts import DEFAULT_CHECKPOINT
from webapp.settings import HOST, PORT, AllowHostOption, Settings


def main(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 lets others in.")] = HOST,
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes any free one.")] = PORT,
    data: Annotated[
        Path | None, typer.Option(help="A prepared dataset or a raw one, so that the dashboard can show its faces.")
    ] = None,
    checkpoint: Annotated[
        str, typer.Option(help="The model to begin with: a name under checkpoints/ or a folder.")
    ] = DEFAULT_CHECKPOINT,
    allow_host: AllowHostOption = None,
    open_browser: Annotated[bool, typer.Option("--open/--no-browser", help="Whether to open the page.")] = False,
) -> None:
    """Serves the landing page, the demo (/demo) and the dashboard (/dashboard) on one address."""
    from webapp.server import serve

    serve(Settings(host, port, data, checkpoint, tuple(allow_host or ())), open_browser=open_browser)


if __name__ == "__main__":
    from webapp.command import run

    run(main)
