"""The same checkpoints judged under every protocol, with what each protocol lets leak."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fer_core.errors import ConfigError
from scripts._cli import JsonOption, emit, run
from scripts._dataset import open_dataset
from scripts._retraining import say

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
    retrain: Annotated[str | None, typer.Option(help="Train this architecture anew under each protocol, too.")] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of each training of --retrain.")] = 10,
    out: Annotated[Path, typer.Option(help="Folder for the runs of --retrain; a killed one goes on there.")] = RUNS,
    backend: Annotated[str, typer.Option(help="auto, onnx or torch.")] = "auto",
    record: Annotated[
        bool, typer.Option("--record", help="Keep the table beside each checkpoint, for README and dashboard.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Judges checkpoints under every protocol: one table of accuracy, its interval, macro F1 and leaks.

    A figure from another paper stands beside the row of its protocol, not beside the official one. `leak` counts test
    images of which a copy is in the Training that the checkpoint learned from; `own leak` those of which a copy is in
    the part that the protocol itself trains on, which is what a model of --retrain learned from.
    """
    from fer_core.evaluation.protocols import ORDER, describe

    if not checkpoints and not retrain:
        raise ConfigError("name a checkpoint to judge, or an architecture to train with --retrain")
    if record and (only or limit):
        raise ConfigError("what is recorded is the whole table; leave --only and --limit out")
    dataset = open_dataset(data)
    division = {"split": split, "seed": seed, "limit": limit, "names": tuple(only or ORDER)}
    rows = []
    for name in checkpoints or ():
        found = _judged(name, backend, dataset, division)
        _keep(name, {"split": split, "seed": seed, "rows": found}) if record else None
        rows += found
    if retrain:
        rows += _retrained(retrain, epochs, out, dataset, division)
    document = {
        "split": split,
        "seed": seed,
        "protocols": {name: describe(name) for name in only or ORDER},
        "rows": rows,
    }
    emit(document, as_json, _lines(document))


def _keep(name: str, document: dict[str, Any]) -> None:
    from fer_core.artifacts import PROTOCOLS, find_checkpoint, save_record

    save_record(find_checkpoint(name), PROTOCOLS, document)


def _judged(name: str, backend: str, dataset: FaceDataset, division: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of a trained checkpoint."""
    from fer_core.classifiers import load_classifier
    from fer_core.evaluation.comparison import compare_protocols, divided

    classifier = load_classifier(name, backend=backend)
    here = classifier.card.data.get("fingerprint") == dataset.fingerprint
    if not here:
        say(f"{classifier.name} was trained on other data; its leak counts copies in the Training of this one")
    found = compare_protocols(classifier, divided(dataset, classifier.labels, **division), progress=_bar)
    return [{"checkpoint": classifier.name, "trained_on_this_data": here, **row} for row in found]


def _retrained(
    model: str, epochs: int, out: Path, dataset: FaceDataset, division: dict[str, Any]
) -> list[dict[str, Any]]:
    """Rows of an architecture that learns under each protocol."""
    from fer_core.config import ExecutionConfig, TrainConfig
    from fer_core.evaluation.comparison import divided
    from fer_core.labels import EMOTIONS
    from scripts._retraining import retrained

    config = TrainConfig(model=model, epochs=epochs, seed=division["seed"])
    found = retrained(config, ExecutionConfig(), divided(dataset, EMOTIONS, **division), out)
    return [{"checkpoint": f"{model}, retrained", "trained_on_this_data": True, **row} for row in found]


def _lines(document: dict[str, Any]) -> Iterator[str]:
    width = max(len(row["checkpoint"]) for row in document["rows"])
    yield f"{'checkpoint':<{width}}  {'protocol':<20}{'images':>7}{'accuracy':>10}{'95 % interval':>17}" + (
        f"{'macro F1':>10}{'leak':>7}{'own leak':>10}"
    )
    for row in document["rows"]:
        low, high = row["accuracy_interval"]
        yield (
            f"{row['checkpoint']:<{width}}  {row['protocol']:<20}{row['n']:>7}{row['accuracy']:>10.2%}"
            f"{low:>8.1%} to{high:>6.1%}{row['macro_f1']:>10.2%}{row['leak']:>7}{row['own_leak']:>10}"
        )
    yield ""
    for name, text in document["protocols"].items():
        yield f"{name:<20} {text}"


def _bar(chunks: Any, total: int) -> Any:
    from tqdm import tqdm

    return tqdm(chunks, total=total, unit="batch", leave=False)


if __name__ == "__main__":
    run(protocols)
