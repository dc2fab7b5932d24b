"""The loop: it learns, it selects, it resumes exactly, it refuses to mix runs."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning.fabric import Fabric
from torch.optim.lr_scheduler import ReduceLROnPlateau

from fer_core.artifacts import Card, load_card, load_weights, save_checkpoint, update_card
from fer_core.config import ExecutionConfig, TrainConfig
from fer_core.data.drawn import drawn_dataset
from fer_core.data.loaders import to_faces
from fer_core.data.table import FaceDataset
from fer_core.data.transforms import Normalisation
from fer_core.device import Plan
from fer_core.errors import CheckpointError, ConfigError, UnknownNameError
from fer_core.labels import EMOTIONS
from fer_core.models import MODELS, create_model
from fer_core.training import plan
from fer_core.training.checkpoint import write_checkpoint
from fer_core.training.fit import FitResult, _check_crop, _launch, fit
from fer_core.training.optimisers import SCHEDULES, WeightAverage, parameter_groups, staged_groups
from fer_core.training.plan import candidates, choose_plan
from fer_core.training.stages import load_initial_weights, trunk_parameters
from fer_core.training.state import STATE, RunFolder
from fer_core.training.step import Batch, Setting, build_step

TINY = {"widths": (8, 8, 16, 16)}
FIXED = ExecutionConfig(accelerator="cpu", precision="32", channels_last="off", threads=1)


def config(**changes: Any) -> TrainConfig:
    values: dict[str, Any] = {"model": "vgg_se", "model_options": TINY, "epochs": 2, "batch_size": 16}
    return TrainConfig(**(values | changes))


def train(dataset: FaceDataset, folder: Path, execution: ExecutionConfig = FIXED, **options: Any) -> FitResult:
    resume = options.pop("resume", False)
    result = fit(config(**options), execution, dataset, folder, resume=resume, report=lambda text: None)
    assert result is not None
    return result


def test_learns_drawn_faces(tmp_path: Path) -> None:
    result = train(
        drawn_dataset(16), tmp_path, epochs=16, learning_rate=0.05, augmentation="none", ema=0.8, batch_size=14
    )
    assert result.best["value"] > 0.9
    assert result.history[-1]["train_loss"] < result.history[0]["train_loss"] / 2


def test_history_and_selection(dataset: FaceDataset, tmp_path: Path) -> None:
    result = train(dataset, tmp_path, epochs=3, select_on="macro_f1")
    values = [row["public_macro_f1"] for row in result.history]
    assert [row["epoch"] for row in result.history] == [1, 2, 3]
    assert result.best == {"epoch": values.index(max(values)) + 1, "value": max(values)}
    assert all(row["images_per_second"] > 0 and row["seconds"] > 0 for row in result.history)
    assert set(result.weights) == set(create_model("vgg_se", **TINY).state_dict())


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"ferplus_weight": 0.5, "sampler": "balanced", "optimizer": "adamw"},
        {"freeze_epochs": 3, "backbone_learning_rate": 0.1},
    ],
)
def test_resumes_as_if_it_had_never_stopped(dataset: FaceDataset, tmp_path: Path, options: dict[str, Any]) -> None:
    whole = train(dataset, tmp_path / "whole", epochs=4, batch_size=8, **options)
    with pytest.raises(KeyboardInterrupt):
        _stop_in_epoch(3, dataset, tmp_path / "parts", epochs=4, batch_size=8, **options)
    parts = train(dataset, tmp_path / "parts", epochs=4, batch_size=8, resume=True, **options)
    assert _timeless(parts.history) == _timeless(whole.history)
    assert all(torch.equal(parts.weights[name], tensor) for name, tensor in whole.weights.items())


def _stop_in_epoch(epoch: int, dataset: FaceDataset, folder: Path, **options: Any) -> None:
    def progress(items: Any, total: int, text: str) -> Any:
        for number, item in enumerate(items):
            if text.startswith(f"epoch {epoch}/") and number == 1:
                raise KeyboardInterrupt
            yield item

    fit(config(**options), FIXED, dataset, folder, report=lambda text: None, progress=progress)


def _timeless(history: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{key: row[key] for key in row if key not in ("seconds", "images_per_second")} for row in history]


def test_a_finished_run_gives_its_result_again(dataset: FaceDataset, tmp_path: Path) -> None:
    first = train(dataset, tmp_path)
    again = train(dataset, tmp_path, resume=True)
    assert again.history == first.history
    assert again.best == first.best


def test_runs_are_not_mixed(dataset: FaceDataset, tmp_path: Path) -> None:
    train(dataset, tmp_path, epochs=1)
    with pytest.raises(ConfigError, match="holds a run; add --resume"):
        train(dataset, tmp_path, epochs=1)
    with pytest.raises(ConfigError, match="began with seed = 0, not 1"):
        train(dataset, tmp_path, epochs=1, seed=1, resume=True)
    other = FaceDataset(dataset.table, dataset.pixels, fingerprint="other")
    with pytest.raises(ConfigError, match="began on other data"):
        train(other, tmp_path, epochs=1, resume=True)


def test_damaged_state_is_named(dataset: FaceDataset, tmp_path: Path) -> None:
    train(dataset, tmp_path, epochs=1)
    (tmp_path / STATE).write_bytes(b"damaged")
    with pytest.raises(CheckpointError, match="cannot be read"):
        RunFolder(tmp_path).load()


def test_options_that_contradict_the_dataset(dataset: FaceDataset, tmp_path: Path) -> None:
    voteless = FaceDataset(dataset.table[["row", "split", "label"]], dataset.pixels)
    with pytest.raises(ConfigError, match="needs FER\\+ votes"):
        train(voteless, tmp_path, ferplus_weight=0.5)
    with pytest.raises(UnknownNameError, match="closest: 'sgd'"):
        train(dataset, tmp_path / "typo", optimizer="sdg")
    with pytest.raises(ConfigError, match="multiple of devices"):
        train(dataset, tmp_path, ExecutionConfig(accelerator="cpu", devices=3))


@pytest.mark.parametrize(("model", "works"), [("vit", False), ("cnn_lstm", False), ("vgg_se", True)])
def test_crops_only_where_the_network_takes_them(model: str, works: bool, dataset: FaceDataset, tmp_path: Path) -> None:
    run = TrainConfig(model, epochs=1, crop=40, batch_size=7, model_options=dict(MODELS[model].small))
    if works:
        fit(run, ExecutionConfig(precision="32", channels_last="off", threads=1), dataset, tmp_path / "run")
        return
    with pytest.raises(ConfigError, match="leave --crop at 48"):
        fit(run, ExecutionConfig(threads=1), dataset, tmp_path / "run")


@pytest.mark.parametrize(("crop", "side"), [(40, 40), (44, 44), (40, 48), (48, 40)])
def test_vgg_takes_the_crops_that_it_is_sized_for(crop: int, side: int) -> None:
    run = TrainConfig("vgg", crop=crop, model_options=MODELS["vgg"].small | {"side": side})
    model = create_model("vgg", field=crop, **run.model_options).train()
    if crop == side:
        _check_crop(model, run)
        assert model.training
        return
    with pytest.raises(ConfigError, match=rf'side": {crop}}}\'$') as refused:
        _check_crop(model, run)
    assert f"built for {side} pixels and --crop is {crop}" in str(refused.value)


def _one_of_each(dataset: FaceDataset) -> FaceDataset:
    """A face of each emotion in Training and PublicTest."""
    taken = dataset.table.drop_duplicates(["split", "label"])
    return dataset.select(taken.index[taken["split"] != "PrivateTest"].to_numpy())


def test_one_face_at_a_time_where_the_network_can(dataset: FaceDataset, tmp_path: Path) -> None:
    few = _one_of_each(dataset)
    with pytest.raises(ConfigError, match=r"resnet18 has batch norms.*raise --batch-size \(it was 1\)"):
        train(few, tmp_path / "run", model="resnet18", model_options=MODELS["resnet18"].small, batch_size=1, epochs=1)
    assert not (tmp_path / "run").exists()
    assert train(few, tmp_path / "run", batch_size=1, epochs=1).history


def test_no_process_is_left_without_a_face(
    dataset: FaceDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Fabric, "world_size", 16)
    with pytest.raises(ConfigError, match="a batch of 7 is too small for 16 processes; lower --devices"):
        train(_one_of_each(dataset), tmp_path, batch_size=16, epochs=1)


def test_a_run_that_blows_up_says_so(dataset: FaceDataset, tmp_path: Path) -> None:
    run = TrainConfig("vgg_se", epochs=2, learning_rate=1e38, batch_size=7, model_options=TINY)
    with pytest.raises(ConfigError, match="no number any more in epoch 1; lower --learning-rate"):
        fit(run, ExecutionConfig(precision="32", channels_last="off", threads=1), dataset, tmp_path / "run")


def _spoiled(monkeypatch: pytest.MonkeyPatch, step: int, *, after: bool) -> None:
    """Lets a run's weights become no number in that of its steps: before its loss is known, or in its update."""
    real, steps = WeightAverage.update_parameters, iter(range(1, 1000))

    def update(average: WeightAverage, model: torch.nn.Module) -> None:
        if next(steps) == step - (not after):
            model.get_parameter("head.bias").data.fill_(float("nan"))
        real(average, model)

    monkeypatch.setattr(WeightAverage, "update_parameters", update)


@pytest.mark.parametrize(("step", "after"), [(6, False), (6, True), (5, False)])
def test_a_run_that_blows_up_late_keeps_its_best_epoch(
    step: int, after: bool, dataset: FaceDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    three_steps = {"epochs": 4, "batch_size": 9, "ema": 0.5}
    good = train(dataset, tmp_path / "good", **(three_steps | {"epochs": 1, "schedule": "constant"}))
    _spoiled(monkeypatch, step, after=after)
    lines: list[str] = []
    run, folder = config(**three_steps, schedule="constant"), tmp_path / "run"
    result = fit(run, FIXED, dataset, folder, report=lines.append)
    assert result is not None
    assert result.ended.startswith("The loss was no number any more in epoch 2: the run ended after 1 of 4 epochs")
    assert lines[-1].startswith(f"warning: {result.ended} To get further, lower --learning-rate (it was 0.1)")
    assert (result.best, _timeless(result.history)) == (good.best, _timeless(good.history))
    assert all(torch.equal(result.weights[name], tensor) for name, tensor in good.weights.items())
    state = RunFolder(folder).load()
    assert state.epoch == 1
    assert all(tensor.isfinite().all() for tensor in state.tensors["step"].values())
    card = load_card(write_checkpoint(folder / "checkpoint", MODELS["vgg_se"], run, dataset, result))
    assert (card.notes, card.training["epochs"]) == (result.ended, 1)
    monkeypatch.undo()
    again = fit(run, FIXED, dataset, folder, resume=True, report=lines.append)
    assert again is not None
    assert (again.ended, again.history) == (result.ended, result.history)
    assert lines[-1] == f"warning: {result.ended}"


def test_a_first_epoch_whose_last_update_blows_up_leaves_nothing(
    dataset: FaceDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _spoiled(monkeypatch, 3, after=True)
    with pytest.raises(ConfigError, match="no number any more in epoch 1; lower --learning-rate"):
        train(dataset, tmp_path, batch_size=9)
    assert RunFolder(tmp_path).load().epoch == 0


@pytest.mark.parametrize(("threads", "expected"), [(2, 2), (0, 3)])
def test_threads_outlive_the_launch_and_keep_to_the_cores_that_may_be_used(
    threads: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = torch.get_num_threads()
    monkeypatch.setattr(Fabric, "launch", lambda fabric: torch.set_num_threads(1))
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 5, 7}, raising=False)
    try:
        _launch(ExecutionConfig(accelerator="cpu", threads=threads), config())
        assert torch.get_num_threads() == expected
    finally:
        torch.set_num_threads(before)


def test_plan_is_measured_shown_and_overridable() -> None:
    step = build_step(Setting(create_model("vgg_se", **TINY), config()))
    batch = Batch(torch.randn(8, 1, 48, 48), torch.zeros(8, dtype=torch.long), torch.eye(8, 7), torch.arange(8))
    lines: list[str] = []
    chosen = choose_plan(step, batch, ExecutionConfig(accelerator="cpu"), lines.append)
    assert len([line for line in lines if "images/s" in line]) == 4
    assert str(chosen) in lines[-1]
    assert all(parameter.grad is None for parameter in step.parameters())
    forced = ExecutionConfig(precision="bf16", channels_last="on")
    assert candidates(forced) == [Plan("bf16", channels_last=True)]


@pytest.mark.parametrize("works", [True, False])
def test_only_the_fastest_plan_is_tried_compiled(works: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def seconds(step: object, batch: Batch, tried: Plan) -> float:
        if tried.compile and not works:
            raise RuntimeError("no compiler")
        return {"32": 4.0, "bf16": 2.0}[tried.precision] / (2 if tried.compile else 1)

    monkeypatch.setattr(plan, "_time", seconds)
    lines: list[str] = []
    batch = Batch(torch.zeros(8, 1, 48, 48), torch.zeros(8, dtype=torch.long), torch.zeros(8, 7), torch.arange(8))
    execution = ExecutionConfig(accelerator="cpu", channels_last="off", compile="auto")
    chosen = choose_plan(torch.nn.Identity(), batch, execution, lines.append)  # type: ignore[arg-type]
    assert chosen == Plan("bf16", compile=works)
    assert sum("compiled" in line and "computing" not in line for line in lines) == 1


def test_bf16_and_channels_last_train_too(dataset: FaceDataset, tmp_path: Path) -> None:
    execution = ExecutionConfig(accelerator="cpu", precision="bf16", channels_last="on", threads=1)
    result = train(dataset, tmp_path, execution, epochs=1)
    assert np.isfinite(result.history[0]["train_loss"])
    assert all(tensor.dtype != torch.bfloat16 for tensor in result.weights.values())


def test_average_follows_weights_and_buffers() -> None:
    model = torch.nn.BatchNorm1d(2)
    average = WeightAverage(model, decay=0.5)
    average.update_parameters(model)
    with torch.no_grad():
        model.weight.fill_(3.0)
        model.running_mean.fill_(8.0)
        model.num_batches_tracked.fill_(7)
    average.update_parameters(model)
    decay = min(0.5, (1 + 1) / (10 + 1))
    assert average.module.weight[0].item() == pytest.approx(decay * 1 + (1 - decay) * 3)
    assert average.module.running_mean[0].item() == pytest.approx((1 - decay) * 8)
    assert average.module.num_batches_tracked.item() == 7


def test_biases_and_norms_do_not_decay() -> None:
    model = create_model("vgg_se", **TINY)
    decaying, free = parameter_groups(model, 0.1)
    assert (decaying["weight_decay"], free["weight_decay"]) == (0.1, 0.0)
    assert all(p.ndim > 1 for p in decaying["params"])
    assert len(decaying["params"]) + len(free["params"]) == len(list(model.parameters()))


def advance(schedule: Any) -> None:
    schedule.step(*([0.5] if isinstance(schedule, ReduceLROnPlateau) else []))


@pytest.mark.parametrize("steps", range(1, 8))
@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_bear_the_shortest_runs(name: str, steps: int) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    schedule = SCHEDULES[name](optimizer, config(), steps)
    for _ in range(steps):
        optimizer.step()
        advance(schedule)
    assert 0 <= optimizer.param_groups[0]["lr"] <= 0.1


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_stay_at_or_below_the_peak(name: str) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    schedule = SCHEDULES[name](optimizer, config(), 20)
    rates = []
    for _ in range(20):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        advance(schedule)
    assert max(rates) == pytest.approx(0.1, rel=0.02)
    assert rates[-1] < 0.011 or name in ("constant", "plateau")  # plateau waits for a metric


def test_vote_head_learns_from_shares_and_stays_behind(dataset: FaceDataset) -> None:
    training = to_faces(dataset.split("Training"))
    model = create_model("vgg_se", **TINY)
    step = build_step(Setting(model, config(ferplus_weight=0.5), training=training))
    shares = torch.full((4, 8), 1 / 8)
    batch = Batch(torch.randn(4, 1, 48, 48), torch.zeros(4).long(), torch.eye(4, 7), torch.arange(4), shares)
    step(batch)["loss"].backward()
    assert step.get_parameter("vote_head.weight").grad is not None
    assert not any("vote" in name for name in step.model.state_dict())


def test_a_frozen_trunk_stays_what_the_checkpoint_had(
    dataset: FaceDataset, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    options = {"init": str(tiny_checkpoint), "freeze_epochs": 2, "epochs": 3, "batch_size": 8}
    with pytest.raises(KeyboardInterrupt):
        _stop_in_epoch(3, dataset, tmp_path, **options)
    before, after = load_weights(tiny_checkpoint), RunFolder(tmp_path).load().tensors["step"]
    changed = {name for name, tensor in before.items() if not torch.equal(tensor, after[f"model.{name}"])}
    assert changed == {"head.weight", "head.bias"}
    result = train(dataset, tmp_path, resume=True, **options)
    assert result.facts["init"]["sha256"] == load_card(tiny_checkpoint).weights_sha256
    assert result.normalisation == Normalisation(0.508, 0.255)
    thawed = RunFolder(tmp_path).load().tensors["step"]
    assert not torch.equal(thawed["model.stages.0.0.0.weight"], before["stages.0.0.0.weight"])


def test_a_start_is_told_with_what_it_was_told(tiny_checkpoint: Path, tmp_path: Path) -> None:
    begun = shutil.copytree(tiny_checkpoint, tmp_path / "begun")
    first = {"config": {"model": "vgg_se", "seed": 5}, "init": {"checkpoint": "older", "config": {"seed": 4}}}
    update_card(begun, training=first | {"seconds": 9.0})
    told = load_initial_weights(create_model("vgg_se", **TINY), "vgg_se", str(begun))
    assert told.items() >= (first | {"seconds": 9.0}).items()


def test_a_checkpoint_starts_only_its_own_architecture(tiny_checkpoint: Path) -> None:
    eight = create_model("vgg_se", 8, **TINY)
    assert load_initial_weights(eight, "vgg_se", str(tiny_checkpoint))["head"] == "fresh"
    assert torch.equal(eight.state_dict()["stages.0.0.0.weight"], load_weights(tiny_checkpoint)["stages.0.0.0.weight"])
    with pytest.raises(ConfigError, match="is a vgg_se, not a deep_emotion"):
        load_initial_weights(create_model("deep_emotion"), "deep_emotion", str(tiny_checkpoint))
    with pytest.raises(ConfigError, match="other weights than this network"):
        load_initial_weights(create_model("vgg_se", widths=(8, 8, 8, 8)), "vgg_se", str(tiny_checkpoint))


def test_a_run_that_did_no_epoch_yet_goes_on_from_the_weights_that_it_began_with(
    dataset: FaceDataset, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    init = shutil.copytree(tiny_checkpoint, tmp_path / "init")
    options = {"init": str(init), "epochs": 1, "batch_size": 8}
    with pytest.raises(KeyboardInterrupt):
        _stop_in_epoch(1, dataset, tmp_path / "run", **options)
    save_checkpoint(init, load_card(init), dict(create_model("vgg_se", **TINY).state_dict()))
    with pytest.raises(ConfigError, match="began with other weights of the checkpoint tiny; put them back"):
        train(dataset, tmp_path / "run", resume=True, **options)


def test_a_deeper_checkpoint_starts_no_shallower_network(tmp_path: Path) -> None:
    options = MODELS["vit"].small | {"depth": 3}
    card = Card("deep", "vit", EMOTIONS, {"side": 48, "mean": 0.5, "std": 0.25}, 0, options=options)
    save_checkpoint(tmp_path, card, dict(create_model("vit", **options).state_dict()))
    with pytest.raises(ConfigError, match=r"other weights than this network \(blocks\.2\..*'depth': 3"):
        load_initial_weights(create_model("vit", **MODELS["vit"].small), "vit", str(tmp_path))


def test_the_trunk_learns_at_its_own_rate() -> None:
    model = create_model("vgg_se", **TINY)
    groups = staged_groups(model, trunk_parameters(model), config(backbone_learning_rate=0.1))
    rates = {parameter: group.get("lr", 0.1) for group in groups for parameter in group["params"]}
    assert rates.keys() == set(model.parameters())
    assert {rates[parameter] for parameter in model.head.parameters()} == {0.1}
    assert {round(rates[parameter], 9) for parameter in trunk_parameters(model)} == {0.01}


def test_runs_of_older_versions_go_on(dataset: FaceDataset, tmp_path: Path) -> None:
    train(dataset, tmp_path, epochs=1)
    record = json.loads((tmp_path / "run.json").read_text())
    del record["facts"], record["config"]["init"], record["config"]["freeze_epochs"]
    (tmp_path / "run.json").write_text(json.dumps(record))
    assert train(dataset, tmp_path, epochs=1, resume=True).facts == {"labels": "FER2013 labels", "faces": 28}
    with pytest.raises(ConfigError, match="began with init = , not vgg_se"):
        train(dataset, tmp_path, epochs=1, resume=True, init="vgg_se")
