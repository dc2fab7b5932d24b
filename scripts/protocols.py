"""The same checkpoints judged under every protocol, with what each protocol lets leak."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from scripts._cli import JsonOption, emit, run
from scripts._dataset import open_dataset


def protocols(
    checkpoints: Annotated[list[str], typer.Argument(help="Names under checkpoints/, or folders of checkpoints.")],
    data: Annotated[Path, typer.Option(help="Prepared dataset, or a raw source that is prepared on the way.")],
    split: Annotated[str, typer.Option(help="Split of the protocols that keep the published one.")] = "PrivateTest",
    seed: Annotated[int, typer.Option(help="Seed of the protocols that copy faces or split anew.")] = 0,
    backend: Annotated[str, typer.Option(help="auto, onnx or torch.")] = "auto",
    as_json: JsonOption = False,
) -> None:
    """Judges checkpoints under every protocol: one table of accuracy, its interval, macro F1 and leaks.

    A figure from another paper stands beside the row of its protocol, not beside the official one. `leak` counts test
    images of which a copy is in the Training that the checkpoint learned from; `own leak` those of which a copy is in
    the part that the protocol itself would train on.
    """
    from fer_core.classifiers import load_classifier
    from fer_core.evaluation.comparison import compare_protocols
    from fer_core.evaluation.protocols import ORDER, describe

    dataset = open_dataset(data)
    classifiers = [load_classifier(name, backend=backend) for name in checkpoints]
    rows = [
        {"checkpoint": classifier.name, **row}
        for classifier in classifiers
        for row in compare_protocols(classifier, dataset, split=split, seed=seed, progress=_bar)
    ]
    document = {
        "split": split,
        "seed": seed,
        "protocols": {name: describe(name) for name in ORDER},
        "rows": rows,
    }
    emit(document, as_json, _lines(document))


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
