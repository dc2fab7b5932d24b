"""Trains a model on a dataset; a killed run goes on with --resume."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

from fer_core.artifacts import RUNS_CHECKPOINT
from fer_core.config import ExecutionConfig, TrainConfig
from scripts._cli import JsonOption, emit, run
from scripts._dataset import open_dataset
from scripts._options import given, with_configs
from scripts._progress import bar, say


@with_configs(config=TrainConfig, execution=ExecutionConfig)
def train(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="Architecture, a name that scripts.models lists.")],
    data: Annotated[Path, typer.Option(help="Prepared dataset, or a raw source that is prepared on the way.")],
    out: Annotated[Path, typer.Option(help="Folder of the run; the trained checkpoint is its folder `checkpoint`.")],
    config: TrainConfig,
    execution: ExecutionConfig,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Trains MODEL on Training and keeps the epoch that is best on PublicTest; PrivateTest is not looked at.

    A killed run goes on with --resume and loses at most the epoch that it was in. One whose loss blows up ends with the
    best of its epochs before that, and says so. An architecture may bring defaults of its own, as tang_cnn does (--loss
    l2_svm --label-smoothing 0.0); the first line says so, and an option that is given counts before them.
    """
    from fer_core.models import MODELS
    from fer_core.training.checkpoint import write_checkpoint
    from fer_core.training.fit import FitResult, fit

    spec = MODELS[model]
    config = _with_defaults_of(model, config, spec.training, given(context))
    dataset = open_dataset(data)

    def write(folder: Path, result: FitResult) -> Path:
        return write_checkpoint(folder, spec, config, dataset, result)

    def snapshot(number: int, result: FitResult) -> None:
        write(out / "snapshots" / str(number), result)

    result = fit(config, execution, dataset, out, resume=resume, report=say, progress=bar, snapshot=snapshot)
    if result is None:  # not the first process
        return
    folder = write(out / RUNS_CHECKPOINT, result)
    document = {
        "checkpoint": str(folder),
        "epochs": len(result.history),
        "seconds": round(result.seconds, 1),
        "images_per_second": result.images_per_second,
        "best": {"split": "PublicTest", "metric": config.select_on, **result.best},
        "ended": result.ended,
    }
    emit(document, as_json, [f"PublicTest {config.select_on} {result.best['value']:.4f}; checkpoint in {folder}"])


def _with_defaults_of(model: str, config: TrainConfig, wanted: dict[str, Any], told: set[str]) -> TrainConfig:
    """The config with what the model wants in the fields that the command line did not tell, and a line about them."""
    open_fields = {name: value for name, value in wanted.items() if name not in told}
    if open_fields:
        flags = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in open_fields.items())
        say(f"{model} is trained with {flags} unless told otherwise")
    return dataclasses.replace(config, **open_fields)


if __name__ == "__main__":
    run(train)
