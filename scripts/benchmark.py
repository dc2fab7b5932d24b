"""Times every stage of the line on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scripts._cli import JsonOption, emit, run

RECORDED = "single"
"""The stage whose time stands beside a checkpoint's figures."""


def benchmark(
    stages: Annotated[
        list[str] | None,
        typer.Argument(
            help="Stages to time, all unless named: prepare load audit train_step single batched photo explain"
        ),
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Prepared dataset or raw source; drawn faces without it.")] = None,
    checkpoint: Annotated[
        str | None, typer.Option(help="Name under checkpoints/ or a folder; fresh weights where none ships.")
    ] = None,
    threads: Annotated[int, typer.Option(help="CPU threads of PyTorch and onnxruntime.")] = 1,
    batch: Annotated[int, typer.Option(help="Faces of a batch, for batched inference and the train step.")] = 64,
    seconds: Annotated[float, typer.Option(help="How long each stage is repeated.")] = 2.0,
    record: Annotated[
        bool,
        typer.Option(
            "--record", help="Keep what one face takes on one core beside the checkpoint, where the tables find it."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Times load, audit, train step, single and batched inference, a 1280x960 photo, and every explanation.

    Works without a dataset (drawn faces) and without a checkpoint (fresh weights); times `prepare` where --data is raw.
    """
    from tqdm import tqdm

    from scripts._stages import run_stages

    if record:
        _check_recordable(stages, checkpoint, threads)

    options = {"data": data, "checkpoint": checkpoint, "threads": threads, "batch": batch, "seconds": seconds}
    found = [
        timing.to_dict()
        for timing in tqdm(run_stages(stages or [], **options), unit=" stages", leave=False, disable=None)
    ]
    if record:
        _record(str(checkpoint), next(row for row in found if row["stage"] == RECORDED))
    emit(found, as_json, map(_line, found))


def _check_recordable(stages: list[str] | None, checkpoint: str | None, threads: int) -> None:
    """Raises ConfigError unless one face of a named checkpoint is going to be timed on one core."""
    from fer_core.artifacts import find_checkpoint
    from fer_core.errors import ConfigError

    if not checkpoint or threads != 1 or RECORDED not in (stages or [RECORDED]):
        raise ConfigError(
            f"--record keeps the time of the stage {RECORDED} on one core beside a checkpoint; name it with "
            f"--checkpoint, leave --threads at 1 and {RECORDED} among the stages"
        )
    find_checkpoint(checkpoint)


def _record(checkpoint: str, row: dict[str, object]) -> None:
    from fer_core.artifacts import SPEED, find_checkpoint, save_record

    kept = {key: row[key] for key in ("median_ms", "p95_ms", "calls", "threads", "device", "processor")}
    save_record(find_checkpoint(checkpoint), SPEED, kept)


def _line(row: dict[str, object]) -> str:
    ratio = row.get("times_faster_than_torch")
    note = f"  {ratio} times as fast as PyTorch" if ratio else ""
    return (
        f"{row['stage']:<28} n={row['n']:<6} median {row['median_ms']:>10.3f} ms  95 % {row['p95_ms']:>10.3f} ms  "
        f"{row['images_per_second']:>10.1f} images/s  {row['device']}{note}"
    )


if __name__ == "__main__":
    run(benchmark)
