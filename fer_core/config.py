"""Frozen dataclasses that explain and check themselves; the text under each field is also the command's help."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
from dataclasses import dataclass, field
from typing import Any

from fer_core.errors import ConfigError

AUTO = "auto"


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides what a training run computes, but for the data and the code."""

    model: str
    """Architecture, a name that `scripts.models` lists."""
    model_options: dict[str, Any] = field(default_factory=dict)
    """Options of the architecture, such as {"width": 0.5}."""
    epochs: int = 40
    """Passes over Training."""
    batch_size: int = 128
    """Faces a step, over all processes together."""
    loss: str = "cross_entropy"
    """Loss function, a name in `fer_core.losses`."""
    label_smoothing: float = 0.1
    """Share of each target spread evenly over all classes, 0 to below 1."""
    ferplus_weight: float = 0.0
    """Weight of a second head that learns FER+'s vote shares; 0 leaves it out, above 0 needs a dataset with votes."""
    sampler: str = "shuffle"
    """Order of faces: shuffle, or balanced (every class drawn equally often)."""
    optimizer: str = "sgd"
    """sgd (with Nesterov momentum), adam or adamw."""
    schedule: str = "one_cycle"
    """Course of the learning rate: one_cycle, cosine or constant."""
    learning_rate: float = 0.1
    """Peak learning rate."""
    momentum: float = 0.9
    """Momentum of sgd."""
    weight_decay: float = 5e-4
    """Weight decay; biases and batch-norm parameters are left out."""
    ema: float = 0.999
    """Decay of the running average of weights that is judged and saved, 0 to below 1; 0 saves the last ones."""
    augmentation: str = "medium"
    """none, light, medium or strong: flip, affine, crop, brightness and contrast, erasing, on whole batches."""
    crop: int = 48
    """Side in pixels of the part of a face that the network sees: a random one in training, the centre after it."""
    select_on: str = "accuracy"
    """PublicTest metric that picks the epoch to keep: accuracy or macro_f1."""
    seed: int = 0
    """Seed of weights, order, augmentation and dropout."""
    init: str = ""
    """Checkpoint, a name or a folder, whose weights the run starts from; empty for fresh ones."""
    freeze_epochs: int = 0
    """First epochs in which only the head learns; the trunk waits, its batch norms in eval mode."""
    backbone_learning_rate: float = 1.0
    """Learning rate of all but the head, as a factor of learning_rate, above 0."""

    def __post_init__(self) -> None:
        _positive(self, "epochs", "batch_size", "learning_rate", "backbone_learning_rate")
        _share(self, "label_smoothing", "ema", "momentum")
        _one_of(self, "sampler", ("shuffle", "balanced"))
        _one_of(self, "select_on", ("accuracy", "macro_f1"))
        if self.weight_decay < 0 or self.ferplus_weight < 0:
            raise ConfigError("weight_decay and ferplus_weight must not be below 0")
        if not 0 <= self.freeze_epochs < self.epochs:
            raise ConfigError(
                f"freeze_epochs ({self.freeze_epochs}) must be below epochs ({self.epochs}), and not below 0"
            )
        if not 16 <= self.crop <= 48:
            raise ConfigError(f"crop ({self.crop}) must be between 16 and 48 pixels")


@dataclass(frozen=True)
class ExecutionConfig:
    """How a run computes, on what; it changes speed and rounding, not the method."""

    accelerator: str = AUTO
    """cpu, cuda or auto."""
    devices: int = 1
    """Processes, each with a GPU of its own or a share of the CPU."""
    precision: str = AUTO
    """32, bf16 or auto: auto times both on this device and takes the faster."""
    channels_last: str = AUTO
    """on, off or auto (timed)."""
    compile: str = "off"
    """torch.compile: on, off or auto (timed, which costs a minute)."""
    threads: int = 0
    """CPU threads a process; 0 takes all cores, shared among the processes."""

    def __post_init__(self) -> None:
        _one_of(self, "accelerator", (AUTO, "cpu", "cuda"))
        _one_of(self, "precision", (AUTO, "32", "bf16"))
        _one_of(self, "channels_last", (AUTO, "on", "off"))
        _one_of(self, "compile", (AUTO, "on", "off"))
        _positive(self, "devices")
        if self.threads < 0:
            raise ConfigError("threads must not be below 0")


def field_help(config: type) -> dict[str, str]:
    """{field: the text under it} of a config class, read from its source."""
    body = ast.parse(textwrap.dedent(inspect.getsource(config))).body[0]
    assert isinstance(body, ast.ClassDef)
    texts: dict[str, str] = {}
    for statement, following in zip(body.body, body.body[1:], strict=False):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            texts[statement.target.id] = _string(following)
    return texts


def _string(statement: ast.stmt) -> str:
    is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return str(ast.literal_eval(statement.value)) if is_text else ""  # type: ignore[attr-defined]


def differences(old: dict[str, Any], new: Any) -> list[str]:
    """Names of the fields in which a config differs from a recorded one; fields younger than it had their defaults."""
    fresh = dataclasses.asdict(new)
    before = defaults(type(new)) | old
    return [name for name in fresh if name in before and _plain(before[name]) != _plain(fresh[name])]


def defaults(config: type) -> dict[str, Any]:
    """{field: default} of a config class; fields that must be given are left out."""
    found = {}
    for item in dataclasses.fields(config):
        if item.default is not dataclasses.MISSING:
            found[item.name] = item.default
        elif item.default_factory is not dataclasses.MISSING:
            found[item.name] = item.default_factory()
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _positive(config: Any, *names: str) -> None:
    for name in names:
        if getattr(config, name) <= 0:
            raise ConfigError(f"{name} ({getattr(config, name)}) must be above 0")


def _share(config: Any, *names: str) -> None:
    for name in names:
        if not 0 <= getattr(config, name) < 1:
            raise ConfigError(f"{name} ({getattr(config, name)}) must be at least 0 and below 1")


def _one_of(config: Any, name: str, allowed: tuple[str, ...]) -> None:
    value = getattr(config, name)
    if value not in allowed:
        raise ConfigError(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
