"""Trains a model on a dataset; a killed run goes on with --resume."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fer_core.config import ExecutionConfig, TrainConfig
from scripts._cli import JsonOption, emit, run
from scripts._dataset import open_dataset
from scripts._options import with_configs
from scripts._progress import bar, say


@with_configs(config=TrainConfig, execution=ExecutionConfig)
def train(
    model: Annotated[str, typer.Argument(help="Architecture, a name that scripts.models lists.")],
    data: Annotated[Path, typer.Option(help="Prepared dataset, or a raw source that is prepared on the way.")],
    out: Annotated[Path, typer.Option(help="Folder of the run; the trained checkpoint is its folder `checkpoint`.")],
    config: TrainConfig,
    execution: ExecutionConfig,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Trains MODEL on Training and keeps the epoch that is best on PublicTest; PrivateTest is not looked at.

    A killed run goes on with --resume and loses at most the epoch that it was in.
    """
    from fer_core.models import MODELS
    from fer_core.training.checkpoint import write_checkpoint
    from fer_core.training.fit import FitResult, fit

    spec = MODELS[model]
    dataset = open_dataset(data)

    def write(folder: Path, result: FitResult) -> Path:
        return write_checkpoint(folder, spec, config, dataset, result)

    def snapshot(number: int, result: FitResult) -> None:
        write(out / "snapshots" / str(number), result)

    result = fit(config, execution, dataset, out, resume=resume, report=say, progress=bar, snapshot=snapshot)
    if result is None:  # not the first process
        return
    folder = write(out / "checkpoint", result)
    document = {
        "checkpoint": str(folder),
        "epochs": config.epochs,
        "seconds": round(result.seconds, 1),
        "images_per_second": result.images_per_second,
        "best": {"split": "PublicTest", "metric": config.select_on, **result.best},
    }
    emit(document, as_json, [f"PublicTest {config.select_on} {result.best['value']:.4f}; checkpoint in {folder}"])


if __name__ == "__main__":
    run(train)
