"""The same checkpoints judged under every protocol, with what each protocol lets leak."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fer_core.artifacts import PROTOCOLS, find_checkpoint, load_record, save_record
from fer_core.errors import CheckpointError, ConfigError
from scripts._cli import JsonOption, emit, run
from scripts._dataset import open_dataset
from scripts._progress import bar, say

if TYPE_CHECKING:
    from fer_core.data.table import FaceDataset

RUNS = Path("runs") / "protocols"


def protocols(
    data: Annotated[Path, typer.Option(help="Prepared dataset, or a raw source that is prepared on the way.")],
    checkpoints: Annotated[
        list[str] | None, typer.Argument(help="Names under checkpoints/, or folders of checkpoints.")
    ] = None,
    split: Annotated[str, typer.Option(help="Split of the protocols that keep the published one.")] = "PrivateTest",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the protocols that copy faces or split anew.")] = 0,
    only: Annotated[list[str] | None, typer.Option(help="Only this protocol; may be given more than once.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Judge at most that many images a protocol.")] = None,
    retrain: Annotated[
        str | None,
        typer.Option(
            help="Train this architecture anew under each protocol, too, as the checkpoint of that name was trained, "
            "but from fresh weights."
        ),
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of each training of --retrain.")] = 10,
    out: Annotated[Path, typer.Option(help="Folder for the runs of --retrain; a killed one goes on there.")] = RUNS,
    backend: Annotated[str, typer.Option(help="auto, onnx or torch.")] = "auto",
    record: Annotated[
        bool,
        typer.Option(
            "--record",
            help="Keep the table beside each checkpoint, for README and dashboard; rows of --retrain beside the "
            "checkpoint that has the architecture's name.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Judges checkpoints under every protocol: one table of accuracy, its interval, macro F1 and leaks.

    A figure from another paper stands beside the row of its protocol, not beside the official one. `own leak` is the
    protocol's: test images of which a copy is in the part that it trains on. `learnt` is the model's: test images of
    which a copy is in the faces that this model was trained on, so that only a model of --retrain answers a protocol as
    its publications do. `distinct` counts different images; the interval gives one that occurs often the weight of one.
    """
    from fer_core.evaluation.protocols import CLAIMS, ORDER, describe

    if not checkpoints and not retrain:
        raise ConfigError("name a checkpoint to judge, or an architecture to train with --retrain")
    if record and (only or limit):
        raise ConfigError("what is recorded is the whole table; leave --only and --limit out")
    if record and retrain:
        _shipped(retrain)  # known before hours of training
    dataset = open_dataset(data)
    division = {"split": split, "seed": seed, "limit": limit, "names": tuple(only or ORDER)}
    rows = []
    for name in checkpoints or ():
        found = _judged(name, backend, dataset, division)
        _keep(find_checkpoint(name), split, seed, found) if record else None
        rows += found
    if retrain:
        found = _retrained(retrain, epochs, out, dataset, division)
        _keep(_shipped(retrain), split, seed, found) if record else None
        rows += found
    document = {
        "split": split,
        "seed": seed,
        "protocols": {name: describe(name) for name in only or ORDER},
        "published_by_others": {name: claim for name, claim in CLAIMS.items() if name in (only or ORDER)},
        "rows": rows,
    }
    emit(document, as_json, _lines(document))


def _shipped(model: str) -> Path:
    """The folder of the checkpoint that has an architecture's name; raises ConfigError where none ships."""
    try:
        return find_checkpoint(model)
    except CheckpointError as error:
        reason = "rows of --retrain are recorded beside the checkpoint of the architecture's name"
        raise ConfigError(f"{reason}, and there is none ({error}); leave --record out") from error


def _keep(folder: Path, split: str, seed: int, rows: list[dict[str, Any]]) -> None:
    """Records rows of one kind, trained before or anew; those of the other kind stay where they are comparable."""
    kind, before = rows[0]["retrained"], load_record(folder, PROTOCOLS) or {}
    others = [row for row in before.get("rows", ()) if row.get("retrained", False) != kind]
    if others and (before["split"], before["seed"]) != (split, seed):
        say(f"{folder.name}: rows that were recorded with another --split or --seed are dropped")
        others = []
    both = [*others, *rows] if kind else [*rows, *others]
    save_record(folder, PROTOCOLS, {"split": split, "seed": seed, "rows": both})


def _judged(name: str, backend: str, dataset: FaceDataset, division: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of a trained checkpoint."""
    from fer_core.classifiers import load_classifier
    from fer_core.evaluation.comparison import compare_protocols, divided

    classifier = load_classifier(name, backend=backend)
    here = classifier.card.data.get("fingerprint") == dataset.fingerprint
    if not here:
        say(f"{classifier.name} was trained on other data; its leak counts copies in the Training of this one")
    found = compare_protocols(classifier, divided(dataset, classifier.labels, **division), progress=bar)
    return [{"checkpoint": classifier.name, "retrained": False, "trained_on_this_data": here, **row} for row in found]


def _retrained(
    model: str, epochs: int, out: Path, dataset: FaceDataset, division: dict[str, Any]
) -> list[dict[str, Any]]:
    """Rows of an architecture that learns under each protocol."""
    from fer_core.config import ExecutionConfig
    from fer_core.evaluation.comparison import divided
    from fer_core.labels import EMOTIONS
    from scripts._retraining import recipe, retrained

    parts = divided(dataset, EMOTIONS, **division)
    found = retrained(recipe(model, epochs, division["seed"], votes=dataset.has_votes), ExecutionConfig(), parts, out)
    about = {"checkpoint": f"{model}, retrained", "retrained": True, "epochs": epochs, "trained_on_this_data": True}
    return [{**about, **row} for row in found]


def _lines(document: dict[str, Any]) -> Iterator[str]:
    width = max(len("checkpoint"), *(len(row["checkpoint"]) for row in document["rows"]))
    yield f"{'checkpoint':<{width}}  {'protocol':<20}{'images':>7}{'distinct':>10}{'accuracy':>10}" + (
        f"{'95 % interval':>17}{'macro F1':>10}{'own leak':>16}{'learnt':>16}"
    )
    for row in document["rows"]:
        low, high = row["accuracy_interval"]
        yield (
            f"{row['checkpoint']:<{width}}  {row['protocol']:<20}{row['n']:>7}{row['distinct']:>10}"
            f"{row['accuracy']:>10.2%}{low:>8.1%} to{high:>6.1%}{row['macro_f1']:>10.2%}"
            f"{_of(row, 'own_leak'):>16}{_of(row, 'leak'):>16}"
        )
    yield ""
    yield "own leak: test images with a copy in what the protocol trains on; learnt: with a copy in what the model was"
    yield "trained on, whichever protocol judges it. Where learnt is far above own leak, accuracy is largely memory."
    yield ""
    for name, text in document["protocols"].items():
        yield f"{name:<20} {text}"
    for name, claim in document["published_by_others"].items():
        yield f"published by others under {name}: {claim}"


def _of(row: dict[str, Any], key: str) -> str:
    """A count of test images and its share of them."""
    return f"{row[key]} ({row[key] / row['n']:.1%})"


if __name__ == "__main__":
    run(protocols)
