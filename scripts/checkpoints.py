"""Lists the trained models that ship."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scripts._cli import JsonOption, emit, run

if TYPE_CHECKING:
    import pandas as pd


def checkpoints(
    against: Annotated[
        str | None, typer.Option(help="Compare each with this one (a name or a folder) on the faces that both judged.")
    ] = None,
    split: Annotated[str, typer.Option(help="Faces of that comparison: PrivateTest or PublicTest.")] = "PrivateTest",
    as_json: JsonOption = False,
) -> None:
    """Lists every checkpoint under checkpoints/: name, architecture, size and measured metrics.

    With --against NAME also how much more or less accurate each is than NAME on the same faces, from the predictions
    that ship: the difference with its 95 % interval, and McNemar's exact p. Whether two models' own intervals overlap
    does not decide that. Models that were judged by other labels are not compared.
    """
    from fer_core.artifacts import list_checkpoints

    folders = list_checkpoints()
    rows = [_row(folder) for folder in folders]
    if against is not None:
        compared = _compared(folders, against, split)
        rows = [row | {"compared": compared.get(folder.resolve())} for row, folder in zip(rows, folders, strict=True)]
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


def _compared(folders: Sequence[Path], against: str, split: str) -> dict[Path, dict[str, Any]]:
    """By folder what the comparison with `against` gave, for those that can be compared."""
    from fer_core.artifacts import PREDICTIONS, find_checkpoint, load_card
    from fer_core.evaluation.pairs import differences

    base = find_checkpoint(against).resolve()
    judged = [folder.resolve() for folder in folders if (folder / PREDICTIONS).is_file()]
    tables = {folder: _judged(folder, split) for folder in dict.fromkeys((base, *judged))}
    common = {"against": load_card(base).name, "split": split}
    return {folder: common | asdict(found) for folder, found in differences(tables, base).items()}


def _judged(folder: Path, split: str) -> pd.DataFrame:
    """The predictions of a split; raises ConfigError where there is no such split."""
    from fer_core.errors import ConfigError
    from fer_core.evaluation.predictions import load_predictions
    from fer_core.labels import SPLITS

    if split not in SPLITS[1:]:
        raise ConfigError(f"no predictions of {split!r} ship; there are those of {' and '.join(SPLITS[1:])}")
    table = load_predictions(folder)
    return table[table["split"] == split]


def _line(row: dict[str, Any]) -> str:
    found = row["metrics"].get("PrivateTest")
    accuracy = f"{found['accuracy']:.1%} on PrivateTest" if found else "not evaluated"
    line = f"{row['name']}  {row['model']}  {row['parameters']:,} parameters  {row['megabytes']} MB  {accuracy}"
    return line + (f"  {_difference(row['compared'])}" if row.get("compared") else "")


def _difference(found: dict[str, Any]) -> str:
    low, high = found["interval"]
    return (
        f"{100 * found['difference']:+.1f} points to {found['against']} on {found['n']:,} faces of {found['split']} "
        f"(95 % interval {100 * low:+.1f} to {100 * high:+.1f}, p {found['p_value']:.2g})"
    )


if __name__ == "__main__":
    run(checkpoints)
