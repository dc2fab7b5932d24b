"""Makes a finished run, an ensemble or a classical method a shipped checkpoint."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Annotated

import typer

from scripts._cli import JsonOption, emit, run
from scripts._dataset import open_dataset
from scripts._options import VIEWS_HELP


def publish(
    trained: Annotated[Path, typer.Argument(help="The run, or the checkpoint folder, that a training command wrote.")],
    data: Annotated[Path, typer.Option(help="The dataset that it was trained on.")],
    name: Annotated[str, typer.Option(help="Name under checkpoints/; one that is there is replaced.")],
    notes: Annotated[str, typer.Option(help="What else a reader of the card must know.")] = "",
    views: Annotated[str | None, typer.Option(help=f"{VIEWS_HELP} As it was, unless told.")] = None,
    half: Annotated[
        bool, typer.Option(help="Keep a network's kernels and matrices in half precision: files of half the size.")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Copies a checkpoint to checkpoints/NAME, exports a network, and records its evaluation on both test splits.

    This is the one look at PrivateTest; everything about the checkpoint must be decided before. What is judged are the
    weights as they ship, rounded to half precision unless --no-half keeps them from it.
    """
    from fer_core.artifacts import CHECKPOINTS, NETWORK, find_checkpoint, load_card, update_card
    from fer_core.classifiers.folded_views import check_views
    from fer_core.evaluation.record import record_evaluation
    from fer_core.files import replace_folder

    check_name(name)
    trained = find_checkpoint(trained)
    dataset = open_dataset(data)
    draft = CHECKPOINTS / f".{name}.draft"
    shutil.rmtree(draft, ignore_errors=True)
    is_network = load_card(trained).kind == NETWORK
    difference = _copy_network(trained, draft, half) if is_network else None
    if not is_network:
        _copy_whole(trained, draft)
    told = {"notes": notes or None, "views": views and check_views(views)}
    update_card(draft, name=name, **{key: value for key, value in told.items() if value})
    metrics = record_evaluation(draft, dataset)
    replace_folder(draft, CHECKPOINTS / name)
    accuracy = metrics["PrivateTest"]["accuracy"]
    document = {"checkpoint": name, "accuracy": accuracy, "max_difference": difference}
    emit(document, as_json, [f"checkpoints/{name}: PrivateTest accuracy {accuracy:.2%}; run scripts.document next"])


def check_name(name: str) -> None:
    """Raises ConfigError unless a checkpoint can have the name; `..`, say, would be another folder."""
    from fer_core.errors import ConfigError
    from fer_core.studies.results import leaderboard_folder

    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name) or name == leaderboard_folder().name:
        raise ConfigError(
            f"--name {name!r} cannot name a checkpoint; take small letters, digits, - and _, such as vgg_se_long"
        )


def _copy_network(trained: Path, draft: Path, half: bool) -> float:
    """Weights, card, history and a fresh export; returns the export's largest difference from PyTorch."""
    from fer_core.artifacts import HISTORY, halved, load_card, load_weights, save_checkpoint
    from fer_core.classifiers.onnx import export

    weights = load_weights(trained)
    save_checkpoint(draft, load_card(trained), halved(weights) if half else weights)
    shutil.copyfile(trained / HISTORY, draft / HISTORY)
    return export(draft)


def _copy_whole(trained: Path, draft: Path) -> None:
    """An ensemble or a classical method, with the members that it carries."""
    from fer_core.artifacts import check_weights

    check_weights(trained)
    shutil.copytree(trained, draft)


if __name__ == "__main__":
    run(publish)
