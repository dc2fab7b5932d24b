"""Accuracy of a checkpoint on corrupted faces: six corruptions at five strengths each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from scripts._cli import JsonOption, emit, run
from scripts._dataset import open_dataset
from scripts._progress import bar


def robustness(
    checkpoint: Annotated[str, typer.Argument(help="A name under checkpoints/, or a checkpoint's folder.")],
    data: Annotated[Path, typer.Option(help="Prepared dataset, or a raw source that is prepared on the way.")],
    split: Annotated[str, typer.Option(help="Training, PublicTest, PrivateTest or all.")] = "PublicTest",
    limit: Annotated[int | None, typer.Option(help="Judge that many faces of the split, drawn at random.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draw and of what is random about the corruptions.")] = 0,
    backend: Annotated[str, typer.Option(help="auto, onnx or torch.")] = "auto",
    record: Annotated[bool, typer.Option("--record", help="Keep the table beside the checkpoint.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Judges a checkpoint under brightness, contrast, blur, noise, rotation and occlusion at strengths 1 to 5.

    Every face is judged 31 times, so --limit makes a quick look. A strength means the same for every checkpoint.
    """
    from fer_core.artifacts import ROBUSTNESS, find_checkpoint, save_record
    from fer_core.classifiers import load_classifier
    from fer_core.evaluation.labels import labelled_for
    from fer_core.evaluation.protocols import PROTOCOLS
    from fer_core.evaluation.robustness import robustness_table, some, summarise

    dataset = open_dataset(data)
    classifier = load_classifier(checkpoint, backend=backend)
    whole = PROTOCOLS["official"](labelled_for(dataset, classifier.labels), split, 0).test_faces
    table = robustness_table(classifier, some(whole, limit, seed), seed=seed, progress=bar)
    document = {
        "checkpoint": classifier.name,
        "split": split,
        "n": int(table["n"].iloc[0]),
        "seed": seed,
        "accuracy": summarise(table),
        "by_strength": [{**row, "accuracy": round(row["accuracy"], 6)} for row in table.to_dict("records")],
        "device": classifier.device,
    }
    if record:
        save_record(find_checkpoint(checkpoint), ROBUSTNESS, document)
    emit(document, as_json, _lines(document))


def _lines(document: dict[str, Any]) -> Iterator[str]:
    from fer_core.evaluation.robustness import CORRUPTIONS, STRENGTHS

    means = document["accuracy"]
    found = {(row["corruption"], row["strength"]): row["accuracy"] for row in document["by_strength"]}
    yield f"{document['checkpoint']} on {document['n']} faces of {document['split']}, accuracy in percent"
    yield f"  {'as they are':<12}{means['clean']:>8.2%}"
    yield f"  {'strength':<12}{'mean':>8}" + "".join(f"{strength:>8}" for strength in STRENGTHS)
    for name, corruption in CORRUPTIONS.items():
        cells = "".join(f"{found[name, strength]:>8.1%}" for strength in STRENGTHS)
        yield f"  {name:<12}{means[name]:>8.2%}{cells}  {corruption.title}"
    yield f"  {'mean':<12}{means['mean']:>8.2%}"


if __name__ == "__main__":
    run(robustness)
