"""Lists the trained models that ship."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scripts._cli import JsonOption, emit, run


def checkpoints(as_json: JsonOption = False) -> None:
    """Lists every checkpoint under checkpoints/: name, architecture, size and measured metrics."""
    from fer_core.artifacts import list_checkpoints

    rows = [_row(folder) for folder in list_checkpoints()]
    emit(rows, as_json, map(_line, rows) if rows else ["no checkpoint yet; scripts.train makes one"])


def _row(folder: Path) -> dict[str, Any]:
    from fer_core.artifacts import DEFAULT_CHECKPOINT, load_card, megabytes

    card = load_card(folder)
    return {
        "name": card.name,
        "model": card.model,
        "default": card.name == DEFAULT_CHECKPOINT,
        "parameters": card.parameters,
        "megabytes": round(megabytes(folder, card), 1),
        "labels": list(card.labels),
        "selection": card.selection,
        "metrics": card.metrics,
        "paper": card.paper,
        "folder": str(folder),
    }


def _line(row: dict[str, Any]) -> str:
    found = row["metrics"].get("PrivateTest")
    accuracy = f"{found['accuracy']:.1%} on PrivateTest" if found else "not evaluated"
    return f"{row['name']}  {row['model']}  {row['parameters']:,} parameters  {row['megabytes']} MB  {accuracy}"


if __name__ == "__main__":
    run(checkpoints)
