"""From a checkpoint's name to a classifier."""

from __future__ import annotations

import os
from pathlib import Path

from fer_core.artifacts import CLASSICAL, DEFAULT_CHECKPOINT, ENSEMBLE, NETWORK, find_checkpoint, load_card
from fer_core.classifiers.base import CheckpointClassifier
from fer_core.errors import CheckpointError, ConfigError, UnsupportedError


def load_classifier(
    name_or_path: str | Path = DEFAULT_CHECKPOINT, *, backend: str = "auto", threads: int = 1
) -> CheckpointClassifier:
    """Opens a shipped checkpoint by name, or any checkpoint folder: a network, an ensemble or a classical method.

    Args:
        name_or_path: a name under `checkpoints/`, or a folder.
        backend: `onnx` (CPU), `torch` (GPU where there is one), or `auto`: PyTorch on a GPU, onnxruntime without one.
        threads: CPU threads for one call of onnxruntime.

    Raises:
        CheckpointError: no such checkpoint, or its files do not fit together.
    """
    folder = find_checkpoint(name_or_path)
    if backend not in ("auto", "onnx", "torch"):
        raise ConfigError(f"backend must be auto, onnx or torch, not {backend!r}")
    gpu = backend != "onnx" and _has_gpu()
    chosen = "torch" if backend == "auto" and gpu else backend
    return _open(folder, chosen, "cuda" if gpu else "cpu", threads, ())


def _open(folder: Path, backend: str, device: str, threads: int, within: tuple[str, ...]) -> CheckpointClassifier:
    """`within`: hashes of the ensembles that this checkpoint is a member of."""
    card = load_card(folder)
    if card.kind == NETWORK:
        return _open_network(folder, backend, device, threads)
    if card.weights_sha256 in within:
        raise CheckpointError(f"the ensemble {card.name} is a member of itself; build it again")
    inside = (*within, card.weights_sha256)

    def open_part(part: Path) -> CheckpointClassifier:
        return _open(part, backend, device, threads, inside)

    if card.kind == ENSEMBLE:
        from fer_core.classifiers.ensemble import EnsembleClassifier

        return EnsembleClassifier(folder, open_part)
    if card.kind == CLASSICAL:
        from fer_core.classifiers.classical import ClassicalClassifier

        return ClassicalClassifier(folder, open_part)
    raise CheckpointError(f"{folder} is of a kind that is not known, {card.kind!r}; it needs a newer version")


def _open_network(folder: Path, backend: str, device: str, threads: int) -> CheckpointClassifier:
    """`auto`: onnxruntime, or PyTorch for a network that has no ONNX form."""
    from fer_core.classifiers.network import NetworkClassifier

    first = "onnx" if backend == "auto" else backend
    try:
        return NetworkClassifier(folder, backend=first, device=device, threads=threads)
    except UnsupportedError:
        if backend != "auto":
            raise
    return NetworkClassifier(folder, backend="torch", device=device, threads=threads)


def _has_gpu() -> bool:
    """Whether to compute on a GPU; asks PyTorch, which takes seconds to import, only where a driver is present."""
    if not (Path("/dev/nvidiactl").exists() or Path("/dev/dxg").exists() or os.name == "nt"):
        return False
    from fer_core.device import best_accelerator

    return best_accelerator() == "cuda"
