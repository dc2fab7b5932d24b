"""Exports a checkpoint for onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scripts._cli import JsonOption, emit, run


def export(
    checkpoint: Annotated[str, typer.Argument(help="A name under checkpoints/, or a checkpoint's folder.")],
    out: Annotated[Path | None, typer.Option(help="File to write; the checkpoint's own model.onnx by default.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Writes the network as ONNX (uint8 faces in, logits out) and checks it against PyTorch."""
    from fer_core.artifacts import ONNX, find_checkpoint
    from fer_core.classifiers.onnx import export as write

    folder = find_checkpoint(checkpoint)
    target = out or folder / ONNX
    difference = write(folder, target)
    document = {"checkpoint": folder.name, "file": str(target), "max_difference": difference}
    emit(document, as_json, [f"{target}: largest difference from PyTorch {difference:.1e}"])


if __name__ == "__main__":
    run(export)
