"""Raw dataset -> prepared dataset; see `python -m scripts.prepare_data --help`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from fer_core.data.prepare import PrepareReport, prepare, rejection_rows, where
from fer_core.errors import RowsError
from scripts._cli import JsonOption, emit, run
from scripts._dataset import (
    FindFacesOption,
    FirstNeutralOption,
    LabelMapOption,
    SkipBrokenOption,
    hint_at_framing,
    read_options,
    reading_bar,
)


def prepare_data(
    source: Annotated[Path, typer.Argument(help="A CSV file, a folder of pictures, or a .gz, .zip or .tar.gz of one.")],
    out: Annotated[Path, typer.Option(help="Folder for the prepared dataset; a dataset that it holds is replaced.")],
    ferplus: Annotated[Path | None, typer.Option(help="FER+'s fer2013new.csv, to join its votes row by row.")] = None,
    skip_broken: SkipBrokenOption = False,
    label_map: LabelMapOption = None,
    first_neutral: FirstNeutralOption = False,
    find_faces: FindFacesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Prepare a raw dataset once, so that everything else opens it at once.

    Known forms: fer2013.csv, icml_face_data.csv, train.csv, test.csv, folders train/angry/Training_123.jpg or
    images/train/angry/123.jpg, FER+'s FER2013Train/fer0000000.png with label.csv; CK+, FERG, JAFFE, RAF-DB and
    AffectNet as they come; any folder of pictures with --label-map. Broken rows are named one by one, and nothing is
    written unless all of it is right.
    """
    options = read_options(label_map, first_neutral=first_neutral, find_faces=find_faces)
    try:
        with reading_bar() as advance:
            report = prepare(source, out, ferplus=ferplus, skip_broken=skip_broken, progress=advance, options=options)
    except RowsError as error:
        if as_json:
            emit({"rows": 0, "rejected": rejection_rows(error.rejected)}, True, ())
        raise
    hint_at_framing(report.centre_squares)
    emit(report.to_dict(), as_json, _lines(report))


def _lines(report: PrepareReport) -> Iterator[str]:
    """What was prepared, as a table of faces per emotion and split."""
    names = list(next(iter(report.splits.values())))
    splits = list(report.splits)
    yield f"{report.rows:,} faces from {report.source_format}, ready in {report.out} ({report.seconds:.1f} s)"
    yield "FER+ votes joined" if report.has_votes else "no FER+ votes"
    yield ""
    yield "".join([f"{'':<12}", *(f"{split:>13}" for split in splits)])
    for name in dict.fromkeys([*names, *(key for split in splits for key in report.splits[split])]):
        yield "".join([f"{name:<12}", *(f"{report.splits[split].get(name, 0):>13,}" for split in splits)])
    yield "".join([f"{'all':<12}", *(f"{sum(report.splits[split].values()):>13,}" for split in splits)])
    for name, faces in report.left_out.items():
        yield f"{faces:,} faces without a label: {name}"
    for rejection in report.rejected:
        yield f"left out {where(rejection)}: {rejection.reason}"


if __name__ == "__main__":
    run(prepare_data)
