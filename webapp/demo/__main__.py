"""`python -m webapp.demo`: the demo alone, as Gradio's users start one."""

from __future__ import annotations

from typing import Annotated

import typer

from fer_core.artifacts import DEFAULT_CHECKPOINT
from webapp.settings import HOST, PORT, AllowHostOption, Settings


def main(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 lets others in.")] = HOST,
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes any free one.")] = PORT,
    checkpoint: Annotated[
        str, typer.Option(help="The model to begin with: a name under checkpoints/ or a folder.")
    ] = DEFAULT_CHECKPOINT,
    allow_host: AllowHostOption = None,
) -> None:
    """Serves the demo alone."""
    from webapp.server import serve_demo

    serve_demo(Settings(host, port, checkpoint=checkpoint, allowed=tuple(allow_host or ())))


if __name__ == "__main__":
    from webapp.command import run

    run(main)
