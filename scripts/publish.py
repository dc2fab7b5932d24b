"""Makes a finished run a shipped checkpoint."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from scripts._cli import JsonOption, emit, run
from scripts._dataset import open_dataset


def publish(
    trained: Annotated[Path, typer.Argument(help="The checkpoint folder that scripts.train wrote.")],
    data: Annotated[Path, typer.Option(help="The dataset that it was trained on.")],
    name: Annotated[str, typer.Option(help="Name under checkpoints/; one that is there is replaced.")],
    notes: Annotated[str, typer.Option(help="What else a reader of the card must know.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Copies a trained network to checkpoints/NAME, exports it, and records its evaluation on both test splits.

    This is the one look at PrivateTest; everything about the network must be decided before.
    """
    from fer_core.artifacts import CHECKPOINTS, HISTORY, load_card, load_weights, save_checkpoint, update_card
    from fer_core.classifiers.onnx import export
    from fer_core.evaluation.record import record_evaluation

    dataset = open_dataset(data)
    card, weights = load_card(trained), load_weights(trained)
    draft = CHECKPOINTS / f".{name}.draft"
    shutil.rmtree(draft, ignore_errors=True)
    save_checkpoint(draft, card, weights)
    update_card(draft, name=name, notes=notes)
    shutil.copyfile(trained / HISTORY, draft / HISTORY)
    difference = export(draft)
    metrics = record_evaluation(draft, dataset)
    final = CHECKPOINTS / name
    shutil.rmtree(final, ignore_errors=True)
    draft.rename(final)
    accuracy = metrics["PrivateTest"]["accuracy"]
    document = {"checkpoint": name, "accuracy": accuracy, "max_difference": difference}
    emit(document, as_json, [f"checkpoints/{name}: PrivateTest accuracy {accuracy:.2%}; run scripts.document next"])


if __name__ == "__main__":
    run(publish)
