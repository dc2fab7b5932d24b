"""Which precision and memory layout pay on this device: a few real steps of each are timed, the fastest is taken."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

import torch
from torch import Tensor

from fer_core.config import AUTO, ExecutionConfig
from fer_core.device import Plan
from fer_core.training.step import Batch, Step

WARM_UP, TIMED = 1, 3
LONG_ENOUGH = 3.0
"""Seconds of timing after which a slow plan is not repeated."""
GAIN = 0.95
"""A plan is preferred to plain float32 only where it takes less than this share of its time."""


def candidates(execution: ExecutionConfig) -> list[Plan]:
    """The plans that the options leave open, the plainest first; where compiling is open, without it."""
    precisions = ("32", "bf16") if execution.precision == AUTO else (execution.precision,)
    layouts = (False, True) if execution.channels_last == AUTO else (execution.channels_last == "on",)
    return [Plan(p, layout, execution.compile == "on") for p in precisions for layout in layouts]


def choose_plan(
    step: Step,
    batch: Batch,
    execution: ExecutionConfig,
    report: Callable[[str], None],
) -> Plan:
    """Times the open plans on copies of `step` with one real batch, reports each, returns the fastest.

    Compiling takes long, so that where it is open only the fastest of the other plans is tried compiled, too.
    """
    plans = candidates(execution)
    if len(plans) == 1 and execution.compile != AUTO:
        report(f"computing in {plans[0]}")
        return plans[0]
    seconds: dict[Plan, float] = {}

    def look_at(plan: Plan) -> None:
        seconds[plan] = _time(step, batch, plan)
        report(f"  {plan}: {len(batch.labels) / seconds[plan]:.0f} images/s")

    for plan in plans:
        look_at(plan)
    if execution.compile == AUTO:
        try:
            look_at(replace(min(seconds, key=seconds.__getitem__), compile=True))
        except RuntimeError as error:  # a machine without a C++ compiler, a layer that cannot be traced
            report(f"  compiled: not here ({type(error).__name__})")
    best = min(seconds, key=seconds.__getitem__)
    if seconds[best] > GAIN * seconds[plans[0]]:
        best = plans[0]
    report(f"computing in {best}, the fastest here ({seconds[plans[0]] / seconds[best]:.1f}x {plans[0]})")
    return best


def as_planned(execution: ExecutionConfig, plan: Plan) -> ExecutionConfig:
    """An execution that takes a plan that was chosen before, so that nothing is timed again."""
    switch = {True: "on", False: "off"}
    return replace(
        execution, precision=plan.precision, channels_last=switch[plan.channels_last], compile=switch[plan.compile]
    )


def prepare(step: Step, plan: Plan) -> Step:
    """Puts a step into the plan's memory layout and compiles it where the plan says so; changes it in place."""
    if plan.channels_last:
        step.to(memory_format=torch.channels_last)
    if plan.compile:
        step.compile()
    return step


def layout(faces: Tensor, plan: Plan) -> Tensor:
    """A batch in the plan's memory layout."""
    return faces.contiguous(memory_format=torch.channels_last) if plan.channels_last else faces


def autocast(plan: Plan, device: torch.device) -> AbstractContextManager[object]:
    """The plan's precision as a context."""
    return torch.autocast(device.type, torch.bfloat16) if plan.precision == "bf16" else nullcontext()


def _time(step: Step, batch: Batch, plan: Plan) -> float:
    trial = prepare(copy.deepcopy(step), plan).train()
    batch = batch._replace(faces=layout(batch.faces, plan))
    best, spent = float("inf"), 0.0
    for number in range(WARM_UP + TIMED):
        if number > WARM_UP and spent > LONG_ENOUGH:
            break
        start = time.perf_counter()
        with autocast(plan, batch.faces.device):
            loss = trial(batch)["loss"]
        loss.backward()
        if batch.faces.device.type == "cuda":
            torch.cuda.synchronize()
        if number >= WARM_UP:
            best, spent = min(best, time.perf_counter() - start), spent + time.perf_counter() - start
        trial.zero_grad()
    return best
