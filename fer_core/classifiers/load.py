"""From a checkpoint's name to a classifier."""

from __future__ import annotations

import os
from pathlib import Path

from fer_core.artifacts import DEFAULT_CHECKPOINT, find_checkpoint
from fer_core.classifiers.network import NetworkClassifier
from fer_core.errors import ConfigError


def load_classifier(
    name_or_path: str | Path = DEFAULT_CHECKPOINT, *, backend: str = "auto", threads: int = 1
) -> NetworkClassifier:
    """Opens a shipped checkpoint by name, or any checkpoint folder.

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
    chosen = ("torch" if gpu else "onnx") if backend == "auto" else backend
    return NetworkClassifier(folder, backend=chosen, device="cuda" if gpu else "cpu", threads=threads)


def _has_gpu() -> bool:
    """Whether to compute on a GPU; asks PyTorch, which takes seconds to import, only where a driver is present."""
    if not (Path("/dev/nvidiactl").exists() or Path("/dev/dxg").exists() or os.name == "nt"):
        return False
    from fer_core.device import best_accelerator

    return best_accelerator() == "cuda"
