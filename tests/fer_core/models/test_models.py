"""Every registered architecture, walked: shapes, gradients, independence of batch-mates, saving, ONNX, learning."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from fer_core.classifiers.onnx import OPSET
from fer_core.config import TrainConfig, check_types
from fer_core.data.table import FaceDataset
from fer_core.errors import ConfigError, UnknownNameError
from fer_core.models import MODELS, create_model, parameter_count
from fer_core.models.base import FerModel
from fer_core.models.layers.inception import GOOGLENET, Inception
from fer_core.models.zoo import xception
from fer_core.models.zoo.resnet_se import SqueezeExciteBlock

STATED_PARAMETERS = {
    "mini_xception": 56_951,  # the authors' Keras model, trainable
    # conv 1-10, 10-10, 10-10, 10-10, batch norm, fc 810-50-7; localisation conv 1-8 k7, 8-10 k5, fc 640-32-6
    "deep_emotion": 100 + 3 * 910 + 20 + 40_550 + 357 + 400 + 2_010 + 20_512 + 198,
    "keras_cnn": 4_474_759,  # the Keras summary, trainable
    # Keras's Xception without top, less the stem's filters on two colours, plus 2048-7
    "xception": 20_806_952 - 2 * 9 * 32 + 2_048 * 7 + 7,
    # the 13 and 16 convolutions with their biases; batch norm has one number more a channel, the stem two colours less
    "vgg16": 14_714_688 + 4_224 - 2 * 9 * 64 + 512 * 7 + 7,
    "vgg19": 20_024_384 + 5_504 - 2 * 9 * 64 + 512 * 7 + 7,
    # torchvision's counts for ImageNet less their 1000-class layer, plus batch norm of the means and the new layer
    "resnet18": 11_689_512 - 513 * 1000 + 2 * 512 + 513 * 7,
    "resnet34": 21_797_672 - 513 * 1000 + 2 * 512 + 513 * 7,
    "resnet50": 25_557_032 - 2049 * 1000 + 2 * 2048 + 2049 * 7,
    "resnet101": 44_549_160 - 2049 * 1000 + 2 * 2048 + 2049 * 7,
    "efficientnet_b0": 5_288_548 - 1281 * 1000 + 2 * 1280 + 1281 * 7,
    "efficientnet_b5": 30_389_784 - 2049 * 1000 + 2 * 2048 + 2049 * 7,
    "efficientnet_lite0": 4_652_008 - 1281 * 1000 + 2 * 1280 + 1281 * 7,
    "efficientnet_lite1": 5_416_680 - 1281 * 1000 + 2 * 1280 + 1281 * 7,
    "efficientnet_lite2": 6_092_072 - 1281 * 1000 + 2 * 1280 + 1281 * 7,
    # torchvision's ResNet-34 with the new layer, and the masking blocks of the authors' code, first to fourth
    "residual_masking": 21_797_672 - 513 * 1000 + 513 * 7 + 32_366_080 + 31_885_312 + 29_965_312 + 22_291_456,
    "residual_masking_light": 34_021_511,
}
LAYERS = {
    "alexnet": (5, 3, 3),
    "cnn_bilstm": (5, 1, 2),
    "cnn_gru": (5, 1, 2),
    "cnn_lstm": (5, 1, 2),
    "cnn_lstm_attention": (5, 2 + 1, 2),  # two that score the rows
    "cnn_mhsa": (5 + 2, 4 + 1, 3),  # queries, keys, values, output
    "deep_emotion": (4 + 2, 2 + 2, 2 + 2),  # with the localisation net
    "deep_emotion_grid": (4, 2 + 4, 2),
    "deep_emotion_region": (4, 2 + 2, 2),
    "deep_emotion_se": (4 + 2 * 2, 2, 2),
    "deep_emotion_self_attention": (4 + 3, 2, 2),
    "googlenet": (3 + 9 * 6, 1, 3 + 9),
    "keras_cnn": (4, 3, 4),
    "mini_xception": (2 + 4 * (2 * 2 + 1) + 1, 0, 4),
    "mollahosseini": (2 + 4 * 6, 3, 3 + 4),
    "patt_lite": (1 + 8 * 2 + 1 + 2 * 2 + 1 + 1, 1, 0),
    "pramerdorfer_inception": (1 + 7 * 6, 1, 3 + 7),
    "pramerdorfer_resnet": (2 * (3 + 4 + 6 + 3) + 4, 1, 0),  # 33 layers in the paper, which leaves out the shortcuts
    "pramerdorfer_vgg": (8, 2, 4),
    # ResNet-34's 33 and its three shortcuts; blocks of three, and a transposed one on each way up
    "residual_masking": (36 + (5 * 3 + 3 * 4) + (4 * 3 + 2 * 4) + (3 * 3 + 4) + 2 * 3, 1, 1 + 3 + 2 + 1),
    "saravanan": (6, 2, 2),
    "tang_cnn": (3, 2, 3),
    "vgg": (8, 3, 4),
    "vgg16": (13, 1, 5),
    "vgg19": (16, 1, 5),
    "vit": (3, 6 * (4 + 2) + 1, 1),
    "xception": (2 + 34 * 2 + 4, 1, 4),  # the paper's 36, of which 34 are two each, and four shortcuts
}
"""Convolutions, linear layers and max-pools of the whole networks."""
STATED_MILLIONS = {"pramerdorfer_vgg": 1.8, "pramerdorfer_resnet": 5.3}  # the paper's table
FEW_MILLIONS = (
    "cnn_bilstm", "cnn_grid_attention", "cnn_gru", "cnn_lstm", "cnn_lstm_attention", "cnn_mhsa", "cnn_self_attention",
    "deep_emotion", "deep_emotion_grid", "deep_emotion_region", "deep_emotion_se", "deep_emotion_self_attention",
    "mini_xception", "patt_lite", "pramerdorfer_inception", "pramerdorfer_vgg", "vgg_se", "vit",
)  # fmt: skip
"""Networks of less than three million parameters; the other tests of gradients take small forms of all."""
LEARNING_STEPS = 60
PER_CLASS = 2


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture(scope="module")
def drawn(dataset: FaceDataset) -> tuple[Tensor, Tensor]:
    """Two drawn faces of each emotion, (14, 1, 48, 48) normalised, and their labels (14,)."""
    training = dataset.split("Training")
    labels = training.table["label"].to_numpy()
    rows = np.concatenate([np.flatnonzero(labels == label)[:PER_CLASS] for label in range(7)])
    pixels = torch.tensor(training.pixels[rows], dtype=torch.float32)[:, None] / 255
    return (pixels - pixels.mean()) / pixels.std(), torch.tensor(labels[rows])


def small(name: str, num_classes: int = 7, **options: Any) -> FerModel:
    return create_model(name, num_classes, **MODELS[name].small, **options)


def whole(name: str) -> FerModel:
    """The model with its default options, without memory for its weights."""
    with torch.device("meta"):
        return MODELS[name].build(num_classes=7).eval()


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("num_classes", [7, 8])
def test_logits_are_the_head_on_the_features_and_each_face_stands_alone(name: str, num_classes: int) -> None:
    model = small(name, num_classes).eval()
    faces = torch.randn(3, 1, 48, 48)
    with torch.inference_mode():
        logits, features = model(faces), model.features(faces)
        assert logits.shape == (3, num_classes)
        assert torch.isfinite(logits).all()
        assert features.shape[:2] == (3, model.feature_width)
        torch.testing.assert_close(model.head(features), logits)
        torch.testing.assert_close(model(faces[:1]), logits[:1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_the_whole_network_fits_48_pixels_and_grad_cam_finds_a_map(name: str) -> None:
    model, shapes = whole(name), []
    model.cam_layer.register_forward_hook(lambda _m, _i, output: shapes.append(tuple(output.shape)))
    assert model(torch.empty(2, 1, 48, 48, device="meta")).shape == (2, 7)
    assert len(shapes) == 1
    assert min(shapes[0][2:]) > 1


@pytest.mark.parametrize("name", MODELS)
def test_drawn_faces_are_learnt_and_every_parameter_gets_a_gradient(name: str, drawn: tuple[Tensor, Tensor]) -> None:
    faces, labels = drawn
    model = without_dropout(small(name))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    silent = dict(model.named_parameters())
    for step in range(1, LEARNING_STEPS + 1):
        optimizer.zero_grad()
        functional.cross_entropy(model.train()(faces), labels).backward()
        silent = {key: p for key, p in silent.items() if p.grad is None or not p.grad.abs().sum() > 0}
        optimizer.step()
        if step % 4 == 0 and (accuracy := share_right(model, faces, labels)) >= 0.95:
            break
    assert accuracy >= 0.95
    assert list(silent) == []  # what starts at zero hides others for a step, not for longer


def without_dropout(model: FerModel, momentum: float = 0.5) -> FerModel:
    """As it is but without dropout, and with batch norm that forgets its first steps soon: for a handful of faces."""
    for module in model.modules():
        if isinstance(module, nn.modules.dropout._DropoutNd):
            module.p = 0.0
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = momentum
    return model


@torch.inference_mode()
def share_right(model: nn.Module, faces: Tensor, labels: Tensor) -> float:
    return float((model.eval()(faces).argmax(1) == labels).float().mean())


@pytest.mark.parametrize("name", MODELS)
def test_weights_survive_saving(name: str, tmp_path: Path) -> None:
    model, again = small(name).eval(), small(name, initialise=False).eval()
    save_file(model.state_dict(), tmp_path / "weights.safetensors")
    again.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    faces = torch.randn(2, 1, 48, 48)
    with torch.inference_mode():
        torch.testing.assert_close(model(faces), again(faces), rtol=0, atol=0)


@pytest.mark.parametrize("name", MODELS)
def test_onnx_form_answers_alike_for_any_number_of_faces(name: str, drawn: tuple[Tensor, Tensor]) -> None:
    import onnxruntime

    model = without_dropout(small(name), momentum=1.0)
    with torch.no_grad():
        model.train()(drawn[0])  # batch norm that has seen faces: fresh statistics let networks fade to a constant
    model.eval()
    faces = drawn[0][::4]
    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 3, 1
    session = onnxruntime.InferenceSession(onnx_form(model), options, providers=["CPUExecutionProvider"])
    with torch.inference_mode():
        expected = model(faces).numpy()
    found = session.run(None, {"faces": faces.numpy()})[0]
    assert expected.std(axis=0).max() > 1e-3
    assert np.abs(found - expected).max() < 1e-4


def onnx_form(model: nn.Module) -> bytes:
    """By PyTorch's older exporter, ten times as quick as the one of `classifiers.onnx`; by that one where it fails."""
    faces, file = (torch.randn(2, 1, 48, 48),), io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            axes = {"faces": {0: "n"}}
            torch.onnx.export(
                model, faces, file, dynamo=False, opset_version=OPSET, input_names=["faces"], dynamic_axes=axes
            )
        except torch.onnx.errors.OnnxExporterError:
            shapes = ({0: torch.export.Dim("n", min=1, max=64)},)
            options: dict[str, Any] = {"opset_version": OPSET, "input_names": ["faces"], "verbose": False}
            torch.onnx.export(model, faces, dynamic_shapes=shapes, **options).save(file)
    return file.getvalue()


@pytest.mark.parametrize("name", MODELS)
def test_spec_names_paper_title_and_a_small_variant(name: str) -> None:
    spec = MODELS[name]
    assert spec.paper.startswith("https://")
    assert spec.title
    assert set(spec.small) <= set(spec.options)
    with torch.device("meta"):
        assert parameter_count(small(name)) < 300_000


@pytest.mark.parametrize("name", MODELS)
def test_training_defaults_are_fields_that_a_run_can_take(name: str) -> None:
    TrainConfig(name, **MODELS[name].training)


def test_tang_cnn_asks_for_the_loss_of_its_paper() -> None:
    assert MODELS["tang_cnn"].training == {"loss": "l2_svm", "label_smoothing": 0.0}


@pytest.mark.parametrize(("name", "count"), STATED_PARAMETERS.items())
def test_parameter_counts_are_those_that_are_stated(name: str, count: int) -> None:
    assert parameter_count(whole(name)) == count


@pytest.mark.parametrize(("name", "millions"), STATED_MILLIONS.items())
def test_parameter_counts_are_those_of_the_paper_in_millions(name: str, millions: float) -> None:
    assert round(parameter_count(whole(name)) / 1e6, 1) == millions


def test_patt_lite_has_the_numbers_that_the_paper_counts() -> None:
    assert round(sum(value.numel() for value in whole("patt_lite").state_dict().values()) / 1e6, 2) == 1.10


@pytest.mark.parametrize("name", LAYERS)
def test_whole_networks_have_the_layers_that_are_stated(name: str) -> None:
    kinds = ((nn.Conv2d, nn.ConvTranspose2d), nn.Linear, nn.MaxPool2d)
    modules = list(whole(name).modules())
    assert tuple(sum(isinstance(module, kind) for module in modules) for kind in kinds) == LAYERS[name]


@pytest.mark.parametrize(("name", "layers", "count"), [("vgg16", 16, 33_628_999), ("vgg19", 19, 38_939_975)])
def test_vgg_has_the_layers_of_its_name_with_its_dense_ones(name: str, layers: int, count: int) -> None:
    with torch.device("meta"):
        model = create_model(name, dense=4096).eval()
    assert sum(isinstance(module, nn.Conv2d | nn.Linear) for module in model.modules()) == layers
    assert parameter_count(model) == count
    assert count == STATED_PARAMETERS[name] - 513 * 7 + 513 * 4096 + 4097 * 4096 + 4097 * 7
    assert model(torch.empty(2, 1, 48, 48, device="meta")).shape == (2, 7)


def test_the_perceptrons_of_vit_are_as_wide_as_told() -> None:
    with torch.device("meta"):
        papers, ours = create_model("vit", mlp_ratio=4.0), create_model("vit")
    assert [model.blocks[0].perceptron[0].out_features for model in (papers, ours)] == [4 * 96, 2 * 96]


def test_only_the_first_shortcut_of_xception_sees_rectified_maps() -> None:
    model, least = small("xception"), list[float]()
    for module in model.modules():
        if isinstance(module, xception._Module):
            module.shortcut.register_forward_hook(lambda _m, inputs, _o: least.append(inputs[0].detach().min().item()))
    model(torch.randn(4, 1, 48, 48))
    assert least[0] == 0
    assert max(least[1:]) < 0


@pytest.mark.parametrize("name", FEW_MILLIONS)
def test_at_full_size_a_gradient_comes_back_to_the_face(name: str) -> None:
    model, faces = create_model(name).train(), torch.randn(2, 1, 48, 48, requires_grad=True)
    functional.cross_entropy(model(faces), torch.tensor([0, 3])).backward()
    assert faces.grad is not None
    assert faces.grad.abs().sum() > 0
    gradients = [p.grad for p in model.parameters()]
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)


@pytest.mark.parametrize(("name", "inputs", "thousands"), [("3a", 192, 159), ("3b", 256, 380), ("5b", 832, 1388)])
def test_inception_modules_have_the_parameters_of_the_papers_table(name: str, inputs: int, thousands: int) -> None:
    with torch.device("meta"):
        module = Inception(inputs, GOOGLENET[name])
    weights = sum(p.numel() for p in module.parameters() if p.dim() == 4)
    assert weights / 1024 == pytest.approx(thousands, rel=0.02)  # the table is not exact itself


def test_a_fresh_resnet_se_is_its_shortcuts_and_skips_bodies_in_training_only() -> None:
    model, faces = create_model("resnet_se", drop_path=0.9), torch.randn(4, 1, 48, 48)
    blocks = [module for module in model.modules() if isinstance(module, SqueezeExciteBlock)]
    x = torch.randn(4, 256, 6, 6)
    torch.testing.assert_close(blocks[-1].eval()(x), x.relu())
    torch.nn.init.ones_(blocks[-1].body[2].weight)
    assert not torch.allclose(blocks[-1](x), x.relu())
    skipped = (blocks[-1].train()(x) == x.relu()).flatten(1).all(1)
    assert skipped.any()
    assert [round(block.drop, 2) for block in blocks] == [0.0, 0.18, 0.36, 0.54, 0.72, 0.9]
    assert torch.equal(model.eval()(faces), model(faces))


def test_width_scales_vgg_se() -> None:
    half, full = create_model("vgg_se", width=0.5), create_model("vgg_se", width=1.0)
    assert (half.feature_width, full.feature_width) == (256, 512)
    assert create_model("vgg_se", widths=(8, 8, 16, 24)).feature_width == 24


def test_spatial_transformer_starts_as_the_identity() -> None:
    model = create_model("deep_emotion").eval()
    faces = torch.rand(2, 1, 48, 48)
    torch.testing.assert_close(model.transformer(faces), faces, rtol=0, atol=1e-5)


def test_typos_fail_with_the_closest_name() -> None:
    with pytest.raises(UnknownNameError, match="no model 'vgg_sr'; closest: 'vgg_se'"):
        create_model("vgg_sr")
    with pytest.raises(ConfigError, match="no option 'depth'"):
        create_model("vgg_se", depth=3)
    with pytest.raises(ConfigError, match="7 classes"):
        create_model("vgg_se", num_classes=5)


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("vgg_se", "width", 0),
        ("efficientnet_b0", "depth", -1.0),
        ("keras_cnn", "dropout", 1.0),
        ("pramerdorfer_resnet", "depths", (1, 1)),
        ("resnet18", "depths", (1, 0, 1, 1)),
        ("resnet_se", "depths", (1, 2)),
        ("resnet_se", "drop_path", 1.0),
        ("vgg", "side", 15),
        ("vgg16", "dense", -1),
        ("vit", "mlp_ratio", 0),
    ],
)
def test_values_that_make_no_network_are_refused_by_name(name: str, option: str, value: object) -> None:
    with pytest.raises(ConfigError, match=rf"^{option} \("):
        create_model(name, **{option: value})


@pytest.mark.parametrize(
    ("name", "option", "value", "words"),
    [
        ("vgg_se", "width", "half", r"^model_options: width \('half'\) must be a number$"),
        ("vgg_se", "widths", [8, "x"], r"^model_options: widths \(.*\) must be a list of numbers or null$"),
        ("vgg_se", "dropout", "0.2", r"^model_options: dropout \('0.2'\) must be a number$"),
        ("resnet18", "pretrained", "yes", r"^model_options: pretrained \('yes'\) must be true or false$"),
        ("vgg", "dense", 16.5, r"^the model 'vgg' cannot be built with the options {'dense': 16.5} \("),
        ("vit", "width", -8, r"^the model 'vit' cannot be built with the options {'width': -8} \("),
    ],
)
def test_options_of_another_kind_are_named(name: str, option: str, value: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        create_model(name, **{option: value})


@pytest.mark.parametrize("name", MODELS)
def test_every_model_takes_its_own_defaults(name: str) -> None:
    spec = MODELS[name]
    check_types("model_options", spec.build, spec.options | spec.small)
