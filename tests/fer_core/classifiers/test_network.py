"""Networks as classifiers: both backends agree, files that are stale are exported anew."""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fer_core.artifacts import ONNX, WEIGHTS, Card, load_card, load_weights, save_checkpoint, update_card
from fer_core.classifiers import load_classifier
from fer_core.classifiers.base import softmax
from fer_core.classifiers.onnx import TOLERANCE, export, max_difference
from fer_core.errors import CheckpointError, ConfigError, DataError, UnsupportedError
from fer_core.labels import labels_for
from fer_core.models import MODELS, create_model, parameter_count

EXPORTED = (
    "cnn_grid_attention", "cnn_gru", "cnn_lstm", "cnn_lstm_attention", "cnn_self_attention", "deep_emotion",
    "deep_emotion_grid", "efficientnet_lite0", "mini_xception", "patt_lite", "residual_masking",
    "residual_masking_light", "tang_cnn", "vgg_se", "vit",
)  # fmt: skip
"""One of each kind of network; the tests of the models walk all of them with a quicker exporter."""


@pytest.fixture
def checkpoint(tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FER_CACHE", str(tmp_path / "cache"))
    return Path(shutil.copytree(tiny_checkpoint, tmp_path / "tiny"))


@pytest.fixture
def faces() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (5, 48, 48), dtype=np.uint8)


def test_backends_agree(checkpoint: Path, faces: np.ndarray) -> None:
    on_torch = load_classifier(checkpoint, backend="torch").predict_proba(faces)
    on_onnx = load_classifier(checkpoint, backend="onnx").predict_proba(faces)
    assert on_torch.dtype == on_onnx.dtype == np.float32
    assert on_torch.shape == (5, 7)
    np.testing.assert_allclose(on_torch.sum(1), 1, rtol=1e-5)
    np.testing.assert_allclose(on_torch, on_onnx, atol=TOLERANCE)


@pytest.mark.parametrize("name", EXPORTED)
def test_a_network_exports_within_tolerance(name: str, tmp_path: Path) -> None:
    import torch

    num_classes = 8
    torch.manual_seed(0)
    options = dict(MODELS[name].small)
    model = create_model(name, num_classes, **options)
    for parameter in model.parameters():
        parameter.data.add_(0.02 * torch.randn_like(parameter))
    shape = {"side": 48, "channels": 1, "mean": 0.5, "std": 0.25}
    card = Card(name, name, labels_for(num_classes), shape, parameter_count(model), options=options)
    save_checkpoint(tmp_path, card, model.state_dict())
    assert export(tmp_path) < TOLERANCE
    assert max_difference(tmp_path, tmp_path / ONNX, n=3) < TOLERANCE


def test_stale_export_is_not_used(checkpoint: Path, faces: np.ndarray) -> None:
    export(checkpoint)
    weights = {name: tensor * 1.5 for name, tensor in load_weights(checkpoint).items()}
    save_checkpoint(checkpoint, load_card(checkpoint), weights)
    fresh = load_classifier(checkpoint, backend="onnx").predict_proba(faces)
    np.testing.assert_allclose(fresh, load_classifier(checkpoint, backend="torch").predict_proba(faces), atol=TOLERANCE)


def test_damaged_export_is_made_anew(checkpoint: Path, faces: np.ndarray) -> None:
    (checkpoint / ONNX).write_bytes(b"not a graph")
    assert load_classifier(checkpoint, backend="onnx").predict_proba(faces).shape == (5, 7)


def test_export_names_no_source_file(checkpoint: Path) -> None:
    export(checkpoint)
    assert b".py" not in (checkpoint / ONNX).read_bytes()


def test_a_failed_export_leaves_the_loggers_as_they_were(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    def fail(*arguments: object, **options: object) -> None:
        raise torch.onnx.errors.OnnxExporterError("no")

    monkeypatch.setattr(torch.onnx, "export", fail)
    logger = logging.getLogger("torch.onnx")
    monkeypatch.setattr(logger, "level", logging.INFO)
    with pytest.raises(UnsupportedError, match="cannot be written as ONNX"):
        export(checkpoint)
    assert logger.level == logging.INFO


@pytest.mark.parametrize("n", [0, 1, 257])
def test_any_number_of_faces(checkpoint: Path, n: int) -> None:
    export(checkpoint)
    assert load_classifier(checkpoint).predict_proba(np.zeros((n, 48, 48), np.uint8)).shape == (n, 7)


def test_temperature_softens(checkpoint: Path, faces: np.ndarray) -> None:
    plain = load_classifier(checkpoint, backend="torch")
    logits = plain.predict_logits(faces)
    update_card(checkpoint, temperature=2.0)
    softened = load_classifier(checkpoint, backend="torch").predict_proba(faces)
    np.testing.assert_allclose(softened, softmax(logits / 2), atol=1e-6)


@pytest.mark.parametrize("shape", [(2, 47, 48), (48, 48), (1, 1, 48, 48)])
def test_wrong_shapes_are_named(checkpoint: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="uint8"):
        load_classifier(checkpoint, backend="torch").predict_proba(np.zeros(shape, np.uint8))


def test_bad_names_and_weights(checkpoint: Path) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint"):
        load_classifier("nothing_like_it")
    with pytest.raises(ConfigError, match="backend"):
        load_classifier(checkpoint, backend="tensorflow")
    update_card(checkpoint, options={"widths": [8, 8, 8, 8]})
    with pytest.raises(CheckpointError, match="do not fit"):
        load_classifier(checkpoint, backend="torch").torch_model()
    (checkpoint / WEIGHTS).unlink()
    with pytest.raises(CheckpointError, match="weights"):
        load_classifier(checkpoint, backend="torch").torch_model()


def test_serving_on_the_cpu_never_imports_torch(checkpoint: Path) -> None:
    export(checkpoint)
    code = (
        "import sys, numpy as np\n"
        "from fer_core.classifiers import load_classifier\n"
        f"load_classifier({str(checkpoint)!r}, backend='onnx').predict_proba(np.zeros((1, 48, 48), np.uint8))\n"
        "sys.exit('torch' in sys.modules)"
    )
    root = Path(__file__).resolve().parents[3]
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=root).returncode == 0
