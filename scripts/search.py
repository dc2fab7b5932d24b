"""Searches for the best training options, judged on PublicTest."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from fer_core.artifacts import RUNS_CHECKPOINT
from fer_core.config import ExecutionConfig, TrainConfig
from fer_core.errors import ConfigError
from scripts._cli import JsonOption, emit, run
from scripts._dataset import open_dataset
from scripts._options import with_configs
from scripts._progress import say

OPTIMIZERS = "sgd,sgd_plain,adam,adamw,adadelta,adagrad,rmsprop"
SCHEDULES = "constant,step,plateau,one_cycle,cosine_restarts"


@with_configs(config=TrainConfig, execution=ExecutionConfig)
def search(
    model: Annotated[str, typer.Argument(help="Architecture, a name that scripts.models lists.")],
    data: Annotated[Path, typer.Option(help="Prepared dataset, or a raw source that is prepared on the way.")],
    out: Annotated[Path, typer.Option(help="Folder of the search; one that is there is gone on with.")],
    config: TrainConfig,
    execution: ExecutionConfig,
    kind: Annotated[str, typer.Option(help="grid (optimisers x schedules) or free (Optuna proposes).")] = "grid",
    optimizers: Annotated[str, typer.Option(help="The grid's optimisers, divided by commas.")] = OPTIMIZERS,
    schedules: Annotated[str, typer.Option(help="The grid's schedules, divided by commas.")] = SCHEDULES,
    trials: Annotated[int, typer.Option(help="Most trials, failed ones among them, over all sittings together.")] = 40,
    minutes: Annotated[float, typer.Option(help="Most minutes of this sitting; 0 for no limit.")] = 0.0,
    as_json: JsonOption = False,
) -> None:
    """Trains MODEL with many options, each trial for --epochs, and names the best on PublicTest.

    A trial whose options cannot work, or whose loss blows up, counts as failed, and the search goes on.
    A search that was stopped goes on where it was when it is started again with the same options. The best trial's
    checkpoint is the folder `checkpoint` in --out, the table of all trials `search.csv`. PrivateTest is not looked at.
    """
    from fer_core.models import MODELS
    from fer_core.training.checkpoint import write_checkpoint
    from fer_core.training.optimisers import OPTIMIZERS as KNOWN_OPTIMIZERS
    from fer_core.training.optimisers import SCHEDULES as KNOWN_SCHEDULES
    from fer_core.training.search import Budget, Search, table

    spec = MODELS[model]
    if kind not in ("grid", "free"):
        raise ConfigError(f"--kind must be grid or free, not {kind!r}")
    axes = _names(optimizers, KNOWN_OPTIMIZERS), _names(schedules, KNOWN_SCHEDULES)
    dataset = open_dataset(data)
    hunt = Search(config, execution, dataset, out, Budget(trials, minutes), report=say)
    found = hunt.grid(*axes) if kind == "grid" else hunt.free()
    best = hunt.best
    winner, result = hunt.winner()
    folder = write_checkpoint(out / RUNS_CHECKPOINT, spec, winner, dataset, result)
    document = {
        "model": model,
        "kind": kind,
        "selected_on": {"split": "PublicTest", "metric": config.select_on},
        "budget": {"trials": trials, "minutes": minutes, "epochs": config.epochs},
        "best": asdict(best),
        "checkpoint": str(folder),
        "trials": [asdict(trial) for trial in found],
    }
    emit(document, as_json, [table(found).to_string(index=False), f"best on PublicTest; checkpoint in {folder}"])


def _names(text: str, registry: Any) -> list[str]:
    """Names divided by commas, each known to the registry."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        registry[name]
    return names


if __name__ == "__main__":
    run(search)
