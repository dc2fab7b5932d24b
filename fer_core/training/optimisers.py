"""Optimisers, learning-rate schedules and the running average of the weights, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import lr_scheduler
from torch.optim.swa_utils import AveragedModel

from fer_core.config import TrainConfig
from fer_core.registry import Registry

OptimizerBuilder = Callable[[list[dict[str, Any]], TrainConfig], torch.optim.Optimizer]
ScheduleBuilder = Callable[[torch.optim.Optimizer, TrainConfig, int], lr_scheduler.LRScheduler]

OPTIMIZERS: Registry[OptimizerBuilder] = Registry("optimizer")
SCHEDULES: Registry[ScheduleBuilder] = Registry("schedule")

WARM_UP_SHARE = 0.2
"""Share of the steps in which one_cycle climbs to its peak."""
PATIENCE = 3
"""Epochs without a better PublicTest metric that plateau bears in a run of at least 24; the next one is too many."""


@OPTIMIZERS.register("sgd")
def sgd(groups: list[dict[str, Any]], config: TrainConfig) -> torch.optim.Optimizer:
    """Stochastic gradient descent with Nesterov momentum where there is momentum."""
    nesterov = config.momentum > 0
    return torch.optim.SGD(groups, lr=config.learning_rate, momentum=config.momentum, nesterov=nesterov)


@OPTIMIZERS.register("adam")
def adam(groups: list[dict[str, Any]], config: TrainConfig) -> torch.optim.Optimizer:
    """Adam (Kingma & Ba 2015, https://arxiv.org/abs/1412.6980)."""
    return torch.optim.Adam(groups, lr=config.learning_rate)


@OPTIMIZERS.register("adamw")
def adamw(groups: list[dict[str, Any]], config: TrainConfig) -> torch.optim.Optimizer:
    """Adam with decoupled decay (Loshchilov & Hutter 2019, https://arxiv.org/abs/1711.05101)."""
    return torch.optim.AdamW(groups, lr=config.learning_rate)


@OPTIMIZERS.register("sgd_plain")
def sgd_plain(groups: list[dict[str, Any]], config: TrainConfig) -> torch.optim.Optimizer:
    """Stochastic gradient descent with momentum, without Nesterov's look ahead."""
    return torch.optim.SGD(groups, lr=config.learning_rate, momentum=config.momentum)


@OPTIMIZERS.register("adadelta")
def adadelta(groups: list[dict[str, Any]], config: TrainConfig) -> torch.optim.Optimizer:
    """Adadelta (Zeiler 2012, https://arxiv.org/abs/1212.5701)."""
    return torch.optim.Adadelta(groups, lr=config.learning_rate)


@OPTIMIZERS.register("adagrad")
def adagrad(groups: list[dict[str, Any]], config: TrainConfig) -> torch.optim.Optimizer:
    """Adagrad (Duchi et al. 2011, https://jmlr.org/papers/v12/duchi11a.html)."""
    return torch.optim.Adagrad(groups, lr=config.learning_rate)


@OPTIMIZERS.register("rmsprop")
def rmsprop(groups: list[dict[str, Any]], config: TrainConfig) -> torch.optim.Optimizer:
    """RMSprop (Tieleman & Hinton 2012) with the config's momentum."""
    return torch.optim.RMSprop(groups, lr=config.learning_rate, momentum=config.momentum)


TYPICAL_RATES = {
    "sgd": 0.1, "sgd_plain": 0.1, "adam": 1e-3, "adamw": 1e-3, "adadelta": 1.0, "adagrad": 1e-2, "rmsprop": 1e-4
}  # fmt: skip
"""Peak learning rates from which a search of the optimisers begins."""


@SCHEDULES.register("one_cycle")
def one_cycle(optimizer: torch.optim.Optimizer, config: TrainConfig, steps: int) -> lr_scheduler.LRScheduler:
    """Up to the peak and down to almost nothing (Smith & Topin 2018, https://arxiv.org/abs/1708.07120)."""
    total = steps + 1
    climb = max(WARM_UP_SHARE, 2 / total)  # a climb of less than one step divides by zero
    peaks = [group["lr"] for group in optimizer.param_groups]
    return lr_scheduler.OneCycleLR(optimizer, peaks, total_steps=total, pct_start=climb, cycle_momentum=False)


@SCHEDULES.register("cosine")
def cosine(optimizer: torch.optim.Optimizer, config: TrainConfig, steps: int) -> lr_scheduler.LRScheduler:
    """From the peak down along half a cosine."""
    return lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)


@SCHEDULES.register("cosine_restarts")
def cosine_restarts(optimizer: torch.optim.Optimizer, config: TrainConfig, steps: int) -> lr_scheduler.LRScheduler:
    """`cycles` half cosines of the same length (Loshchilov & Hutter 2017, https://arxiv.org/abs/1608.03983).

    The weights at the end of each cycle make a snapshot ensemble (Huang et al. 2017, https://arxiv.org/abs/1704.00109).
    """
    return lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=max(1, steps // config.cycles))


@SCHEDULES.register("step")
def step(optimizer: torch.optim.Optimizer, config: TrainConfig, steps: int) -> lr_scheduler.LRScheduler:
    """A tenth of the rate after half, and again after three quarters of the run (He et al. 2016)."""
    return lr_scheduler.MultiStepLR(optimizer, milestones=[max(1, steps // 2), max(2, 3 * steps // 4)], gamma=0.1)


@SCHEDULES.register("plateau")
def plateau(optimizer: torch.optim.Optimizer, config: TrainConfig, steps: int) -> lr_scheduler.LRScheduler:
    """Half the rate wherever the PublicTest metric did not rise for four epochs, in short runs for fewer.

    It bears `PATIENCE` such epochs, or an eighth of the run where that is less, and cuts the rate after the next: after
    the first in a run of up to 7 epochs, after the fourth from 24 on. The metric is known after whole epochs only, so
    that the first cut can come after the second epoch; runs of one or two epochs keep their rate.
    """
    patience = min(PATIENCE, config.epochs // 8)
    return lr_scheduler.ReduceLROnPlateau(optimizer, mode="max", factor=0.5, patience=patience, threshold=0.0)


@SCHEDULES.register("constant")
def constant(optimizer: torch.optim.Optimizer, config: TrainConfig, steps: int) -> lr_scheduler.LRScheduler:
    """The same rate throughout."""
    return lr_scheduler.ConstantLR(optimizer, factor=1.0)


def parameter_groups(module: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Parameters in two groups: matrices and kernels decay, biases and norm scales do not."""
    return _by_decay([p for p in module.parameters() if p.requires_grad], weight_decay)


def staged_groups(module: nn.Module, trunk: set[nn.Parameter], config: TrainConfig) -> list[dict[str, Any]]:
    """`parameter_groups`, or twice those where the trunk learns at a rate of its own: first the rest's, then its."""
    if config.backbone_learning_rate == 1:
        return parameter_groups(module, config.weight_decay)
    parameters = [p for p in module.parameters() if p.requires_grad]
    slow = _by_decay([p for p in parameters if p in trunk], config.weight_decay)
    rate = config.learning_rate * config.backbone_learning_rate
    rest = _by_decay([p for p in parameters if p not in trunk], config.weight_decay)
    return rest + [group | {"lr": rate} for group in slow]


def _by_decay(parameters: list[nn.Parameter], weight_decay: float) -> list[dict[str, Any]]:
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]


class WeightAverage(AveragedModel):
    """Exponential moving average of weights and buffers; its first steps weigh more, so that it starts warm."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        super().__init__(model, multi_avg_fn=self._average, use_buffers=True)

    @torch.no_grad()
    def _average(self, averages: Any, values: Any, count: Any) -> None:
        decay = min(self.decay, (1 + float(count)) / (10 + float(count)))
        for average, value in zip(averages, values, strict=True):
            _move(average, value, decay)


def _move(average: Tensor, value: Tensor, decay: float) -> None:
    if average.is_floating_point():
        average.lerp_(value.to(average.dtype), 1 - decay)
    else:
        average.copy_(value)
