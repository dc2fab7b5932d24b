"""A trained network as a classifier: onnxruntime on the CPU, PyTorch (imported when needed) elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_core.artifacts import load_card, load_weights
from fer_core.classifiers.base import CheckpointClassifier, check_faces
from fer_core.errors import CheckpointError

if TYPE_CHECKING:
    from torch import Tensor

    from fer_core.models.base import FerModel

Runtime = Callable[[np.ndarray], np.ndarray]
"""uint8 (N, 48, 48) -> float32 logits (N, C)."""


def load_network(folder: Path) -> FerModel:
    """A checkpoint's network in PyTorch, in eval mode; raises CheckpointError where its weights do not fit."""
    from fer_core.models import create_model

    card, weights = load_card(folder), load_weights(folder)
    field = card.input.get("field")
    model = create_model(card.model, len(card.labels), field=field, initialise=False, **card.options)
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise CheckpointError(f"the weights in {folder} do not fit {card.model!r} ({error})") from error
    return model.eval()


class NetworkClassifier(CheckpointClassifier):
    """One network.

    Args:
        folder: the checkpoint's folder.
        backend: `onnx` or `torch`.
        device: where PyTorch computes, `cpu` or `cuda`.
        threads: CPU threads for one call of onnxruntime.
    """

    def __init__(self, folder: Path, *, backend: str = "onnx", device: str = "cpu", threads: int = 1) -> None:
        super().__init__(folder, f"{backend} on {device}")
        self.backend = backend
        self._torch_device = device
        self._lock = threading.Lock()
        self._run: Runtime = self._open_onnx(threads) if backend == "onnx" else self._run_torch

    def forward(self, faces: np.ndarray) -> np.ndarray:
        """uint8 (N, 48, 48) -> float32 logits (N, C) of the faces as they are."""
        return self._run(faces)

    def normalise(self, faces: np.ndarray) -> Tensor:
        """uint8 (N, 48, 48) -> the network's input (N, 1, 48, 48)."""
        import torch

        from fer_core.data.transforms import to_unit

        return self._normalisation(to_unit(torch.from_numpy(np.array(check_faces(faces)))))

    def torch_model(self) -> FerModel:
        """The network in PyTorch, in eval mode, for explanation and export."""
        with self._lock:
            return self._model

    @cached_property
    def _model(self) -> FerModel:
        import torch

        return load_network(self.folder).to(self._torch_device).to(memory_format=torch.channels_last)

    @cached_property
    def _normalisation(self) -> Any:
        from fer_core.data.transforms import Normalisation

        return Normalisation(self.card.input["mean"], self.card.input["std"])

    def _run_torch(self, faces: np.ndarray) -> np.ndarray:
        import torch

        with torch.inference_mode():
            batch = self.normalise(faces).to(self._torch_device, memory_format=torch.channels_last)
            logits: np.ndarray = self.torch_model()(batch).float().cpu().numpy()
            return logits

    def _open_onnx(self, threads: int) -> Runtime:
        from fer_core.classifiers.onnx import open_session

        session = open_session(self.folder, threads=threads)
        return lambda faces: session.run(None, {"faces": faces})[0]
