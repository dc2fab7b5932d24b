"""Evaluates a checkpoint on a split of a dataset."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from scripts._cli import JsonOption, emit, run
from scripts._dataset import (
    FindFacesOption,
    FirstNeutralOption,
    LabelMapOption,
    SkipBrokenOption,
    hint_at_framing,
    open_dataset,
    read_options,
)
from scripts._progress import bar

_SUBJECTS = 12
"""Subjects that are printed."""


def evaluate(
    checkpoint: Annotated[str, typer.Argument(help="A name under checkpoints/, or a checkpoint's folder.")],
    data: Annotated[Path, typer.Option(help="Prepared dataset, or a raw source that is prepared on the way.")],
    split: Annotated[
        str, typer.Option(help="Training, PublicTest (while anything is still to be chosen), PrivateTest, or all.")
    ] = "PrivateTest",
    tta: Annotated[
        str,
        typer.Option(help="Views of each face: single, flip, flip_zoom (mirror image a tenth larger) or ten_crop."),
    ] = "single",
    protocol: Annotated[
        str,
        typer.Option(
            help="official: the whole split; deduplicated: without exact twins of training faces; cleaned, resplit, "
            "oversampled, cleaned_oversampled: see scripts.protocols, which compares them all."
        ),
    ] = "official",
    labels: Annotated[
        str,
        typer.Option(help="fer2013, ferplus (majority of the votes) or auto: ferplus for a model of eight classes."),
    ] = "auto",
    backend: Annotated[str, typer.Option(help="auto, onnx or torch.")] = "auto",
    record: Annotated[
        bool,
        typer.Option(
            "--record", help="Calibrate on PublicTest, judge both test splits and keep the figures in the checkpoint."
        ),
    ] = False,
    label_map: LabelMapOption = None,
    first_neutral: FirstNeutralOption = False,
    find_faces: FindFacesOption = False,
    skip_broken: SkipBrokenOption = False,
    as_json: JsonOption = False,
) -> None:
    """Judges every face of a split and prints accuracy with its 95 % interval, F1, calibration and confusion.

    Faces whose label the model does not know are left out and counted by that label. A dataset without official splits
    is judged whole with --split all. Where a dataset names who is shown (FERG's characters, the people of JAFFE and
    CK+), accuracy follows for each. Where FER+ was joined, its voters are compared with the answers and the errors.
    """
    import numpy as np

    from fer_core.classifiers import load_classifier
    from fer_core.data.predictions import probabilities_of
    from fer_core.data.table import centre_squares
    from fer_core.evaluation.crowd import against_votes
    from fer_core.evaluation.labels import labelled_for, left_out, uses_ferplus
    from fer_core.evaluation.predictions import predict_dataset
    from fer_core.evaluation.protocols import PROTOCOLS, copies_in
    from fer_core.evaluation.report import evaluate_predictions
    from fer_core.evaluation.subjects import by_subject
    from fer_core.evaluation.views import VIEWS
    from fer_core.metrics import chance_calibration_error, effective_count, wilson_interval

    view, choose = VIEWS[tta], PROTOCOLS[protocol]
    options = read_options(label_map, first_neutral=first_neutral, find_faces=find_faces)
    dataset = open_dataset(data, options=options, skip_broken=skip_broken)
    if record:
        _record(checkpoint, dataset)
    classifier = load_classifier(checkpoint, backend=backend)
    relabelled = labelled_for(dataset, classifier.labels, labels)
    parts = choose(relabelled, split, 0)
    faces = parts.test_faces
    start = time.perf_counter()
    table = predict_dataset(classifier, faces, judge=lambda pixels: view(classifier, pixels), progress=bar)
    seconds = time.perf_counter() - start
    report = evaluate_predictions(table, classifier.labels)
    by_votes = uses_ferplus(dataset, classifier.labels, labels)
    crowd = None if by_votes else against_votes(table, dataset.table)
    distinct = effective_count(table["row"].to_numpy())
    judged = parts.test[np.isin(faces.labels, np.arange(len(classifier.labels)))]
    taught = np.flatnonzero(parts.dataset.table["split"] == "Training")
    document = {
        "checkpoint": classifier.name,
        "judged_by": "FER+ majority" if by_votes else "dataset",
        "split": split,
        "protocol": protocol,
        "tta": tta,
        **report.to_dict(),
        "accuracy_interval": list(wilson_interval(report.accuracy * distinct, distinct)),
        "distinct": int(table["row"].nunique()),
        "copies_in_training": int(copies_in(parts.dataset, judged, taught).sum()),
        "macro_f1_present": report.macro_f1_present,
        "absent": report.absent,
        "ece_by_chance": chance_calibration_error(probabilities_of(table, classifier.labels).max(1)),
        "centre_squares": centre_squares(faces.table),
        "left_out": left_out(faces, classifier.labels),
        "crowd": asdict(crowd) if crowd else None,
        "subjects": {name: asdict(score) for name, score in by_subject(table, classifier.labels, faces).items()},
        "device": classifier.device,
        "images_per_second": round(len(table) / seconds, 1),
    }
    hint_at_framing(document["centre_squares"])
    emit(document, as_json, _lines(document))


def _record(checkpoint: str, dataset: Any) -> None:
    from fer_core.artifacts import find_checkpoint
    from fer_core.evaluation.record import record_evaluation

    record_evaluation(find_checkpoint(checkpoint), dataset, progress=bar)


def _lines(document: dict[str, Any]) -> Iterator[str]:
    low, high = document["accuracy_interval"]
    yield f"{document['checkpoint']} on {document['split']} ({document['protocol']}, {document['tta']})"
    speed = f"{document['images_per_second']:.0f} a second on {document['device']}"
    several = f" ({document['distinct']} different ones)" if document["distinct"] < document["n"] else ""
    yield f"  {document['n']} faces{several} by {_judge(document['judged_by'])}, {speed}"
    if learnt := document["copies_in_training"]:
        yield f"  {learnt} of them have a copy in Training: a model that was trained there has learnt their labels"
    if missing := document["left_out"]:
        names = ", ".join(f"{faces} {name}" for name, faces in missing.items())
        yield f"  {sum(missing.values())} more left out, no label that the model knows: {names}"
    yield f"  accuracy   {document['accuracy']:.2%}  (95 % interval {low:.2%} to {high:.2%})"
    yield f"  macro F1   {document['macro_f1']:.2%}   weighted F1 {document['weighted_f1']:.2%}"
    if absent := document["absent"]:
        present = f"over the others alone macro F1 is {document['macro_f1_present']:.2%}"
        yield f"  no face is {', '.join(absent)}: an answer of it adds a class of F1 0; {present}"
    chance = f"{document['ece_by_chance']:.2%} where every confidence were exactly right"
    yield f"  calibration error {document['ece']:.2%}  (on so many faces {chance})"
    yield f"  {'':10}{'precision':>10}{'recall':>10}{'faces':>8}"
    for emotion, scores in document["per_class"].items():
        yield f"  {emotion:10}{scores['precision']:>10.1%}{scores['recall']:>10.1%}{scores['support']:>8}"
    if crowd := document["crowd"]:
        yield from _crowd_lines(crowd)
    yield from _subject_lines(document["subjects"])


def _crowd_lines(crowd: dict[str, Any]) -> Iterator[str]:
    yield f"  FER+'s voters, on {crowd['faces']} of these faces:"
    same, answered = crowd["label_leads"], crowd["answer_leads"]
    yield f"    their first choice is the label of {same:.1%}, and the answer of the model to {answered:.1%}"
    shared, unvoted = crowd["errors_that_lead"], crowd["errors_without_vote"]
    yield f"    of {crowd['errors']} errors {shared:.1%} are their choice; of {unvoted:.1%} nobody chose the label"


def _subject_lines(subjects: dict[str, dict[str, float]]) -> Iterator[str]:
    if not subjects:
        return
    mean = sum(scores["accuracy"] for scores in subjects.values()) / len(subjects)
    yield f"  mean accuracy of {len(subjects)} subjects {mean:.2%}, hardest first:"
    hardest = sorted(subjects.items(), key=lambda item: item[1]["accuracy"])
    for name, scores in hardest[:_SUBJECTS]:
        yield f"  {name:20}{scores['accuracy']:>10.1%}{scores['faces']:>8}"
    if len(hardest) > _SUBJECTS:
        yield f"  ... and {len(hardest) - _SUBJECTS} more; --json has all"


def _judge(name: str) -> str:
    return "the majorities of FER+'s voters" if name == "FER+ majority" else "the dataset's labels"


if __name__ == "__main__":
    run(evaluate)
