"""A run's folder: its config, its state after the last whole epoch, its history; each replaced in one step."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fer_core.config import TrainConfig, defaults, differences
from fer_core.device import Plan
from fer_core.errors import CheckpointError, ConfigError
from fer_core.files import replacing, write_json, write_text

CONFIG, STATE, HISTORY = "run.json", "state.pt", "history.csv"

HistoryRow = dict[str, float]


@dataclass
class RunState:
    """What is known after an epoch; everything that the next one needs.

    Attributes:
        epoch: epochs done.
        history: one row an epoch.
        best: epoch and value of the best PublicTest metric so far.
        weights: weights of that epoch, by name.
        tensors: states of step, optimiser, schedule and average; there only while the state is written or read.
    """

    epoch: int = 0
    history: list[HistoryRow] = field(default_factory=list)
    best: dict[str, float] = field(default_factory=dict)
    weights: dict[str, Tensor] = field(default_factory=dict)
    tensors: dict[str, Any] = field(default_factory=dict)


class RunFolder:
    """Reads and writes a run; no file in it is ever half-written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def exists(self) -> bool:
        """Whether a run was begun here."""
        return (self.path / CONFIG).is_file()

    def begin(self, config: TrainConfig, plan: Plan, fingerprint: str, devices: int, facts: dict[str, Any]) -> None:
        """Records what the run computes, on which data, in how many processes, and what else its card must say."""
        about = {"data": fingerprint, "devices": devices, "facts": facts}
        write_json(self.path / CONFIG, {"config": asdict(config), "plan": asdict(plan), **about})

    def plan(self) -> Plan:
        """The plan that the run began with."""
        return Plan(**self._record()["plan"])

    def end(self, why: str) -> None:
        """Records, as a sentence, why the run has ended before its last epoch."""
        write_json(self.path / CONFIG, self._record() | {"ended": why})

    def ended(self) -> str:
        """Why the run has ended before its last epoch; empty where it has not."""
        return str(self._record().get("ended", ""))

    def devices(self) -> int | None:
        """Processes that the run began with; None for runs of older versions."""
        found: int | None = self._record().get("devices")
        return found

    def facts(self) -> dict[str, Any]:
        """What the run found out as it began; empty for runs of older versions."""
        found: dict[str, Any] = self._record().get("facts", {})
        return found

    def check(self, config: TrainConfig, fingerprint: str, devices: int) -> None:
        """Raises ConfigError where config, data or number of processes differ from those that the run began with."""
        record = self._record()
        if changed := differences(record["config"], config):
            name = changed[0]
            before = (defaults(TrainConfig) | record["config"])[name]
            raise ConfigError(
                f"the run in {self.path} began with {name} = {before}, not {getattr(config, name)}; "
                "resume with the same options, or name another --out"
            )
        if record["data"] != fingerprint:
            raise ConfigError(f"the run in {self.path} began on other data; name that dataset, or another --out")
        if (before := self.devices() or devices) != devices:
            raise ConfigError(
                f"the run in {self.path} began with devices = {before}, not {devices}, which learn something else; "
                f"resume with --devices {before}, or name another --out"
            )

    def check_sources(self, facts: dict[str, Any]) -> None:
        """Raises ConfigError where a checkpoint that the run learns from is another than the one that it began with."""
        now = {sha256 for _, sha256 in _sources(facts)}
        if changed := [name for name, sha256 in _sources(self.facts()) if sha256 not in now]:
            raise ConfigError(
                f"the run in {self.path} began with other weights of the checkpoint {changed[0]}; put them back, or "
                "name another --out"
            )

    def save(self, state: RunState) -> None:
        """Writes the state, then the history."""
        shallow = {item.name: getattr(state, item.name) for item in fields(state)}  # asdict would copy every tensor
        with replacing(self.path / STATE) as temporary:
            torch.save(shallow, temporary)
        write_text(self.path / HISTORY, history_csv(state.history))

    def load(self) -> RunState:
        """The state after the last whole epoch; a fresh one where no epoch was finished."""
        file = self.path / STATE
        if not file.is_file():
            return RunState()
        try:
            return RunState(**torch.load(file, map_location="cpu", weights_only=True))
        except Exception as error:
            raise CheckpointError(f"{file} cannot be read ({error}); start the run anew in another --out") from error

    def _record(self) -> dict[str, Any]:
        try:
            record: dict[str, Any] = json.loads((self.path / CONFIG).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{self.path} holds no run that can be resumed ({error})") from error
        return record


def _sources(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """Names and weights' hashes of a run's teachers and of the checkpoint that it starts from, where it has them."""
    init = facts.get("init")
    return [*facts.get("teachers", {}).items(), *([(init["checkpoint"], init["sha256"])] if init else [])]


def history_csv(history: list[HistoryRow]) -> str:
    """The history as CSV text, one line an epoch."""
    if not history:
        return ""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, fieldnames=list(history[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    return buffer.getvalue()
