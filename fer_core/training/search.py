"""Searches over training options, judged on PublicTest alone: a grid of optimisers and schedules, and a free one.

Every trial is a run in a folder that is named after its config, so that a search that stops, in whatever epoch, goes on
where it was. The free search leaves the choice to Optuna (Akiba et al. 2019, https://arxiv.org/abs/1907.10902), whose
study lies beside the trials as a journal; it ends trials early that are worse than the median of the earlier ones.

A trial whose options cannot work, or whose loss blows up, counts as failed: it keeps the sentence that says why, takes
its part of the budget, and is not tried again.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from fer_core.config import ExecutionConfig, TrainConfig, differences
from fer_core.data.table import FaceDataset
from fer_core.errors import ConfigError
from fer_core.files import write_json, write_text
from fer_core.models import MODELS
from fer_core.training.fit import FitResult, fit
from fer_core.training.optimisers import OPTIMIZERS, SCHEDULES, TYPICAL_RATES
from fer_core.training.plan import as_planned
from fer_core.training.state import HistoryRow, RunFolder

if TYPE_CHECKING:
    import optuna

SEARCH, TABLE, STUDY, TRIAL = "search.json", "search.csv", "study.journal", "trial.json"
PROBLEM = "problem"
"""Attribute of failed trials in the study."""
RESTARTS = 3
"""Most cycles of cosine_restarts in a search, where the epochs can be divided so; else their least divisor above 1."""
SHARES = {"rate": (0.1, 3.0), "weight_decay": (1e-6, 1e-2), "label_smoothing": (0.0, 0.2), "dropout": (0.0, 0.6)}
"""Ranges of the free search; the rate is relative to the optimiser's typical one."""

Report = Callable[[str], None]


@dataclass(frozen=True)
class Trial:
    """One config and how far it came.

    Attributes:
        name: of its folder under `trials/`.
        changes: the fields in which its config differs from the search's.
        state: complete, pruned or failed.
        value: best PublicTest metric of its epochs; None where it failed.
        epoch: which one that was; 0 where it failed.
        epochs: how many it ran.
        seconds: for how long.
        problem: why it failed, a sentence; empty where it did not.
    """

    name: str
    changes: dict[str, Any]
    state: str
    value: float | None
    epoch: int
    epochs: int
    seconds: float
    problem: str = ""


@dataclass
class Budget:
    """What a search may take.

    Attributes:
        trials: complete, pruned and failed ones, over all sittings together.
        minutes: of this sitting; 0 for no limit. The trial that is under way stops after its epoch, and goes on when
            the search is started again.
    """

    trials: int = 20
    minutes: float = 0.0
    started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        if self.trials < 1 or self.minutes < 0:
            raise ConfigError(f"trials ({self.trials}) must be at least 1, and minutes ({self.minutes}) not below 0")

    @property
    def spent(self) -> bool:
        """Whether the time is up."""
        return 0 < self.minutes <= (time.monotonic() - self.started) / 60


class Search:
    """A folder of trials.

    Args:
        base: the config that the trials vary.
        execution: how they compute; one process.
        dataset: what they learn from.
        folder: of the search; one that is there is gone on with.
        budget: what it may take.
        report: hears a line now and then.

    Raises:
        ConfigError: the folder holds a search with other options or on other data, or `execution` wants processes.
    """

    def __init__(
        self,
        base: TrainConfig,
        execution: ExecutionConfig,
        dataset: FaceDataset,
        folder: Path,
        budget: Budget,
        report: Report = print,
    ) -> None:
        if execution.devices > 1:
            raise ConfigError("a search trains in one process; leave out --devices")
        self.base, self.execution, self.dataset = base, execution, dataset
        self.folder, self.budget, self.report = folder, budget, report
        self.trials: list[Trial] = []
        self._open()

    def grid(self, optimizers: Sequence[str], schedules: Sequence[str]) -> list[Trial]:
        """Every optimiser with every schedule, each at the optimiser's typical rate; stops where the budget ends."""
        for optimizer in optimizers:
            for schedule in schedules:
                if self.budget.spent or len(self.trials) >= self.budget.trials:
                    return self.trials
                rate = TYPICAL_RATES.get(optimizer, self.base.learning_rate)
                changes = {"optimizer": optimizer, "schedule": schedule, "learning_rate": rate}
                with suppress(_OutOfTime):
                    self._run(changes, self._stop_in_time)
        return self.trials

    def free(self) -> list[Trial]:
        """Trials that Optuna proposes, until the budget ends."""
        study = _open_study(self.folder / STUDY, self.base)
        _close_abandoned(study)
        if not study.trials:
            study.enqueue_trial(_usual(self.base))
        for done in _finished(study):
            self._run(_changes(self.base, done), lambda row: None)  # read back, not run again
        while len(self.trials) < self.budget.trials and not self.budget.spent:
            try:
                self._free_trial(study)
            except _OutOfTime:
                break
        return self.trials

    @property
    def best(self) -> Trial:
        """The complete trial with the highest PublicTest metric; ConfigError where none is complete."""
        complete = [trial for trial in self.trials if trial.state == "complete"]
        if complete:
            return max(complete, key=lambda trial: trial.value or 0.0)
        if self.trials and all(trial.state == "failed" for trial in self.trials):
            first = self.trials[0].problem
            raise ConfigError(f"all trials failed ({len(self.trials)}), the first because: {first}")
        raise ConfigError("no trial is complete yet; start the search again with more --minutes")

    def winner(self) -> tuple[TrainConfig, FitResult]:
        """The best trial's config and result."""
        config = self._config(self.best.changes)
        result = fit(config, self.execution, self.dataset, self._place(config), resume=True, report=lambda text: None)
        assert result is not None
        return config, result

    def _open(self) -> None:
        file = self.folder / SEARCH
        if not file.is_file():
            write_json(file, {"config": asdict(self.base), "data": self.dataset.fingerprint})
            return
        record = json.loads(file.read_text(encoding="utf-8"))
        if changed := differences(record["config"], self.base):
            raise ConfigError(f"the search in {self.folder} has another {changed[0]}; name another --out")
        if record["data"] != self.dataset.fingerprint:
            raise ConfigError(f"the search in {self.folder} began on other data; name that dataset, or another --out")

    def _config(self, changes: dict[str, Any]) -> TrainConfig:
        cycles = self.base.cycles
        if changes["schedule"] != "cosine_restarts":
            cycles = 1
        elif cycles == 1:
            cycles = restarts(self.base.epochs)
        return replace(self.base, **changes, cycles=cycles)

    def _place(self, config: TrainConfig) -> Path:
        text = json.dumps(asdict(config), sort_keys=True, default=list)
        return self.folder / "trials" / hashlib.sha256(text.encode()).hexdigest()[:12]

    def _run(self, changes: dict[str, Any], after_epoch: Callable[[HistoryRow], None]) -> Trial:
        """A trial, run or gone on with, or read back where it ended already; the table afterwards has it."""
        config = self._config(changes)
        place = self._place(config)
        if (place / TRIAL).is_file():
            trial = Trial(**json.loads((place / TRIAL).read_text(encoding="utf-8")))
        else:
            trial = self._train(config, place, changes, after_epoch)
            write_json(place / TRIAL, asdict(trial))
        if RunFolder(place).exists():
            self.execution = as_planned(self.execution, RunFolder(place).plan())
        self.trials = [other for other in self.trials if other.name != trial.name] + [trial]
        write_text(self.folder / TABLE, table(self.trials).to_csv(index=False))
        return trial

    def _train(
        self, config: TrainConfig, place: Path, changes: dict[str, Any], after_epoch: Callable[[HistoryRow], None]
    ) -> Trial:
        self.report(f"trial {len(self.trials) + 1}: {json.dumps(changes)}")
        state, problem = "complete", ""
        try:
            _require_restarts(config)
            options: dict[str, Any] = {"resume": True, "report": _silent, "after_epoch": after_epoch}
            fitted = fit(config, self.execution, self.dataset, place, **options)
            if fitted is not None and fitted.ended:
                state, problem = "failed", fitted.ended
        except _Pruned:
            state = "pruned"
        except ConfigError as error:
            state, problem = "failed", str(error)
        reached = RunFolder(place).load()
        seconds = round(sum(row["seconds"] for row in reached.history), 1)
        if problem:
            self.report(f"  {state}: {problem}")
            return Trial(place.name, changes, state, None, 0, reached.epoch, seconds, problem)
        best = reached.best
        self.report(f"  {state}: PublicTest {config.select_on} {best['value']:.4f} in {seconds:.0f} s")
        return Trial(place.name, changes, state, best["value"], int(best["epoch"]), reached.epoch, seconds)

    def _stop_in_time(self, row: HistoryRow) -> None:
        if self.budget.spent and row["epoch"] < self.base.epochs:
            raise _OutOfTime

    def _free_trial(self, study: optuna.Study) -> None:
        """Asks for one trial, runs it, tells how it ended; a trial that runs out of time stays open in the study."""
        from optuna.trial import TrialState

        proposed = study.ask()
        changes = _changes(self.base, proposed)
        metric = f"public_{self.base.select_on}"

        def watch(row: HistoryRow) -> None:
            proposed.report(row[metric], int(row["epoch"]))
            if proposed.should_prune():
                raise _Pruned
            self._stop_in_time(row)

        for row in RunFolder(self._place(self._config(changes))).load().history:
            proposed.report(row[metric], int(row["epoch"]))
        trial = self._run(changes, watch)
        if trial.problem:
            proposed.set_user_attr(PROBLEM, trial.problem)
            study.tell(proposed, state=TrialState.FAIL)
        elif trial.state == "pruned":
            study.tell(proposed, state=TrialState.PRUNED)
        else:
            study.tell(proposed, trial.value)


def restarts(epochs: int) -> int:
    """Cycles of cosine_restarts in a run of so many epochs; 1, which is no restart, for one epoch alone."""
    fitting = [number for number in range(2, RESTARTS + 1) if epochs % number == 0]
    return max(fitting) if fitting else next((n for n in range(2, epochs + 1) if epochs % n == 0), 1)


def _require_restarts(config: TrainConfig) -> None:
    if config.schedule == "cosine_restarts" and config.cycles == 1:
        raise ConfigError("cosine_restarts of one epoch is cosine under another name; take at least two --epochs")


def table(trials: Sequence[Trial]) -> pd.DataFrame:
    """One row a trial, the best first, failed ones last: what it changed, then how it ended."""
    rows = [{**trial.changes, **{k: v for k, v in asdict(trial).items() if k != "changes"}} for trial in trials]
    return (
        pd.DataFrame(rows)
        .astype({"value": float})
        .sort_values("value", ascending=False, kind="stable")
        .reset_index(drop=True)
    )


class _OutOfTime(Exception):  # noqa: N818 (no error: the search goes on later)
    """The sitting's time is up."""


class _Pruned(Exception):  # noqa: N818
    """The trial is worse than the earlier ones."""


def _silent(text: str) -> None:
    pass


def _open_study(file: Path, base: TrainConfig) -> optuna.Study:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        study_name="search",
        storage=JournalStorage(JournalFileBackend(str(file))),
        direction="maximize",
        load_if_exists=True,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=max(1, base.epochs // 4)),
    )
    # a sitting that drew the numbers of the one before would propose its trials again
    study.sampler = optuna.samplers.TPESampler(seed=base.seed + 1000 * len(study.trials))
    return study


def _close_abandoned(study: optuna.Study) -> None:
    """Trials that were under way when the search stopped are proposed again; their folders hold what they did."""
    from optuna.trial import TrialState

    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
        study.enqueue_trial(trial.params)


def _finished(study: optuna.Study) -> Iterator[Any]:
    """Ended trials as fixed ones, which propose what they proposed; abandoned ones failed without a problem."""
    from optuna.trial import FixedTrial, TrialState

    for trial in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)):
        if trial.state != TrialState.FAIL or PROBLEM in trial.user_attrs:
            yield FixedTrial(trial.params)


def _usual(base: TrainConfig) -> dict[str, Any]:
    """The base config as the first proposal; a number beyond the space's range becomes the nearest in it."""
    options = MODELS[base.model].options | base.model_options
    numbers = {
        "rate": base.learning_rate / TYPICAL_RATES.get(base.optimizer, base.learning_rate),
        "weight_decay": base.weight_decay,
        "label_smoothing": base.label_smoothing,
        "dropout": options.get("dropout"),
    }
    clipped = {name: min(max(n, SHARES[name][0]), SHARES[name][1]) for name, n in numbers.items() if n is not None}
    return {name: getattr(base, name) for name in _choices(base)} | clipped


def _choices(base: TrainConfig) -> dict[str, list[str]]:
    """What the free search chooses among, by field of the config; the base's own is always there."""
    found = {
        "optimizer": list(OPTIMIZERS),
        "schedule": [name for name in SCHEDULES if name != "cosine_restarts" or base.epochs > 1],
        "augmentation": ["none", "light", "medium", "strong"],
        "class_weights": ["none", "effective_number"],
    }
    if base.targets == "ferplus_multi_label":
        del found["class_weights"]  # a face with several labels has no class to be weighed by
    return {
        name: values + [own for own in [getattr(base, name)] if own not in values] for name, values in found.items()
    }


def _changes(base: TrainConfig, trial: Any) -> dict[str, Any]:
    """A point of the space -> fields of the config; `trial` is one of Optuna's."""
    changes: dict[str, Any] = {name: trial.suggest_categorical(name, values) for name, values in _choices(base).items()}
    rate = trial.suggest_float("rate", *SHARES["rate"], log=True)
    changes["learning_rate"] = rate * TYPICAL_RATES.get(changes["optimizer"], base.learning_rate)
    changes["weight_decay"] = trial.suggest_float("weight_decay", *SHARES["weight_decay"], log=True)
    changes["label_smoothing"] = trial.suggest_float("label_smoothing", *SHARES["label_smoothing"])
    if "dropout" in MODELS[base.model].options:
        dropout = trial.suggest_float("dropout", *SHARES["dropout"])
        changes["model_options"] = {**base.model_options, "dropout": dropout}
    return changes
