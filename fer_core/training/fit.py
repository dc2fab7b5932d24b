"""The training loop on Lightning Fabric: setup, epochs, selection on PublicTest, a state after each epoch.

Everything random in an epoch is a function of (seed, epoch, process), and the state after each epoch is replaced in one
step. A run that is killed at any moment therefore goes on from its last whole epoch, step for step as if nothing had
happened.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.fabric import Fabric
from lightning.fabric.strategies import DDPStrategy
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.lr_scheduler import ReduceLROnPlateau

from fer_core.config import ExecutionConfig, TrainConfig
from fer_core.data.loaders import Faces, batches, epoch_order, measure_normalisation
from fer_core.data.progress import Progress, unshown
from fer_core.data.table import SIDE, FaceDataset
from fer_core.data.transforms import AUGMENTATIONS, Normalisation, to_unit
from fer_core.device import Plan, best_accelerator, device_name, keep_freed_memory, seed_everything, usable_cores
from fer_core.errors import ConfigError
from fer_core.metrics import accuracy, macro_f1
from fer_core.models import MODELS, create_model
from fer_core.models.base import FerModel
from fer_core.training.material import gather
from fer_core.training.optimisers import OPTIMIZERS, SCHEDULES, WeightAverage, staged_groups
from fer_core.training.plan import autocast, choose_plan, layout, prepare
from fer_core.training.stages import freeze_trunk, load_initial_weights, trunk_parameters
from fer_core.training.state import HistoryRow, RunFolder, RunState
from fer_core.training.step import Batch, Setting, Step, build_step

EVAL_BATCH = 256
LONG = 2000
"""Steps of a run from which on it is told how it might be faster."""

Report = Callable[[str], None]
AfterEpoch = Callable[[HistoryRow], None]


@dataclass(frozen=True)
class FitResult:
    """What a finished run hands on.

    Attributes:
        weights: the network's weights at the chosen epoch, by name, on the CPU.
        normalisation: what faces went through before the network.
        labels: class names in the order of the outputs.
        best: {"epoch", "value"} of the metric that chose.
        history: one row an epoch.
        plan: how it was computed.
        device: on what.
        facts: what else the card must say of the training.
        devices: processes that trained together; None where a run of an older version does not say.
        ended: why the run ended before its last epoch, a sentence; empty where it did not.
    """

    weights: dict[str, Tensor]
    normalisation: Normalisation
    labels: tuple[str, ...]
    best: dict[str, float]
    history: list[HistoryRow]
    plan: Plan
    device: str
    facts: dict[str, Any] = field(default_factory=dict)
    devices: int | None = None
    ended: str = ""

    @property
    def seconds(self) -> float:
        """Time of all epochs together, evaluation included."""
        return sum(row["seconds"] for row in self.history)

    @property
    def images_per_second(self) -> float:
        """Training speed, evaluation left out: median over the epochs."""
        return float(np.median([row["images_per_second"] for row in self.history]))


Snapshot = Callable[[int, FitResult], None]


def fit(
    config: TrainConfig,
    execution: ExecutionConfig,
    dataset: FaceDataset,
    folder: Path,
    *,
    resume: bool = False,
    report: Report = print,
    progress: Progress = unshown,
    snapshot: Snapshot = lambda number, result: None,
    after_epoch: AfterEpoch = lambda row: None,
) -> FitResult | None:
    """Trains on Training, selects on PublicTest, keeps its state in `folder`.

    Args:
        config: what is computed.
        execution: how and on what.
        dataset: faces with the splits Training and PublicTest; a third one is not looked at.
        folder: of the run.
        resume: whether to go on with the run in it.
        report: hears a line an epoch.
        progress: shows the batches of an epoch as they pass.
        snapshot: gets the number of a cycle of cosine_restarts, and the result as if the run had ended with it.
        after_epoch: gets the history's row after the state was saved; may raise to end the run, which can go on later.

    Returns:
        The result in the first process, None in the others.

    Raises:
        ConfigError: the options contradict each other, the dataset or the run that is to be resumed; or the first epoch
            ends without a loss that is a number. Where a later one does, the result is that of the epochs before.
        CheckpointError: the run's state cannot be read.
    """
    loop = _Loop(config, execution, dataset, RunFolder(folder), resume, report, progress)
    loop.snapshot, loop.after_epoch = snapshot, after_epoch
    loop.run()
    return loop.result() if loop.fabric.is_global_zero else None


class _Loop:
    """Setup in the constructor, then `run`."""

    snapshot: Snapshot
    after_epoch: AfterEpoch

    def __init__(
        self,
        config: TrainConfig,
        execution: ExecutionConfig,
        dataset: FaceDataset,
        folder: RunFolder,
        resume: bool,
        report: Report,
        progress: Progress,
    ) -> None:
        self.config, self.folder = config, folder
        self.fabric = _launch(execution, config)
        self.report: Report = report if self.fabric.is_global_zero else lambda text: None
        self.progress: Progress = progress if self.fabric.is_global_zero else unshown
        material = gather(config, dataset)
        self.training, self.public, self.labels = material.training, material.public, material.labels
        self.targets = self.training.targets_for(len(self.labels))
        self.facts = material.facts
        self.normalisation = measure_normalisation(self.training)
        self.augment = AUGMENTATIONS[config.augmentation]
        self._build(execution, dataset.fingerprint, resume)

    def _build(self, execution: ExecutionConfig, fingerprint: str, resume: bool) -> None:
        config = self.config
        seed_everything(config.seed)
        self.state = self.folder.load() if resume else RunState()
        fresh = not (config.init or self.state.epoch)
        options = config.model_options
        model = create_model(config.model, len(self.labels), field=config.crop, initialise=fresh, **options)
        _check_crop(model, config)
        self.facts |= self._begin(model, resume)
        step = build_step(Setting(model, config, self.labels, self.normalisation, self.training))
        self.facts |= step.facts
        step.to(self.fabric.device)
        self._check_share(step)
        self.plan = self._open_run(step, execution, fingerprint, resume)
        self.step = prepare(step, self.plan)
        groups = staged_groups(self.step, trunk_parameters(self.step.model), config)
        optimizer = OPTIMIZERS[config.optimizer](groups, config)
        self.schedule = SCHEDULES[config.schedule](optimizer, config, config.epochs * self.steps_per_epoch)
        self.average = WeightAverage(self.step.model, config.ema)
        self._restore(optimizer)
        self.module, self.optimizer = self.fabric.setup(self.step, optimizer)

    def _begin(self, model: FerModel, resume: bool) -> dict[str, Any]:
        """What the run starts from: its own state, else a checkpoint's weights, else nothing but the seed."""
        facts = self.folder.facts() if resume and self.folder.exists() else {}
        if self.config.init and not self.state.epoch:
            facts["init"] = load_initial_weights(model, self.config.model, self.config.init, self.config.part)
        if init := facts.get("init"):
            self.normalisation = Normalisation(init["mean"], init["std"])
        return {"init": init} if init else {}

    def _open_run(self, step: Any, execution: ExecutionConfig, fingerprint: str, resume: bool) -> Plan:
        if resume and self.folder.exists():
            self.folder.check(self.config, fingerprint, self.fabric.world_size)
            self.folder.check_sources(self.facts)
            plan = self.folder.plan()
            self.report(f"going on with {self.folder.path} in {plan}")
            return plan
        if self.folder.exists() and not resume:
            raise ConfigError(f"{self.folder.path} holds a run; add --resume to go on with it, or name another --out")
        if execution.compile == "off" and self.config.epochs * self.steps_per_epoch > LONG:
            self.report(
                "a long run: --compile auto tries torch.compile, which takes minutes and may save a fifth of the time"
            )
        trial = self._trial_batch(min(self.config.batch_size, len(self.training)))
        plan = choose_plan(step, trial, execution, self.report)
        plan = self.fabric.broadcast(plan)
        if self.fabric.is_global_zero:
            self.folder.begin(self.config, plan, fingerprint, self.fabric.world_size, self.facts)
        self.fabric.barrier()
        return plan

    def _check_share(self, step: Step) -> None:
        """Raises ConfigError where a process's share of a batch is no face, or one where batch norms need two."""
        faces = min(self.config.batch_size, len(self.training))
        share = faces // self.fabric.world_size
        if share > 1:
            return
        if not share:
            raise ConfigError(
                f"a batch of {faces} is too small for {self.fabric.world_size} processes; lower --devices"
            )
        try:
            copy.deepcopy(step).train()(self._trial_batch(1))
        except ValueError as error:
            raise ConfigError(
                f"{self.config.model} has batch norms, which cannot learn from one face at a time; raise --batch-size "
                f"(it was {self.config.batch_size}) to two a process at least, where Training has as many"
            ) from error

    @property
    def steps_per_epoch(self) -> int:
        return max(1, len(self.training) // self.config.batch_size)

    def run(self) -> None:
        """Epochs from where the state stands to the end, or to the one that leaves no numbers."""
        if self.state.epoch:
            self.report(f"{self.state.epoch} of {self.config.epochs} epochs are done")
        if ended := self.folder.ended():
            self.report(f"warning: {ended}")
            return
        for epoch in range(self.state.epoch, self.config.epochs):
            try:
                row = self._train_epoch(epoch)
            except _DivergedError:
                self._end_early(epoch)
                return
            if self.fabric.is_global_zero:
                row = self._judged(row)
            if isinstance(self.schedule, ReduceLROnPlateau):
                self.schedule.step(self.fabric.broadcast(row.get(self._metric, 0.0)))
            if self.fabric.is_global_zero:
                self._close_epoch(epoch, row)

    def _end_early(self, good: int) -> None:
        """Leaves the run as it was after its `good` epochs; ConfigError where there was none."""
        mend = f"lower --learning-rate (it was {self.config.learning_rate}), or take another loss or --precision 32"
        if not good:
            raise ConfigError(f"the loss is no number any more in epoch 1; {mend}")
        ended = (
            f"The loss was no number any more in epoch {good + 1}: the run ended after {good} of {self.config.epochs} "
            "epochs, and its weights are those of the best of them."
        )
        if self.fabric.is_global_zero:
            self.folder.end(ended)
        self.report(f"warning: {ended} To get further, {mend}, in another --out.")

    def result(self) -> FitResult:
        """What the finished run hands on."""
        return FitResult(
            weights=self.state.weights,
            normalisation=self.normalisation,
            labels=self.labels,
            best=self.state.best,
            history=self.state.history,
            plan=self.plan,
            device=device_name(self.fabric.device.type),
            facts=self.facts,
            devices=self.folder.devices(),
            ended=self.folder.ended(),
        )

    def _train_epoch(self, epoch: int) -> HistoryRow:
        config, fabric = self.config, self.fabric
        seed_everything(config.seed, epoch, fabric.global_rank)
        generator = torch.Generator().manual_seed(torch.initial_seed())
        order = epoch_order(self.training.labels, sampler=config.sampler, seed=config.seed, epoch=epoch)
        mine = batches(order, config.batch_size, rank=fabric.global_rank, world=fabric.world_size)
        self.module.train()
        if config.freeze_epochs:
            freeze_trunk(self.step.model, epoch < config.freeze_epochs)
        start = time.perf_counter()
        loss_sum, correct, seen = 0.0, 0, 0
        passing = self.progress(mine, self.steps_per_epoch, f"epoch {epoch + 1}/{config.epochs}")
        for step, index in enumerate(passing):
            batch = self._batch(index, generator, epoch + step / self.steps_per_epoch)
            with autocast(self.plan, fabric.device):
                outputs = self.module(batch)
            self.optimizer.zero_grad()
            fabric.backward(outputs["loss"])
            self.optimizer.step()
            if not isinstance(self.schedule, ReduceLROnPlateau):
                self.schedule.step()
            self.average.update_parameters(self.step.model)
            loss_sum += outputs["loss"].item() * len(index)
            correct += int((outputs["logits"].argmax(1) == batch.labels).sum())
            seen += len(index)
            if not math.isfinite(loss_sum) and fabric.world_size == 1:
                break  # several processes find out together, after the epoch
        seconds = time.perf_counter() - start
        spoilt = not (_finite(self.step) and _finite(self.average))  # the last update may have done it
        loss, hits, faces, spoilt_ones = self._over_all_processes(loss_sum, correct, seen, spoilt)
        if not math.isfinite(loss) or spoilt_ones:
            raise _DivergedError
        return {
            "epoch": epoch + 1,
            "learning_rate": float(self.optimizer.param_groups[0]["lr"]),
            "train_loss": round(loss / faces, 6),
            "train_accuracy": round(hits / faces, 6),
            "images_per_second": round(faces / seconds, 1),
            "seconds": seconds,
        }

    def _over_all_processes(self, *numbers: float) -> list[float]:
        """The sum of each number over all processes."""
        if self.fabric.world_size == 1:
            return list(numbers)
        together = torch.tensor(numbers, dtype=torch.float64, device=self.fabric.device)
        summed: list[float] = self.fabric.all_reduce(together, reduce_op="sum").tolist()  # type: ignore[union-attr]
        return summed

    @property
    def _metric(self) -> str:
        return f"public_{self.config.select_on}"

    def _judged(self, row: HistoryRow) -> HistoryRow:
        """The epoch's row with PublicTest's metrics, which took their time, too."""
        start = time.perf_counter()
        row = row | self._judge(self.average.module)
        return row | {"seconds": round(row["seconds"] + time.perf_counter() - start, 2)}

    def _close_epoch(self, epoch: int, row: HistoryRow) -> None:
        value = row[self._metric]
        if value > self.state.best.get("value", -1.0):
            self.state.best = {"epoch": epoch + 1, "value": value}
            self.state.weights = _copy(self.average.module.state_dict())
        self.state.epoch = epoch + 1
        self.state.history.append(row)
        self._end_cycle(epoch, value)
        self.folder.save(replace(self.state, tensors=self._tensors()))
        self.report(
            f"epoch {epoch + 1}/{self.config.epochs}: loss {row['train_loss']:.3f}, "
            f"PublicTest accuracy {row['public_accuracy']:.4f}, macro-F1 {row['public_macro_f1']:.4f}, "
            f"{row['images_per_second']:.0f} images/s, {row['seconds']:.0f} s"
        )
        self.after_epoch(row)

    def _end_cycle(self, epoch: int, value: float) -> None:
        """Hands on the weights of a cycle's last epoch."""
        length = self.config.epochs // self.config.cycles
        if self.config.cycles == 1 or (epoch + 1) % length:
            return
        best = {"epoch": epoch + 1, "value": value}
        result = replace(self.result(), weights=_copy(self.average.module.state_dict()), best=best)
        self.snapshot((epoch + 1) // length, replace(result, history=list(self.state.history)))

    def _batch(self, index: Tensor, generator: torch.Generator, epoch: float = 0.0) -> Batch:
        device, training = self.fabric.device, self.training
        unit = to_unit(training.pixels[index].to(device))
        faces = self.normalisation(self.augment(unit, self.config.crop, generator))
        labels, targets = training.labels[index], self.targets[index]
        if self.config.targets == "ferplus_drawing":
            labels = torch.multinomial(targets, 1, generator=generator).squeeze(1)
            targets = functional.one_hot(labels, len(self.labels)).float()
        shares = None if training.shares is None else training.shares[index].to(device)
        faces = layout(faces, self.plan)
        return Batch(faces, labels.to(device), targets.to(device), index.to(device), shares, epoch)

    def _trial_batch(self, faces: int) -> Batch:
        self.plan = Plan()
        return self._batch(torch.arange(faces), torch.Generator().manual_seed(0))

    def _judge(self, model: nn.Module) -> HistoryRow:
        predicted = self._predict(model, self.public)
        true = self.public.labels.numpy()
        return {
            "public_accuracy": round(accuracy(true, predicted), 6),
            "public_macro_f1": round(macro_f1(true, predicted, len(self.labels)), 6),
        }

    @torch.inference_mode()
    def _predict(self, model: nn.Module, faces: Faces) -> np.ndarray:
        model.eval()
        device, found = self.fabric.device, []
        for chunk in faces.pixels.split(EVAL_BATCH):
            batch = layout(self.normalisation(to_unit(chunk.to(device))), self.plan)
            with autocast(self.plan, device):
                found.append(model(batch).argmax(1).cpu())
        return torch.cat(found).numpy()

    def _tensors(self) -> dict[str, Any]:
        """What `_restore` takes; on the CPU not copied, so to be written before the next step changes it."""
        return {
            "step": _on_cpu(self.step.state_dict()),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "average": _on_cpu(self.average.state_dict()),
        }

    def _restore(self, optimizer: torch.optim.Optimizer) -> None:
        tensors, self.state.tensors = self.state.tensors, {}
        if not tensors:
            return
        self.step.load_state_dict(tensors["step"])
        optimizer.load_state_dict(tensors["optimizer"])
        self.schedule.load_state_dict(tensors["schedule"])
        self.average.load_state_dict(tensors["average"])


class _DivergedError(Exception):
    """An epoch left no weights that can be used."""


@torch.no_grad()
def _finite(module: nn.Module) -> bool:
    """Whether all parameters and kept buffers are numbers; one look at the device."""
    floats = [tensor for tensor in module.state_dict().values() if tensor.is_floating_point()]
    return bool(torch.stack([tensor.isfinite().all() for tensor in floats]).all())


@torch.no_grad()
def _check_crop(model: FerModel, config: TrainConfig) -> None:
    """Raises ConfigError where the network cannot take faces of the crop's size."""
    was_training = model.training
    try:
        model.eval()(torch.zeros(1, 1, config.crop, config.crop))
    except RuntimeError as error:
        raise ConfigError(_wrong_crop(config)) from error
    finally:
        model.train(was_training)


def _wrong_crop(config: TrainConfig) -> str:
    """What to do about a crop that the network cannot take: size it for the crop, where it has an option for that."""
    spec, crop = MODELS[config.model], config.crop
    if "side" not in spec.options:
        return f"{spec.name} takes whole faces; leave --crop at {SIDE} (it was {crop})"
    side = config.model_options.get("side", spec.options["side"])
    return (
        f"{spec.name} is built for {side} pixels and --crop is {crop}; give both alike: "
        f"--crop {crop} --model-options '{{\"side\": {crop}}}'"
    )


def _launch(execution: ExecutionConfig, config: TrainConfig) -> Fabric:
    accelerator = best_accelerator() if execution.accelerator == "auto" else execution.accelerator
    if config.batch_size % execution.devices:
        raise ConfigError(f"batch_size ({config.batch_size}) must be a multiple of devices ({execution.devices})")
    if accelerator == "cuda" and (found := torch.cuda.device_count()) < execution.devices:
        raise ConfigError(f"devices ({execution.devices}) is more than the {found} GPUs that this machine has")
    if accelerator == "cpu":
        keep_freed_memory()
    strategy: Any = "ddp" if execution.devices > 1 else "auto"
    if execution.devices > 1 and config.freeze_epochs:
        strategy = DDPStrategy(find_unused_parameters=True)  # a frozen trunk hands in no gradients
    fabric = Fabric(accelerator=accelerator, devices=execution.devices, strategy=strategy)
    fabric.launch()
    # not before: a launch of several processes sets the threads of each, too
    torch.set_num_threads(execution.threads or max(1, usable_cores() // execution.devices))
    return fabric


def _on_cpu(state: dict[str, Any]) -> dict[str, Any]:
    return {name: value.detach().cpu() for name, value in state.items()}


def _copy(state: dict[str, Any]) -> dict[str, Any]:
    return {name: value.contiguous().clone() for name, value in _on_cpu(state).items()}
