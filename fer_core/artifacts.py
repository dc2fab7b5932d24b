"""A checkpoint folder: `weights.safetensors` and the card that says what they are. Builds no model.

checkpoints/<name>/
  weights.safetensors   the network's parameters and buffers, in half precision where it was published so; what an
                        ensemble or a classical method has learnt
  card.json             architecture, input, labels, data, selection, training, metrics, versions
  model.onnx            the same network for onnxruntime; names the weights that it was exported from
  history.csv           one row an epoch
  report.json           evaluation on PublicTest and PrivateTest
  predictions.parquet   row, split, label and seven probabilities of every test face; no pixels
  README.md             the card for people
  members/<name>/       an ensemble's members that do not ship under a name of their own, each a folder like this
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from fer_core.errors import CheckpointError
from fer_core.files import replacing, write_json

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

T = TypeVar("T")

CHECKPOINTS = Path(__file__).resolve().parent.parent / "checkpoints"
DEFAULT_CHECKPOINT = "soft_vote"
WEIGHTS, CARD, ONNX, REPORT = "weights.safetensors", "card.json", "model.onnx", "report.json"
HISTORY, PREDICTIONS = "history.csv", "predictions.parquet"
RUNS_CHECKPOINT = "checkpoint"
"""Folder of a run's folder in which it leaves what it trained."""
PROTOCOLS, ROBUSTNESS, SPEED = "protocols.json", "robustness.json", "speed.json"
"""What scripts.protocols, scripts.robustness and scripts.benchmark record beside a checkpoint."""
DEDUPLICATED = "PrivateTest deduplicated"
"""Key of a card's metrics, beside the splits: PrivateTest without the faces that have a twin in Training."""
NETWORK, ENSEMBLE, CLASSICAL = "network", "ensemble", "classical"
"""Kinds of checkpoints."""


@dataclass(frozen=True)
class Card:
    """What a set of weights is, how it came about and what it reaches.

    Attributes:
        name: the checkpoint's name.
        model: the architecture's registered name; `options` are its options, `title` and `paper` the registry's.
        labels: class names in the order of the outputs.
        input: {"side", "field", "channels", "mean", "std"}: faces of side x side pixels go in as (pixel / 255 - mean) /
            std; the network looks at their centre of field x field.
        temperature: logits are divided by it before the softmax; fitted on PublicTest, 1 where it was not fitted.
        parameters: trainable parameters.
        weights_sha256: SHA-256 (hex) of the weight file.
        data: {"fingerprint", "source_format", "faces"} of what it was trained on.
        selection: {"split", "metric", "value", "epoch"}: what picked these weights.
        training: configuration, plan, device, seconds, images per second, images seen.
        metrics: evaluation by split, with the keys of `scripts.evaluate`; empty until it was evaluated.
        versions: packages that trained it.
        notes: what else a reader must know.
        kind: network, ensemble or classical; for the latter two `model` is the name of the method.
        views: single; flip: the answer is the mean over the face and its mirror image; or flip_zoom: over the face and
            its mirror image, enlarged by a tenth.
        members: of an ensemble, {"name", "folder", "weights_sha256"} each; an empty folder means that `name` ships.
    """

    name: str
    model: str
    labels: tuple[str, ...]
    input: dict[str, Any]
    parameters: int
    weights_sha256: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    title: str = ""
    paper: str = ""
    temperature: float = 1.0
    data: dict[str, Any] = field(default_factory=dict)
    selection: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, dict[str, Any]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    notes: str = ""
    kind: str = NETWORK
    views: str = "single"
    members: list[dict[str, str]] = field(default_factory=list)

    @property
    def field_side(self) -> int:
        """The network looks at the centre of so many pixels a side; all of the face where the card says nothing."""
        return int(self.input.get("field") or self.input["side"])


def load_card(folder: Path) -> Card:
    """Reads a checkpoint's card; raises CheckpointError where it is missing or broken."""
    file = folder / CARD
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        card = Card(**document)
    except FileNotFoundError:
        raise CheckpointError(f"{folder} is no checkpoint: it has no {CARD}") from None
    except (OSError, ValueError, TypeError) as error:
        raise CheckpointError(f"{file} cannot be read ({error}); restore it or train again") from error
    return _with(card, labels=tuple(card.labels))


def save_card(folder: Path, card: Card) -> None:
    """Writes the card alone."""
    write_json(folder / CARD, asdict(card))


def save_checkpoint(folder: Path, card: Card, weights: Mapping[str, Tensor]) -> Card:
    """Writes a network's weights, then the card with their hash; returns that card."""
    from safetensors.torch import save_file

    with replacing(folder / WEIGHTS) as temporary:
        save_file({name: tensor.contiguous() for name, tensor in weights.items()}, temporary)
    return _sealed(folder, card)


def halved(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same with kernels and matrices rounded to half precision, 11 bits; biases and statistics stay as they are.

    A network that loads them computes in float32 as before; the files are half as large.
    """
    import torch

    def rounded(tensor: Tensor) -> Tensor:
        return tensor.to(torch.float16) if tensor.dtype == torch.float32 and tensor.ndim > 1 else tensor

    return {name: rounded(tensor) for name, tensor in weights.items()}


def save_arrays(folder: Path, card: Card, arrays: Mapping[str, np.ndarray]) -> Card:
    """As `save_checkpoint`, for what an ensemble or a classical method has learnt; needs no PyTorch."""
    from safetensors.numpy import save_file

    with replacing(folder / WEIGHTS) as temporary:
        save_file({name: array.copy(order="C") for name, array in arrays.items()}, temporary)
    return _sealed(folder, card)


def load_weights(folder: Path) -> dict[str, Tensor]:
    """Reads a network's weights; raises CheckpointError where they are missing, broken or not those of the card."""
    from safetensors.torch import load_file

    return _read(folder, load_file)


def load_arrays(folder: Path) -> dict[str, np.ndarray]:
    """As `load_weights`, for what `save_arrays` wrote."""
    from safetensors.numpy import load_file

    return _read(folder, load_file)


def check_weights(folder: Path) -> None:
    """Raises CheckpointError where the weights are missing or not those that the card describes."""
    file = folder / WEIGHTS
    if not file.is_file():
        raise CheckpointError(f"{folder} is no checkpoint: it has no {WEIGHTS}")
    if _sha256(file) != load_card(folder).weights_sha256:
        raise CheckpointError(f"{file} is not the file that its card describes; restore both from one place")


def update_card(folder: Path, **changes: Any) -> Card:
    """Replaces fields of a checkpoint's card and returns the new card."""
    card = _with(load_card(folder), **changes)
    save_card(folder, card)
    return card


def find_checkpoint(name_or_path: str | Path) -> Path:
    """The folder of a shipped checkpoint's name, the folder itself, or `checkpoint` in a run's folder.

    Raises:
        CheckpointError: there is none; it names the closest name.
    """
    for folder in (CHECKPOINTS / str(name_or_path), Path(name_or_path), Path(name_or_path) / RUNS_CHECKPOINT):
        if (folder / CARD).is_file():
            return folder
    names = [folder.name for folder in list_checkpoints()]
    close = difflib.get_close_matches(str(name_or_path), names, n=1)
    hint = f"closest: {close[0]!r}" if close else f"there are: {', '.join(names) or 'none'}"
    raise CheckpointError(f"no checkpoint {str(name_or_path)!r}; {hint}")


def told_name(folder: Path, card: Card) -> str:
    """The card's name, or the run's where the folder has the name that every run gives to its checkpoint."""
    return folder.resolve().parent.name if card.name == RUNS_CHECKPOINT else card.name


def list_checkpoints() -> list[Path]:
    """Folders of all shipped checkpoints, by name."""
    return sorted(file.parent for file in CHECKPOINTS.glob(f"[!.]*/{CARD}"))


def save_record(folder: Path, name: str, document: Mapping[str, Any]) -> None:
    """Writes what was measured of a checkpoint's weights, with their hash."""
    write_json(folder / name, {"weights_sha256": _sha256(folder / WEIGHTS), **document})


def load_record(folder: Path, name: str) -> dict[str, Any] | None:
    """What `save_record` wrote, None where nothing was recorded or the weights are others now."""
    try:
        document: dict[str, Any] = json.loads((folder / name).read_text(encoding="utf-8"))
        return document if document.get("weights_sha256") == load_card(folder).weights_sha256 else None
    except (OSError, ValueError, AttributeError, CheckpointError):
        return None


def megabytes(folder: Path, card: Card) -> float:
    """Size of all weights that an answer takes, those of an ensemble's members included; what is missing counts 0."""
    file = folder / WEIGHTS
    size = file.stat().st_size / 1e6 if file.is_file() else 0.0
    for member in card.members:
        part = member_folder(folder, member)
        size += megabytes(part, load_card(part)) if (part / CARD).is_file() else 0.0
    return size


def member_folder(folder: Path, member: Mapping[str, str]) -> Path:
    """Where a member of the ensemble in `folder` lies: within it, or among those that ship."""
    return folder / member["folder"] if member["folder"] else CHECKPOINTS / member["name"]


def rank(card: Card) -> tuple[int, float]:
    """To sort cards by: those of seven emotions before those of eight, the best on PublicTest, which chooses, first."""
    accuracy: float = card.metrics.get("PublicTest", {}).get("accuracy", 0)
    return len(card.labels), -accuracy


def _sealed(folder: Path, card: Card) -> Card:
    card = _with(card, weights_sha256=_sha256(folder / WEIGHTS))
    save_card(folder, card)
    return card


def _read(folder: Path, read: Callable[[Path], dict[str, T]]) -> dict[str, T]:
    from safetensors import SafetensorError

    check_weights(folder)
    try:
        return dict(read(folder / WEIGHTS))
    except SafetensorError as error:
        raise CheckpointError(f"{folder / WEIGHTS} is damaged ({error}); restore it or train again") from error


def ships(folder: Path) -> bool:
    """Whether a checkpoint's folder is one of those under `checkpoints/`."""
    return folder.resolve().parent == CHECKPOINTS.resolve()


def _with(card: Card, **changes: Any) -> Card:
    values = {item.name: getattr(card, item.name) for item in fields(card)}
    return Card(**(values | changes))


def _sha256(file: Path) -> str:
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
