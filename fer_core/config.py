"""Frozen dataclasses that explain and check themselves; the text under each field is also the command's help."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import math
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from numbers import Real
from types import UnionType
from typing import Any, NamedTuple, get_args

from fer_core.errors import ConfigError

SIDE = 48
"""Height and width of a face in pixels."""
AUTO = "auto"
SAMPLERS = ("shuffle", "balanced", "oversample", "undersample", "smote")
TARGETS = ("fer2013", "ferplus_majority", "ferplus_multi_label", "ferplus_drawing", "ferplus_soft")
CLEANINGS = ("non_faces", "test_twins", "copies", "conflicting")


class Part(NamedTuple):
    """One of `of` parts of Training, `number` from 1 on."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def parse_part(text: str) -> Part | None:
    """Reads "1/2" as the first of two parts and nothing as None, the whole; raises ConfigError for anything else."""
    if not text:
        return None
    number, _, of = text.partition("/")
    if number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of) and int(of) >= 2:
        return Part(int(number), int(of))
    raise ConfigError(f"part ({text}) must be one of several, such as 1/2 and 2/2; leave it out for the whole")


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
    """Loss: cross_entropy, focal, l2_svm, generalised_cross_entropy or symmetric_cross_entropy."""
    loss_options: dict[str, Any] = field(default_factory=dict)
    """Options of the loss, such as {"gamma": 2} for focal."""
    label_smoothing: float = 0.1
    """Share of each target spread evenly over all classes, 0 to below 1; 0 gives l2_svm and the noise-robust losses
    the targets of their papers."""
    class_weights: str = "none"
    """Weight of each class in the loss, from its faces in Training: none, inverse or effective_number."""
    targets: str = "fer2013"
    """What is learnt: fer2013's labels, or FER+'s votes as ferplus_majority, ferplus_multi_label, ferplus_drawing (a
    label drawn anew in each epoch) or ferplus_soft; FER+ has eight classes and needs a dataset with votes. Where two
    emotions share the lead, ferplus_majority drops the face, since neither has more than half of the votes. The others
    as a rule keep such a face with both emotions."""
    clean: str = ""
    """Training faces to leave out, divided by commas: non_faces, test_twins (copies of faces in a test split), copies
    (all but one of a group) or conflicting (copies, and all of a group whose labels differ)."""
    part: str = ""
    """Part of Training that is learnt, such as 1/2 or 2/2, copies of a face together; empty for the whole. As teachers
    in a distillation, networks that learnt parts are asked only about faces that they have not learnt."""
    method: str = "plain"
    """Training method: plain, mixup, cutmix, eac, scn, sam, co_teaching or distillation."""
    method_options: dict[str, Any] = field(default_factory=dict)
    """Options of the method, such as {"alpha": 0.2} for mixup. The epochs that scn waits before it relabels
    (relabel_after) and that co_teaching takes to leave out its full share (ramp) are 10, as in their papers, but never
    more than a quarter of the run."""
    ferplus_weight: float = 0.0
    """Weight of a second head that learns FER+'s vote shares; 0 leaves it out, above 0 needs a dataset with votes."""
    sampler: str = "shuffle"
    """Faces of an epoch: shuffle (each once), balanced (every class drawn equally often), or each once after
    oversample, undersample or smote has evened out the classes of Training."""
    optimizer: str = "sgd"
    """sgd (with Nesterov momentum), sgd_plain (without), adam, adamw, adadelta, adagrad or rmsprop."""
    schedule: str = "one_cycle"
    """Course of the learning rate: one_cycle, cosine, cosine_restarts, constant, step or plateau (halved where
    PublicTest's metric stalls; it needs three epochs at least)."""
    cycles: int = 1
    """Cycles of cosine_restarts, a divisor of epochs; the weights at the end of each become a checkpoint."""
    learning_rate: float = 0.1
    """Peak learning rate."""
    momentum: float = 0.9
    """Momentum of sgd."""
    weight_decay: float = 5e-4
    """Weight decay; biases and batch-norm parameters are left out."""
    ema: float = 0.999
    """Decay of the running average of weights that is judged and saved, 0 to below 1; 0 saves the last ones."""
    augmentation: str = "medium"
    """none, light, medium or strong (mixtures), or one alone: flip, rotate, shift, zoom, shear, crop, erase, contrast
    or brightness."""
    crop: int = SIDE
    """Side in pixels of the part of a face that the network sees: a random one in training, the centre after it."""
    select_on: str = "accuracy"
    """PublicTest metric that picks the epoch to keep: accuracy or macro_f1."""
    seed: int = 0
    """Seed of weights, order, augmentation and dropout, at least 0."""
    init: str = ""
    """Checkpoint, a name or a folder, whose weights the run starts from; empty for fresh ones."""
    freeze_epochs: int = 0
    """First epochs in which only the head learns; the trunk waits, its batch norms in eval mode."""
    backbone_learning_rate: float = 1.0
    """Learning rate of all but the head, as a factor of learning_rate, above 0."""

    def __post_init__(self) -> None:
        _positive(self, "epochs", "batch_size", "learning_rate", "backbone_learning_rate")
        _share(self, "label_smoothing", "ema", "momentum")
        _one_of(self, "sampler", SAMPLERS)
        _one_of(self, "targets", TARGETS)
        _one_of(self, "select_on", ("accuracy", "macro_f1"))
        parse_part(self.part)
        if self.weight_decay < 0 or self.ferplus_weight < 0:
            raise ConfigError("weight_decay and ferplus_weight must not be below 0")
        if self.cycles < 1 or self.epochs % self.cycles:
            raise ConfigError(f"cycles ({self.cycles}) must divide epochs ({self.epochs}) without a rest")
        if self.cycles > 1 and self.schedule != "cosine_restarts":
            raise ConfigError(f"cycles ({self.cycles}) needs the schedule cosine_restarts, not {self.schedule}")
        if unknown := sorted(set(self.cleanings) - set(CLEANINGS)):
            raise ConfigError(f"clean knows {', '.join(CLEANINGS)}, not {unknown[0]!r}")
        if self.seed < 0:
            raise ConfigError(f"seed ({self.seed}) must not be below 0")
        if not 0 <= self.freeze_epochs < self.epochs:
            raise ConfigError(
                f"freeze_epochs ({self.freeze_epochs}) must be below epochs ({self.epochs}), and not below 0"
            )
        if not 16 <= self.crop <= SIDE:
            raise ConfigError(f"crop ({self.crop}) must be between 16 and {SIDE} pixels")

    @property
    def cleanings(self) -> tuple[str, ...]:
        """The names in `clean`."""
        return tuple(name.strip() for name in self.clean.split(",") if name.strip())


@dataclass(frozen=True)
class ExecutionConfig:
    """How a run computes, on what; it changes speed and rounding, not the method (but see `devices`)."""

    accelerator: str = AUTO
    """cpu, cuda or auto."""
    devices: int = 1
    """Processes, each with a GPU of its own or a share of the CPU. Several learn something else than one, for each
    draws its own numbers and has batch norms of its own; a run goes on with as many as it began with."""
    precision: str = AUTO
    """32, bf16 or auto: auto times both on this device and takes the faster."""
    channels_last: str = AUTO
    """on, off or auto (timed)."""
    compile: str = "off"
    """torch.compile: on, off or auto (timed, which costs a minute)."""
    threads: int = 0
    """CPU threads a process; 0 takes all cores that may be used, shared among the processes."""

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
    text = str(ast.literal_eval(statement.value)) if is_text else ""  # type: ignore[attr-defined]
    return " ".join(text.split())


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


def check_types(name: str, taker: Callable[..., Any], options: Mapping[str, Any]) -> None:
    """Raises ConfigError where an option is of another kind than `taker` declares for its argument of that name.

    Args:
        name: of the config's field that holds the options.
        taker: a function or a class; arguments without a type take anything.
        options: as they came from JSON, where lists stand for tuples.
    """
    takes = inspect.signature(taker, eval_str=True).parameters
    for option, value in options.items():
        kind = takes[option].annotation if option in takes else inspect.Parameter.empty
        if kind is not inspect.Parameter.empty and not _is_a(kind, value):
            raise ConfigError(f"{name}: {option} ({value!r}) must be {_in_words(kind)}")


_KINDS = {int: "number", float: "number", str: "text"}


def _is_a(kind: Any, value: Any) -> bool:
    if isinstance(kind, UnionType):
        return any(_is_a(part, value) for part in get_args(kind))
    if parts := get_args(kind):  # tuple[int, ...] or Sequence[str]
        return isinstance(value, list | tuple) and all(_is_a(parts[0], item) for item in value)
    if kind in (int, float):
        size: Any = abs(value) if isinstance(value, Real) else math.nan
        return bool(size < math.inf)
    if kind is bool:
        return value in (False, True)
    return isinstance(value, kind) if isinstance(kind, type) else True


def _in_words(kind: Any) -> str:
    if isinstance(kind, UnionType):
        return " or ".join(_in_words(part) for part in get_args(kind))
    if parts := get_args(kind):
        return f"a list of {_KINDS.get(parts[0], 'value')}s"
    words = {bool: "true or false", type(None): "null"}
    return words[kind] if kind in words else f"a {_KINDS.get(kind, kind.__name__)}"


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
