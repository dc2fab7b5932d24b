"""Audits a dataset: class imbalance, duplicates, leakage, outliers, label noise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from scripts._cli import JsonOption, emit, run
from scripts._dataset import open_dataset


def audit(
    data: Annotated[Path, typer.Argument(help="Prepared dataset, or a raw source that is prepared on the way.")],
    predictions: Annotated[
        str | None, typer.Option(help="Checkpoint whose shipped predictions judge the labels (name or folder).")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="CSV file for one row a face with everything found.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Counts faces per emotion, duplicates, test faces that were trained on, odd pictures and doubtful labels."""
    from fer_core.artifacts import find_checkpoint
    from fer_core.data.audit import audit as run_audit
    from fer_core.files import replacing

    table = None
    if predictions is not None:
        from fer_core.evaluation.predictions import load_predictions

        table = load_predictions(find_checkpoint(predictions))
    report = run_audit(open_dataset(data), predictions=table, progress=_bar)
    if out is not None:
        with replacing(out) as temporary:
            report.rows.to_csv(temporary, index=False)
    document = report.to_dict()
    emit(document, as_json, _lines(document))


def _lines(found: dict[str, Any]) -> Iterator[str]:
    exact, near, leaked = found["exact_duplicates"], found["near_duplicates"], found["leakage"]
    yield f"{found['rows']} faces"
    for split, emotions in found["balance"].items():
        parts = ", ".join(f"{emotion} {faces}" for emotion, faces in emotions.items())
        yield f"  {split}: {parts} (commonest {found['imbalance_ratio'].get(split, 1)}x the rarest)"
    yield f"exact duplicates: {exact['extra_rows']} extra faces in {exact['groups']} groups"
    yield f"  labelled differently: {exact['conflicting_rows']} faces in {exact['conflicting_groups']} groups"
    yield f"near duplicates (exact ones included): {near['extra_rows']} extra faces in {near['groups']} groups"
    for split, faces in leaked.items():
        yield f"leakage: {faces} faces of {split} are also in Training, {found['near_leakage'][split]} nearly so"
    yield f"constant pictures: {found['constant_images']}; outliers: {found['outliers']}"
    if doubts := found.get("vote_doubts"):
        yield f"FER+ voters disagree with {doubts['disagreeing']} labels and see no face in {doubts['not_a_face']}"
    if "model_doubts" in found:
        yield f"labels that the model takes for wrong: {found['model_doubts']}"
    yield f"{found['seconds']:.1f} s"


def _bar(items: Any, total: int, text: str) -> Any:
    from tqdm import tqdm

    return tqdm(items, total=total, desc=text, leave=False)


if __name__ == "__main__":
    run(audit)
