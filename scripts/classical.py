"""Trains a classical method on features of the faces."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fer_core.artifacts import RUNS_CHECKPOINT
from fer_core.errors import ConfigError
from scripts._cli import JsonOption, emit, run
from scripts._dataset import open_dataset
from scripts._options import VIEWS_HELP, json_object
from scripts._progress import say


def classical(
    method: Annotated[str, typer.Argument(help="linear_svm, rbf_svm or random_forest.")],
    data: Annotated[Path, typer.Option(help="Prepared dataset, or a raw source that is prepared on the way.")],
    out: Annotated[Path, typer.Option(help="Folder to write; the trained method is its folder `checkpoint`.")],
    features: Annotated[str, typer.Option(help="hog, sift_words or network.")] = "hog",
    checkpoint: Annotated[
        str | None, typer.Option(help="The checkpoint whose features are taken, with --features network.")
    ] = None,
    feature_options: Annotated[str, typer.Option(help="Options of the features, a JSON object.")] = "{}",
    faces: Annotated[int, typer.Option(min=0, help="Faces of Training at most, drawn at random; 0 takes all.")] = 0,
    seed: Annotated[int, typer.Option(help="Seed of whatever is drawn.")] = 0,
    views: Annotated[str, typer.Option(help=VIEWS_HELP)] = "single",
    as_json: JsonOption = False,
) -> None:
    """Trains METHOD on Training; PublicTest chooses its options and calibrates it, PrivateTest is not looked at."""
    from fer_core.artifacts import find_checkpoint
    from fer_core.classical import CLASSICAL
    from fer_core.classifiers import load_classifier
    from fer_core.classifiers.classical import build_classical
    from fer_core.classifiers.folded_views import check_views
    from fer_core.features import FEATURES
    from fer_core.features.base import needs_network

    title, kind = CLASSICAL[method].title, FEATURES[features]
    if checkpoint and not needs_network(kind.name):
        raise ConfigError(f"{features} features need no checkpoint; add --features network, or leave --checkpoint out")
    check_views(views)
    card = build_classical(
        out / RUNS_CHECKPOINT,
        method,
        features,
        open_dataset(data),
        lambda folder: load_classifier(folder, backend="torch"),
        network=find_checkpoint(checkpoint) if checkpoint else None,
        feature_options=json_object("feature_options", feature_options),
        faces=faces,
        seed=seed,
        views=views,
        report=say,
    )
    document = {
        "checkpoint": str(out / RUNS_CHECKPOINT),
        "method": method,
        "features": features,
        "options": card.options,
        "faces": card.data["faces"],
        "seconds": card.training["seconds"],
        "tried": card.training["tried"],
        "best": card.selection,
    }
    accuracy = card.selection["value"]
    emit(document, as_json, [f"{title}: PublicTest accuracy {accuracy:.4f}; checkpoint in {out / 'checkpoint'}"])


if __name__ == "__main__":
    run(classical)
