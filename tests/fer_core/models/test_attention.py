"""Attention as the models hand it out: what every kind promises, direct computations, and a model left as it was."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor, nn

from fer_core.errors import ConfigError
from fer_core.models import MODELS, create_model
from fer_core.models.attention import AttentionKind, AttentionMap, asked, attention_maps, maps_of_kind, rollout
from fer_core.models.base import FerModel
from fer_core.models.layers.grid_attention import GridAttention
from fer_core.models.layers.multi_head_attention import MultiHeadAttention
from fer_core.models.layers.region_attention import RegionAttention, region_footprints
from fer_core.models.layers.self_attention import SelfAttention2d
from fer_core.models.layers.spatial_transformer import SpatialTransformer
from fer_core.models.layers.squeeze_excite import SqueezeExcite
from fer_core.models.zoo.cnn_lstm import RowAttention
from fer_core.models.zoo.patt_lite import PatchAttention
from fer_core.models.zoo.residual_masking import LightMaskingBlock, MaskingBlock, rise

KINDS = {
    "deep_emotion": {AttentionKind.SPATIAL_TRANSFORMER},
    "deep_emotion_self_attention": {AttentionKind.POSITIONS},
    "deep_emotion_region": {AttentionKind.REGIONS},
    "deep_emotion_grid": {AttentionKind.GRID},
    "deep_emotion_se": {AttentionKind.CHANNELS},
    "vgg_se": {AttentionKind.CHANNELS},
    "resnet_se": {AttentionKind.CHANNELS},
    "cnn_self_attention": {AttentionKind.POSITIONS},
    "cnn_mhsa": {AttentionKind.POSITIONS},
    "cnn_grid_attention": {AttentionKind.GRID, AttentionKind.POSITIONS},
    "cnn_lstm_attention": {AttentionKind.SEQUENCE},
    "vit": {AttentionKind.TOKENS},
    "efficientnet_b0": {AttentionKind.CHANNELS},
    "efficientnet_b5": {AttentionKind.CHANNELS},
    "patt_lite": {AttentionKind.POSITIONS},
    "residual_masking": {AttentionKind.MASK},
    "residual_masking_light": {AttentionKind.MASK},
}


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def stirred(name: str, **options: object) -> FerModel:
    """A small model whose weights have left the values that they start from, in eval mode."""
    model = create_model(name, **(MODELS[name].small | options))
    for parameter in model.parameters():
        parameter.data.add_(0.05 * torch.randn_like(parameter))
    return model.eval()


@pytest.fixture
def faces() -> Tensor:
    return torch.randn(2, 1, 48, 48)


@pytest.mark.parametrize("name", MODELS)
def test_maps_keep_the_promise_of_their_kind(name: str, faces: Tensor) -> None:
    model = stirred(name)
    maps = attention_maps(model, faces)
    assert {found.kind for found in maps.values()} == KINDS.get(name, set())
    modules = dict(model.named_modules())
    for layer, found in maps.items():
        assert layer.split("#")[0] in modules
        assert not found.weights.requires_grad
        assert torch.isfinite(found.weights).all()
        _check(found, len(faces))


def _check(found: AttentionMap, count: int) -> None:
    places = found.grid[0] * found.grid[1]
    weights, values, kind = found.weights, found.values, found.kind
    assert len(weights) == count
    if kind in (AttentionKind.POSITIONS, AttentionKind.GRID, AttentionKind.TOKENS):
        tokens = places + (kind == AttentionKind.TOKENS)
        assert weights.shape == (count, found.heads, tokens, tokens)
    if kind in (AttentionKind.POSITIONS, AttentionKind.GRID, AttentionKind.TOKENS, AttentionKind.SEQUENCE):
        assert weights.min() >= 0
        torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:-1]))
    if kind == AttentionKind.SEQUENCE:
        assert weights.shape == (count, found.grid[0])
    if kind in (AttentionKind.CHANNELS, AttentionKind.REGIONS):
        assert weights.min() >= 0
        assert weights.max() <= 1
        assert values is not None
        assert values.shape[-2:] == found.grid
    if kind == AttentionKind.MASK:
        assert weights.min() >= 0
        assert weights.shape[-2:] == found.grid
    if kind == AttentionKind.SPATIAL_TRANSFORMER:
        assert weights.shape == (count, *found.grid, 2)
        assert values is not None
        assert values.shape[-2:] == found.grid
    if kind == AttentionKind.GRID:
        assert values is not None
        assert values.shape == (count, *found.grid)


def test_asking_changes_neither_the_answer_nor_the_model(faces: Tensor) -> None:
    for name in ("vit", "cnn_mhsa", "deep_emotion"):
        model = stirred(name)
        before = {key: value.clone() for key, value in model.state_dict().items()}
        with torch.no_grad():
            answer = model(faces)
        model.train()
        model.head.eval()
        attention_maps(model, faces)
        assert model.training
        assert not model.head.training
        assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
        assert not asked()
        with torch.no_grad():
            torch.testing.assert_close(model.eval()(faces), answer)
        assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_the_path_that_shows_attention_answers_as_the_fused_one(faces: Tensor) -> None:
    layer = MultiHeadAttention(12, 3, key_dim=8).eval()
    tokens = torch.randn(2, 16, 12)
    answers: list[Tensor] = []

    class Asking(FerModel):
        def __init__(self) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, x: Tensor) -> Tensor:
            answers.append(self.layer(x, (4, 4)))
            return answers[-1]

    attention_maps(Asking(), tokens)
    torch.testing.assert_close(answers[0], layer(tokens, (4, 4)))


def test_other_threads_are_not_asked(faces: Tensor) -> None:
    seen: list[bool] = []

    class Curious(FerModel):
        def forward(self, x: Tensor) -> Tensor:
            with ThreadPoolExecutor(1) as pool:
                seen.extend((asked(), pool.submit(asked).result()))
            return x

    assert attention_maps(Curious(), faces) == {}
    assert seen == [True, False]


def test_a_request_that_fails_is_forgotten(faces: Tensor) -> None:
    with pytest.raises(RuntimeError):
        attention_maps(stirred("vit"), faces[:, :, :5])
    assert not asked()


def test_an_exporter_sees_no_notes(faces: Tensor) -> None:
    compiled = torch.export.export(stirred("deep_emotion_se"), (faces,))
    assert not asked()
    assert compiled.module()(faces).shape == (2, 7)


def _run(layer: nn.Module, x: Tensor) -> tuple[Tensor, AttentionMap]:
    """What a layer gives for a map, and what it noted."""
    given: list[Tensor] = []

    class Around(FerModel):
        def __init__(self) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, x: Tensor) -> Tensor:
            given.append(self.layer(x))
            return given[0]

    (found,) = attention_maps(Around(), x).values()
    return given[0], found


def test_squeeze_excitation_notes_the_gates_that_it_applies() -> None:
    x = torch.rand(2, 8, 5, 5) + 0.1
    out, found = _run(SqueezeExcite(8), x)
    torch.testing.assert_close(out / x, found.weights[:, :, None, None].expand_as(x))
    assert found.values is not None
    torch.testing.assert_close(found.values, x)


def test_self_attention_is_what_it_notes() -> None:
    layer = SelfAttention2d(8)
    layer.scale.data.fill_(0.7)
    x = torch.randn(2, 8, 3, 4)
    out, found = _run(layer, x)
    values = layer.value(x).flatten(2)  # (B, K, places)
    mixed = torch.einsum("bqk,bck->bcq", found.weights[:, 0], values)
    torch.testing.assert_close(out, x + 0.7 * mixed.view_as(x))
    query, key = layer.query(x).flatten(2), layer.key(x).flatten(2)
    scores = torch.einsum("bcq,bck->bqk", query, key)
    torch.testing.assert_close(found.weights[:, 0], scores.exp() / scores.exp().sum(-1, keepdim=True))


def test_grid_attention_gates_each_cell_as_it_notes() -> None:
    x = torch.rand(2, 6, 8, 8) + 0.1
    out, found = _run(GridAttention(6, cells=4), x)
    assert found.values is not None
    gates = found.values.repeat_interleave(2, 1).repeat_interleave(2, 2)[:, None]
    torch.testing.assert_close(out, 2 * gates * x)
    assert found.grid == (4, 4)


def test_region_attention_weighs_each_place_by_its_regions() -> None:
    x = torch.rand(2, 6, 8, 8) + 0.1
    out, found = _run(RegionAttention(6, 8), x)
    marks = region_footprints(8)
    assert marks.shape == (6, 8, 8)
    corner = found.weights[:, [0, 5]].mean(1)  # the upper left place lies in the first corner and in the whole
    torch.testing.assert_close(out[:, :, 0, 0], x[:, :, 0, 0] * corner[:, None])
    middle = found.weights.mean(1)
    torch.testing.assert_close(out[:, :, 4, 4], x[:, :, 4, 4] * middle[:, None])
    assert (marks[:5].sum((1, 2)) == 36).all()


def test_a_light_masking_block_weighs_by_one_plus_the_mask_that_it_notes() -> None:
    x = torch.rand(2, 6, 8, 8) + 0.1
    out, found = _run(LightMaskingBlock(6, levels=2).eval(), x)
    torch.testing.assert_close(out, x * (1 + found.weights))
    assert found.weights.std() > 0
    assert found.weights.max() <= 1
    assert found.grid == (8, 8)


def test_row_attention_sums_the_states_by_the_weights_that_it_notes() -> None:
    states = torch.randn(2, 5, 6)
    out, found = _run(RowAttention(6), states)
    torch.testing.assert_close(out, torch.einsum("bt,btd->bd", found.weights, states))
    assert found.weights.std() > 0
    assert found.grid == (5, 1)


def test_patch_attention_mixes_the_places_as_it_notes() -> None:
    layer = PatchAttention()
    layer.scale.data.fill_(0.6)
    x = torch.randn(2, 4, 2, 3)
    out, found = _run(layer, x)
    tokens = x.flatten(2)  # (B, K, places)
    torch.testing.assert_close(out, torch.einsum("bqk,bck->bcq", found.weights[:, 0], tokens).view_as(x))
    scores = 0.6 * torch.einsum("bcq,bck->bqk", tokens, tokens)
    torch.testing.assert_close(found.weights[:, 0], scores.exp() / scores.exp().sum(-1, keepdim=True))
    assert found.grid == (2, 3)


def test_the_spatial_transformer_stays_inside_the_frame_where_it_zooms_in() -> None:
    layer = SpatialTransformer(nn.Flatten(), 48 * 48, start=(0.5, 0, 0.25, 0, 0.5, -0.25))
    x = torch.rand(2, 1, 48, 48)
    out, found = _run(layer, x)
    assert found.weights.abs().max() <= 1
    across, down = (found.weights[..., i] for i in (0, 1))
    assert across.min() == pytest.approx(0.25 - 0.5, abs=0.02)
    assert down.max() == pytest.approx(-0.25 + 0.5, abs=0.02)
    torch.testing.assert_close(out, found.values)
    torch.testing.assert_close(out.mean(), x[:, :, 6:30, 18:42].mean(), rtol=0, atol=0.02)


def test_masks_of_the_residual_masking_network_share_each_place_among_its_channels() -> None:
    block = MaskingBlock(4, levels=3).eval()
    for parameter in block.parameters():
        parameter.data.add_(0.3 * torch.randn_like(parameter))
    x = torch.rand(2, 4, 8, 8)
    out, found = _run(block, x)
    mask = block.mask(x)
    assert mask.min() > 0
    assert mask.std() > 0.01
    torch.testing.assert_close(mask.sum(1), torch.ones(2, 8, 8))
    torch.testing.assert_close(out, x * (1 + mask))
    assert found.weights.shape == (2, 1, 8, 8)
    torch.testing.assert_close(out.sum(1), x.sum(1) * (1 + found.weights[:, 0]))  # what it notes is by how much F rises


def test_a_mask_raises_nothing_where_the_map_is_empty() -> None:
    x = torch.rand(1, 3, 2, 2)
    x[..., 0, 1] = 0
    share = rise(x, torch.full_like(x, 1 / 3))
    assert share[0, 0, 0, 1] == 0
    torch.testing.assert_close(share[0, 0, 1], torch.full((2,), 1 / 3))


@pytest.mark.parametrize(("stage", "pools"), [(0, 3), (1, 2), (2, 1), (3, 0)])
def test_each_stage_has_the_u_net_of_the_authors(stage: int, pools: int) -> None:
    with torch.device("meta"):
        blocks = [m for m in create_model("residual_masking").modules() if isinstance(m, MaskingBlock)]
    assert len(blocks[stage].pools) == pools
    widths: list[int] = []
    for block in blocks[stage].down:
        block.register_forward_hook(lambda _m, _i, output: widths.append(output.shape[1]))
    channels = 64 * 2**stage
    assert blocks[stage].mask(torch.empty(2, channels, 8, 8, device="meta")).shape == (2, channels, 8, 8)
    assert widths == [channels * 2**level for level in range(1, pools + 2)]
    assert widths[-1] == 1024


def test_mhsa_has_heads_and_keys_as_told() -> None:
    small, large = (create_model("cnn_mhsa", key_dim=width).attention.attention for width in (8, 64))
    assert (small.heads, small.to_keys.out_features) == (8, 64)
    assert (large.heads, large.to_keys.out_features) == (8, 512)
    with pytest.raises(ConfigError, match="multiple of heads"):
        MultiHeadAttention(10, 4)


@pytest.mark.parametrize(("patch", "side"), [(6, 8), (8, 6)])
def test_vit_cuts_patches_as_told(patch: int, side: int, faces: Tensor) -> None:
    for found in attention_maps(stirred("vit", patch=patch), faces).values():
        assert found.grid == (side, side)


def test_vit_refuses_patches_that_do_not_fit() -> None:
    with pytest.raises(ConfigError, match="must divide 48"):
        create_model("vit", patch=7)
    with pytest.raises(ConfigError, match="must be even"):
        create_model("vit", patch=3)


def test_vit_gives_grad_cam_the_patches_of_the_last_norm(faces: Tensor) -> None:
    model = stirred("vit")
    shown: list[Tensor] = []
    normed: list[Tensor] = []
    model.cam_layer.register_forward_hook(lambda _m, _i, output: shown.append(output))
    model.blocks[-1].norm1.register_forward_hook(lambda _m, _i, output: normed.append(output))
    model(faces)
    torch.testing.assert_close(shown[0].flatten(2).transpose(1, 2), normed[0][:, 1:])
    torch.testing.assert_close(shown[0][:, :, 1, 2], normed[0][:, 1 + 1 * model.grid[1] + 2])


def test_lstm_reads_from_forehead_to_chin(faces: Tensor) -> None:
    model = stirred("cnn_lstm")
    rows: list[Tensor] = []
    model.recurrent.register_forward_hook(lambda _m, inputs, _o: rows.append(inputs[0]))
    model(faces)
    trunk = model.trunk(faces)  # (B, K, 12, 12)
    torch.testing.assert_close(rows[0][:, 3], trunk[:, :, 3].flatten(1))


def test_both_ends_of_a_two_way_reading_count(faces: Tensor) -> None:
    model = stirred("cnn_bilstm")
    states, (last, _) = model.recurrent(model.trunk(faces).transpose(1, 2).flatten(2))
    torch.testing.assert_close(model.features(faces), torch.cat([last[0], last[1]], dim=1))
    assert states.shape[2] == model.feature_width


def test_rollout_of_a_toy_by_hand() -> None:
    first = torch.tensor([[[[1.0, 0.0], [0.5, 0.5]], [[0.0, 1.0], [0.5, 0.5]]]])  # two heads: mean [[.5, .5], [.5, .5]]
    second = torch.tensor([[[[0.0, 1.0], [1.0, 0.0]]]])
    # (mean + identity) / 2: [[.75, .25], [.25, .75]] and [[.5, .5], [.5, .5]]; their product is flat
    torch.testing.assert_close(rollout([first, second]), torch.full((1, 2, 2), 0.5))
    torch.testing.assert_close(rollout([first]), torch.tensor([[[0.75, 0.25], [0.25, 0.75]]]))
    third = torch.tensor([[[[1.0, 0.0], [1.0, 0.0]]]])  # [[1, 0], [.5, .5]] in front of [[.75, .25], [.25, .75]]
    torch.testing.assert_close(rollout([third, first]), torch.tensor([[[0.875, 0.125], [0.625, 0.375]]]))
    with pytest.raises(ConfigError, match="at least one layer"):
        rollout([])


def test_rollout_of_a_model_sums_to_one(faces: Tensor) -> None:
    maps = maps_of_kind(stirred("vit"), faces, AttentionKind.TOKENS)
    total = rollout([found.weights for found in maps.values()])
    torch.testing.assert_close(total.sum(-1), torch.ones(total.shape[:-1]))
