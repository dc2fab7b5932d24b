"""The network as an ONNX file: exported from the checkpoint, checked against PyTorch, opened in onnxruntime.

The graph takes uint8 faces (N, 48, 48), normalises them itself and returns logits (N, C). It carries the hash of the
weights that it came from; a file whose hash is not the card's is exported anew into the user's cache folder.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from fer_core.artifacts import NETWORK, ONNX, Card, load_card
from fer_core.data.table import SIDE
from fer_core.errors import UnsupportedError
from fer_core.files import cache_folder, replacing

OPSET = 20
TOLERANCE = 1e-4
HASH_KEY = "weights_sha256"


def export(folder: Path, target: Path | None = None) -> float:
    """Writes a checkpoint's network to `target` (default: the folder's own `model.onnx`) and checks it.

    Returns:
        The largest difference of any logit from PyTorch over 64 random faces.

    Raises:
        UnsupportedError: the network has no ONNX form, or that form differs by 1e-4 or more.
    """
    card = load_card(folder)
    if card.kind != NETWORK:
        names = ", ".join(member["name"] for member in card.members) or "a network"
        raise UnsupportedError(f"{card.name} is not one network and has no ONNX form; export {names}")
    target = target or folder / ONNX
    with replacing(target) as temporary:
        _write(folder, temporary)
        difference = max_difference(folder, temporary)
        if not difference < TOLERANCE:
            raise UnsupportedError(f"the ONNX form of {folder.name} differs from PyTorch by {difference:.1e}")
    return difference


_OPEN: WeakValueDictionary[tuple[str, int], Any] = WeakValueDictionary()
_OPENING = threading.Lock()


def open_session(folder: Path, *, threads: int = 1) -> Any:
    """An onnxruntime session of the checkpoint; exports first where no current file exists.

    Classifiers of the same weights share one session, so that a network that also is a member of ensembles is held in
    memory once.
    """
    card = load_card(folder)
    with _OPENING:
        session = _OPEN.get((card.weights_sha256, threads))
        if session is None:
            session = _session(_current_file(folder, card), threads)
            _OPEN[card.weights_sha256, threads] = session
        return session


def max_difference(folder: Path, file: Path, n: int = 64) -> float:
    """Largest difference of any logit between an ONNX file and PyTorch, on `n` random faces."""
    from fer_core.classifiers.network import NetworkClassifier

    faces = np.random.default_rng(0).integers(0, 256, (n, SIDE, SIDE), dtype=np.uint8)
    exact = NetworkClassifier(folder, backend="torch").forward(faces)
    found = _session(file, threads=1).run(None, {"faces": faces})[0]
    return float(np.abs(exact - found).max())


def _current_file(folder: Path, card: Card) -> Path:
    cached = cache_folder() / "onnx" / f"{card.weights_sha256}.onnx"
    for file in (folder / ONNX, cached):
        if file.is_file() and _exported_from(file) == card.weights_sha256:
            return file
    export(folder, cached)
    return cached


def _exported_from(file: Path) -> str:
    try:
        return str(_session(file, threads=1).get_modelmeta().custom_metadata_map.get(HASH_KEY, ""))
    except Exception:  # onnxruntime raises types of its own for a damaged file; any of them means: export again
        return ""


def _session(file: Path, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


def _write(folder: Path, target: Path) -> None:
    import onnx
    import torch

    from fer_core.classifiers.network import NetworkClassifier

    classifier = NetworkClassifier(folder, backend="torch")
    faces = torch.zeros(2, SIDE, SIDE, dtype=torch.uint8)
    wrapped = _with_input(classifier)
    try:
        with _quiet():
            program = torch.onnx.export(
                wrapped,
                (faces,),
                dynamo=True,
                opset_version=OPSET,
                input_names=["faces"],
                output_names=["logits"],
                dynamic_shapes=({0: torch.export.Dim("n", min=1, max=4096)},),
                verbose=False,
            )
    except torch.onnx.errors.OnnxExporterError as error:
        raise UnsupportedError(
            f"{classifier.name} cannot be written as ONNX by this PyTorch ({type(error).__name__}); use PyTorch: "
            "--backend torch"
        ) from error
    assert program is not None
    model = program.model_proto
    onnx.helper.set_model_props(model, {HASH_KEY: classifier.card.weights_sha256, "checkpoint": classifier.name})
    _forget_sources(model)
    target.write_bytes(model.SerializeToString())


def _with_input(classifier: Any) -> Any:
    import torch
    from torch import Tensor, nn

    class WithInput(nn.Module):
        """uint8 faces -> logits."""

        def __init__(self) -> None:
            super().__init__()
            self.model = classifier.torch_model()
            self.mean, self.std = classifier.card.input["mean"], classifier.card.input["std"]

        def forward(self, faces: Tensor) -> Tensor:
            unit = faces.unsqueeze(1).to(torch.float32) / 255
            logits: Tensor = self.model((unit - self.mean) / self.std)
            return logits

    return WithInput().eval()


def _forget_sources(model: Any) -> None:
    """Drops the exporter's notes on nodes: they name source files of the machine that exported."""
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info, *model.graph.initializer):
        del value.metadata_props[:]
    del model.graph.metadata_props[:]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps the exporter's progress lines and deprecation notes of its own away from the user."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
