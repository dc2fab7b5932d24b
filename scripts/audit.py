"""Audits a dataset: class imbalance, duplicates, leakage, outliers, label noise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scripts._cli import JsonOption, emit, run
from scripts._dataset import open_dataset
from scripts._progress import bar

if TYPE_CHECKING:
    import pandas as pd

    from fer_core.data.audit import AuditReport
    from fer_core.data.table import FaceDataset


def audit(
    data: Annotated[Path, typer.Argument(help="Prepared dataset, or a raw source that is prepared on the way.")],
    predictions: Annotated[
        str | None,
        typer.Option(help="Checkpoint (name or folder) whose answers on the test splits look for wrong labels."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for faces.csv (one row a face), the lists of doubts and audit.json.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Counts faces per emotion, duplicates, test faces that were trained on, odd pictures and doubtful labels.

    A near duplicate is the same picture cropped, lit, compressed or mirrored differently; near figures include exact
    ones. Leakage is the number of faces of a test split that are in Training too.
    """
    from fer_core.data.audit import audit as run_audit

    if out is not None:
        _check_folder(out)
    dataset = open_dataset(data)
    table = None if predictions is None else _answers(predictions, dataset)
    report = run_audit(dataset, predictions=table, progress=bar)
    document = report.to_dict()
    if out is not None:
        _write(report, document, out)
    emit(document, as_json, _lines(document, out))


def _answers(checkpoint: str, dataset: FaceDataset) -> pd.DataFrame:
    """The predictions that the checkpoint carries where they are of this dataset, else new ones."""
    from fer_core.artifacts import PREDICTIONS, find_checkpoint, load_card
    from fer_core.evaluation.predictions import load_predictions, predict_dataset

    folder = find_checkpoint(checkpoint)
    if load_card(folder).data.get("fingerprint") == dataset.fingerprint and (folder / PREDICTIONS).is_file():
        return _with_labels_of(dataset, load_predictions(folder))
    from fer_core.classifiers import load_classifier

    tests = dataset.select((dataset.table["split"] != "Training").to_numpy())
    return predict_dataset(load_classifier(str(folder), backend="torch"), tests, progress=bar)


def _with_labels_of(dataset: FaceDataset, predictions: pd.DataFrame) -> pd.DataFrame:
    """The predictions beside the labels that are audited; a model of eight classes was judged against FER+'s."""
    labels = dataset.table.set_index("row")["label"]
    known = predictions[predictions["row"].isin(labels.index)]
    return known.assign(label=labels.loc[known["row"]].to_numpy())


def _check_folder(out: Path) -> None:
    from fer_core.errors import ConfigError

    if out.exists() and not out.is_dir():
        raise ConfigError(f"{out} is a file; --out wants a folder")


def _write(report: AuditReport, document: dict[str, Any], out: Path) -> None:
    from fer_core.files import replacing, write_json

    tables = {"faces": report.rows, "near_pairs": report.near_pairs, "vote_doubts": report.vote_doubts}
    if report.model_doubts is not None:
        tables["model_doubts"] = report.model_doubts
    for name, table in tables.items():
        if len(table.columns):
            with replacing(out / f"{name}.csv") as temporary:
                table.to_csv(temporary, index=False)
    write_json(out / "audit.json", document)


def _lines(found: dict[str, Any], out: Path | None) -> Iterator[str]:
    yield from _balance(found)
    yield ""
    exact, near = found["exact_duplicates"], found["near_duplicates"]
    yield f"exact duplicates   {exact['extra_rows']:,} extra faces in {exact['groups']:,} groups"
    yield f"  other label      {exact['conflicting_rows']:,} faces in {exact['conflicting_groups']:,} groups"
    yield f"near duplicates    {near['extra_rows']:,} extra faces in {near['groups']:,} groups (exact ones included)"
    for split, faces in found["leakage"].items():
        yield f"also in Training   {faces:,} faces of {split}; {found['near_leakage'][split]:,} with near duplicates"
    yield f"constant pictures  {found['constant_images']:,}"
    yield f"outliers           {found['outliers']:,} (score above {found['outlier_threshold']})"
    yield from _doubts(found)
    yield f"took {found['seconds']:.1f} s" + (f"; tables in {out}" if out else "")


def _balance(found: dict[str, Any]) -> Iterator[str]:
    splits, ratios = found["balance"], found["imbalance_ratio"]
    yield "".join([f"{found['rows']:,} faces".ljust(16), *(f"{split:>13}" for split in splits)])
    for name in dict.fromkeys(name for emotions in splits.values() for name in emotions):
        yield "".join([f"  {name:<14}", *(f"{emotions.get(name, 0):>13,}" for emotions in splits.values())])
    yield "".join([f"  {'all':<14}", *(f"{sum(emotions.values()):>13,}" for emotions in splits.values())])
    if ratios:
        cells = [f"{ratios[split]:.1f} : 1" if split in ratios else "-" for split in splits]
        yield "".join([f"  {'most : fewest':<14}", *(f"{cell:>13}" for cell in cells)])


def _doubts(found: dict[str, Any]) -> Iterator[str]:
    if votes := found.get("vote_doubts"):
        yield f"FER+ voters        disagree with {votes['disagreeing']:,} labels of {votes['voted']:,}"
        yield f"                   see no face in {votes['not_a_face']:,}, cannot tell in {votes['unknown']:,}"
        yield f"                   are split between several answers in {votes['ties']:,}"
    if "model_doubts" in found:
        yield f"model              takes {found['model_doubts']:,} labels for wrong"


if __name__ == "__main__":
    run(audit)
