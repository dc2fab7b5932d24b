"""Lists the architectures that can be trained."""

from __future__ import annotations

from typing import Any

from fer_core.config import SIDE
from scripts._cli import JsonOption, emit, run


def models(as_json: JsonOption = False) -> None:
    """Lists every registered architecture: name, parameters with its default options, options, paper."""
    found = rows()
    width = max(len(row["name"]) for row in found)
    emit(found, as_json, (f"{row['name']:<{width}}  {row['parameters']:>12,}  {row['title']}" for row in found))


def rows() -> list[dict[str, Any]]:
    """One object an architecture, by name."""
    from fer_core.models import MODELS

    return [_row(spec) for _, spec in MODELS.items()]


def _row(spec: Any) -> dict[str, Any]:
    """What is said of one architecture; its weights are counted without being made."""
    import torch

    from fer_core.models import parameter_count

    with torch.device("meta"):
        parameters = parameter_count(spec.build(num_classes=7))
    return {
        "name": spec.name,
        "title": spec.title,
        "parameters": parameters,
        "options": spec.options,
        "input_side": SIDE,
        "paper": spec.paper,
    }


if __name__ == "__main__":
    run(models)
