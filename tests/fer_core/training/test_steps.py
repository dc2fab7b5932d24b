"""Training methods: each learns and resumes; each against its definition."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fer_core.artifacts import ENSEMBLE, Card, save_checkpoint, update_card
from fer_core.config import ExecutionConfig, Part, TrainConfig
from fer_core.data.loaders import to_faces
from fer_core.data.parts import in_part
from fer_core.data.table import FaceDataset
from fer_core.data.transforms import Normalisation
from fer_core.errors import ConfigError, UnknownNameError
from fer_core.labels import EMOTIONS
from fer_core.losses import Criterion, build_loss
from fer_core.models import MODELS, create_model
from fer_core.training.fit import FitResult, fit
from fer_core.training.state import RunFolder
from fer_core.training.step import STEPS, Batch, Setting, Step, build_step
from fer_core.training.steps.co_teaching import CoTeachingStep
from fer_core.training.steps.cutmix import CutmixStep
from fer_core.training.steps.distillation import DistillationStep
from fer_core.training.steps.eac import EacStep, class_maps, flip_inconsistency, maps_of
from fer_core.training.steps.mixup import MixupStep
from fer_core.training.steps.sam import SamStep
from fer_core.training.steps.scn import ScnStep
from fer_core.training.voting import VotingStep

TINY = {"widths": (4, 4, 8, 8)}
FIXED = ExecutionConfig(accelerator="cpu", precision="32", channels_last="off", threads=1)
EARLY: dict[str, dict[str, Any]] = {
    "scn": {"relabel_after": 0, "relabel_margin": -1.0},
    "co_teaching": {"ramp": 2, "noise": 0.5},
}
"""Options that let the later part of a method begin in the first epochs."""


def config(method: str = "plain", **changes: Any) -> TrainConfig:
    values: dict[str, Any] = {"model": "vgg_se", "model_options": TINY, "epochs": 3, "batch_size": 7, "ema": 0.5}
    return TrainConfig(method=method, **(values | changes))


@pytest.fixture(scope="module")
def few(dataset: FaceDataset) -> FaceDataset:
    """Two faces of each emotion and split."""
    return dataset.select(np.arange(0, len(dataset), 2))


@pytest.fixture
def options(tiny_checkpoint: Path) -> dict[str, dict[str, Any]]:
    """Method options by method."""
    return {**EARLY, "distillation": {"teachers": [str(tiny_checkpoint)]}}


def step_for(method: str, training: FaceDataset | None = None, epochs: int = 3, **method_options: Any) -> Step:
    torch.manual_seed(0)
    faces = None if training is None else to_faces(training.split("Training"))
    run = config(method, method_options=method_options, label_smoothing=0.0, epochs=epochs)
    return build_step(Setting(create_model("vgg_se", **TINY), run, training=faces))


def batch_of(n: int = 8, epoch: float = 0, seed: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % 7
    faces = torch.randn(n, 1, 48, 48, generator=generator)
    return Batch(faces, labels, torch.eye(7)[labels], torch.arange(n), epoch=epoch)


def train(dataset: FaceDataset, folder: Path, run: TrainConfig, **more: Any) -> FitResult:
    result = fit(run, FIXED, dataset, folder, report=lambda text: None, **more)
    assert result is not None
    return result


@pytest.mark.parametrize("method", STEPS)
def test_every_method_resumes_exactly(method: str, few: FaceDataset, tmp_path: Path, options: dict[str, Any]) -> None:
    run = config(method, method_options=options.get(method, {}))
    train(few, tmp_path / "whole", run)

    def stop(row: dict[str, float]) -> None:
        if row["epoch"] == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        train(few, tmp_path / "parts", run, after_epoch=stop)
    train(few, tmp_path / "parts", run, resume=True)
    whole, parts = (RunFolder(tmp_path / name).load() for name in ("whole", "parts"))
    assert [row["train_loss"] for row in parts.history] == [row["train_loss"] for row in whole.history]
    for name, tensor in whole.tensors["step"].items():
        assert torch.equal(parts.tensors["step"][name], tensor), name
    assert all(np.isfinite(row["train_loss"]) for row in whole.history)


@pytest.mark.parametrize("method", STEPS)
def test_every_method_trains_all_that_it_saves(method: str, few: FaceDataset, options: dict[str, Any]) -> None:
    step = step_for(method, few, **options.get(method, {}))
    outputs = step.train()(batch_of())
    outputs["loss"].backward()
    assert outputs["logits"].shape == (8, 7)
    assert not [name for name, parameter in step.named_parameters() if parameter.grad is None]
    assert set(step.model.state_dict()) == set(create_model("vgg_se", **TINY).state_dict())


def test_unknown_methods_and_options_are_named() -> None:
    with pytest.raises(UnknownNameError, match="closest: 'mixup'"):
        step_for("mixupp")
    with pytest.raises(ConfigError, match="'mixup' has no option 'alfa'; it has: alpha"):
        step_for("mixup", alfa=1)
    with pytest.raises(ConfigError, match=r"method_options: alpha \('x'\) must be a number"):
        step_for("mixup", alpha="x")
    with pytest.raises(ConfigError, match=r"method_options: teachers \(\[1\]\) must be a list of texts"):
        step_for("distillation", teachers=[1])
    with pytest.raises(ConfigError, match="does not go with the method scn"):
        build_step(Setting(create_model("vgg_se", **TINY), config("scn", ferplus_weight=0.5)))


VOTING = [name for name, step in STEPS.items() if step.takes_votes]


@pytest.mark.parametrize("method", VOTING)
def test_votes_add_their_cross_entropy(method: str, few: FaceDataset, options: dict[str, Any]) -> None:
    run = config(method, method_options=options.get(method, {}), ferplus_weight=0.5, label_smoothing=0.0)
    training = to_faces(few.split("Training"))
    torch.manual_seed(0)
    step = build_step(Setting(create_model("vgg_se", **TINY), run, training=training)).eval()
    assert isinstance(step, VotingStep)
    batch = batch_of()._replace(shares=torch.rand(8, 8).softmax(1))
    losses = []
    for weight in (0.0, 0.5):
        step.vote_weight = weight
        torch.manual_seed(3)
        losses.append(step(batch)["loss"])
    step.vote_weight = 0.5
    losses[1].backward()
    assert step.vote_head.weight.grad is not None
    assert losses[1] > losses[0]
    if method == "plain":
        votes = step.vote_head(step.model.features(batch.faces))
        expected = -(batch.shares * votes.log_softmax(1)).sum(1).mean()  # type: ignore[operator]
        torch.testing.assert_close(losses[1] - losses[0], 0.5 * expected)


def test_mixup_blends_votes_as_it_blends_labels(few: FaceDataset) -> None:
    run = config("mixup", method_options={"alpha": 1.0}, ferplus_weight=0.5, label_smoothing=0.0)
    torch.manual_seed(0)
    step = build_step(Setting(create_model("vgg_se", **TINY), run, training=to_faces(few.split("Training")))).eval()
    batch = batch_of()._replace(shares=torch.rand(8, 8).softmax(1))
    assert isinstance(step, VotingStep)
    assert batch.shares is not None
    torch.manual_seed(5)
    loss = step(batch)["loss"]
    torch.manual_seed(5)
    partner, share = torch.randperm(8), torch.distributions.Beta(torch.tensor(1.0), torch.tensor(1.0)).sample()
    answers = step.answer(share * batch.faces + (1 - share) * batch.faces[partner])
    targets, shares = (share * part + (1 - share) * part[partner] for part in (batch.targets, batch.shares))
    torch.testing.assert_close(loss, step.loss(answers, targets, shares), rtol=1e-4, atol=1e-5)


def test_mixup_blends_faces_and_targets_alike() -> None:
    step = step_for("mixup")
    assert isinstance(step, MixupStep)
    batch = batch_of()
    mixed, share = step.blend(batch.faces, batch.faces.flip(0), 0.3)
    torch.testing.assert_close(mixed, 0.3 * batch.faces + 0.7 * batch.faces.flip(0))
    assert share == 0.3


def test_mixups_loss_is_that_of_the_blended_targets() -> None:
    step = step_for("mixup", alpha=1.0).eval()
    batch = batch_of()
    torch.manual_seed(5)
    outputs = step(batch)
    torch.manual_seed(5)
    partner = torch.randperm(8)
    share = torch.distributions.Beta(torch.tensor(1.0), torch.tensor(1.0)).sample()
    logits = step.model(share * batch.faces + (1 - share) * batch.faces[partner])
    targets = share * batch.targets + (1 - share) * batch.targets[partner]
    expected = -(targets * logits.log_softmax(1)).sum(1).mean()
    torch.testing.assert_close(outputs["loss"], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.9, 1.0])
def test_cutmixs_share_is_the_area_that_stays(share: float) -> None:
    step = step_for("cutmix")
    assert isinstance(step, CutmixStep)
    mine, theirs = torch.zeros(2, 1, 48, 48), torch.ones(2, 1, 48, 48)
    for seed in range(5):
        torch.manual_seed(seed)
        mixed, stays = step.blend(mine, theirs, share)
        assert stays == pytest.approx(1 - mixed[0].mean().item(), abs=1e-6)
        assert stays >= share - 0.05
    assert not mine.any()


def test_eacs_flip_consistency_is_that_of_the_maps() -> None:
    step = step_for("eac", weight=2.0, erase=0.0).eval()
    assert isinstance(step, EacStep)
    model, batch = step.model, batch_of(3)
    outputs = step(batch)
    stages: list[torch.Tensor] = []
    for faces in (batch.faces, batch.faces.flip(-1)):
        with maps_of(model) as seen:
            model(faces)
        stages.append(seen[0])
    weight = model.get_parameter("head.weight")
    total, count = 0.0, 0
    for face in range(3):
        for label in range(7):
            here = sum(weight[label, k] * stages[0][face, k] for k in range(8))
            there = sum(weight[label, k] * stages[1][face, k] for k in range(8))
            for row in range(6):
                for column in range(6):
                    total += (here[row, column] - there[row, 5 - column]).item() ** 2
                    count += 1
    entropy = torch.nn.functional.cross_entropy(model(batch.faces), batch.labels)
    assert outputs["loss"].item() == pytest.approx(entropy.item() + 2.0 * total / count, rel=1e-4)


def test_eac_shows_erased_faces_and_their_mirror_images() -> None:
    step = step_for("eac", erase=1.0).eval()
    batch, seen = batch_of(), []
    handle = step.model.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    step(batch)
    handle.remove()
    (shown,) = seen
    erased, mirrored = shown.chunk(2)
    assert torch.equal(mirrored, erased.flip(-1))
    differs = ((erased - batch.faces).abs() > 1e-4).flatten(1).float().mean(1)
    assert 0 < differs.min() < differs.max() < 0.25  # every face has lost a part, none all of it
    assert differs.unique().numel() > 1
    with_labels = torch.nn.functional.cross_entropy(step.model(erased), batch.labels)
    assert step.criterion(step.model(erased), batch.targets).item() == pytest.approx(with_labels.item(), rel=1e-5)


def test_maps_that_are_mirror_images_are_consistent() -> None:
    maps = class_maps(torch.randn(2, 5, 6, 6), torch.randn(7, 5))
    assert flip_inconsistency(maps, maps.flip(-1)).item() == 0
    assert flip_inconsistency(maps, maps).item() > 0


@pytest.mark.parametrize("model", ["vgg", "mini_xception"])
def test_eac_says_where_it_cannot_work(model: str) -> None:
    small = {"dense": 8} if model == "vgg" else {}
    with pytest.raises(ConfigError, match=f"eac needs a map .*; {model} has none"):
        build_step(Setting(create_model(model, **small), TrainConfig(model, method="eac")))


@pytest.mark.parametrize("name", MODELS)
def test_eac_takes_only_maps_that_the_head_weighs(name: str) -> None:
    torch.manual_seed(0)
    model = create_model(name, initialise=False, **MODELS[name].small).eval()
    try:
        build_step(Setting(model, TrainConfig(name, method="eac")))
    except ConfigError:
        return  # it says that it cannot
    faces = torch.randn(3, 1, 48, 48)
    with torch.no_grad(), maps_of(model) as seen:
        logits = model(faces)
    assert isinstance(model.head, torch.nn.Linear)
    bias = 0 if model.head.bias is None else model.head.bias
    pooled = [class_maps(maps, model.head.weight).mean((2, 3)) + bias
              for maps in (seen[-1], torch.nn.functional.max_pool2d(seen[-1], 2))]  # fmt: skip
    assert any(torch.allclose(way, logits, rtol=1e-3, atol=1e-3) for way in pooled)


def test_co_teaching_starts_two_networks_apart(tiny_checkpoint: Path) -> None:
    for options in ({"init": str(tiny_checkpoint)}, {"freeze_epochs": 1}, {"backbone_learning_rate": 0.1}):
        with pytest.raises(ConfigError, match="two networks that start apart"):
            build_step(Setting(create_model("vgg_se", **TINY), config("co_teaching", **options)))


def test_several_accepted_labels_have_no_class_weight() -> None:
    setting = Setting(
        create_model("vgg_se", 8, **TINY), config("plain", targets="ferplus_multi_label", class_weights="inverse")
    )
    with pytest.raises(ConfigError, match="leave out --class-weights"):
        build_step(setting)


def _scn(few: FaceDataset, **method_options: Any) -> ScnStep:
    step = step_for("scn", few, **method_options).train()
    assert isinstance(step, ScnStep)
    return step


def test_scn_relabels_doubtful_faces_after_a_number_of_epochs(few: FaceDataset) -> None:
    step = _scn(few, relabel_after=1, relabel_margin=0.2, better=0.5)
    with torch.no_grad():
        step.model.get_parameter("head.weight").zero_()
        step.model.get_parameter("head.bias").copy_(torch.tensor([9.0] + [0.0] * 6))  # all faces look angry
    step(batch_of(epoch=0))
    assert (step.relabelled == -1).all()
    step(batch_of(epoch=1))
    changed = (step.relabelled >= 0).nonzero().squeeze(1)
    assert 2 <= len(changed) <= 4  # the rest of the batch, but for the two faces that are called angry already
    assert not {0, 7} & set(changed.tolist())
    assert (step.relabelled[changed] == 0).all()
    targets = step._targets(batch_of())
    assert torch.equal(targets[changed], torch.eye(7)[0].expand(len(changed), 7))
    kept = [place for place in range(8) if place not in changed.tolist()]
    assert torch.equal(targets[kept], batch_of().targets[kept])


@pytest.mark.parametrize("margin", [0.9, 0.0])
def test_scns_loss_is_its_formula(margin: float, few: FaceDataset) -> None:
    step = _scn(few, better=0.7, margin=margin, rank_weight=0.3).eval()
    batch = batch_of()
    with torch.no_grad():
        features = step.model.features(batch.faces)  # (8, D)
        step.importance.weight.mul_(2e5)  # importances that differ
        step.importance.bias.copy_(-step.importance.weight @ features.mean(0))
    loss = step(batch)["loss"]
    alpha = torch.sigmoid(step.importance(features)).squeeze(1)
    logits = step.model.head(features)
    terms = [-(alpha[i] * logits[i]).log_softmax(0)[batch.labels[i]] for i in range(8)]
    entropy = sum(term.item() for term in terms) / 8
    ranked = sorted(alpha.tolist(), reverse=True)
    high, low = ranked[:5], ranked[5:]  # 70 % of eight, rounded down
    rank = max(0.0, margin - (sum(high) / len(high) - sum(low) / len(low)))
    assert ranked[0] - ranked[-1] > 0.1
    assert (rank > 0) == (margin > 0)
    assert loss.item() == pytest.approx(0.7 * entropy + 0.3 * rank, rel=1e-4)


@pytest.mark.parametrize(("epochs", "begins"), [(1, 0.25), (4, 1.0), (40, 10.0), (100, 10.0)])
def test_scn_relabels_after_ten_epochs_or_a_quarter_of_the_run(epochs: int, begins: float, few: FaceDataset) -> None:
    step = _scn(few, epochs=epochs, relabel_margin=-1.0)
    step(batch_of(epoch=begins - 0.01))
    assert (step.relabelled == -1).all()
    step(batch_of(epoch=begins))
    assert (step.relabelled >= 0).any()


def test_scn_relabels_in_a_run_of_one_epoch(few: FaceDataset, tmp_path: Path) -> None:
    result = train(few, tmp_path, config("scn", epochs=1, method_options={"relabel_margin": -1.0}))
    relabelled = RunFolder(tmp_path).load().tensors["step"]["relabelled"]
    assert (relabelled >= 0).sum() == 3  # of the second of two steps all but the better 70 % of seven faces
    assert result.facts["relabel_after_epochs"] == 0.25


def test_scns_rank_regularisation_wants_the_margin(few: FaceDataset) -> None:
    step = _scn(few, margin=0.15)
    even = torch.full((8,), 0.5)
    assert step._disorder(even, 5).item() == pytest.approx(0.15)
    assert step._disorder(torch.tensor([0.9] * 5 + [0.1] * 3), 5).item() == 0


def test_co_teaching_learns_what_the_other_finds_easy() -> None:
    step = step_for("co_teaching", epochs=16, noise=0.5, ramp=4)
    assert isinstance(step, CoTeachingStep)
    assert [step.kept(8, epoch) for epoch in (0, 1, 2, 4, 9)] == [8, 7, 6, 4, 4]
    batch = batch_of(epoch=4)
    step.eval()
    outputs = step(batch)
    entropy = Criterion(build_loss("cross_entropy"))
    mine = entropy.each(step.model(batch.faces), batch.targets)
    theirs = entropy.each(step.peer(batch.faces), batch.targets)
    expected = mine[theirs.argsort()[:4]].mean() + theirs[mine.argsort()[:4]].mean()
    torch.testing.assert_close(outputs["loss"], expected)
    assert not any(name.startswith("peer") for name in step.model.state_dict())


@pytest.mark.parametrize("epochs", [40, 41, 100])
def test_co_teachings_ramp_is_the_papers_in_long_runs(epochs: int) -> None:
    step = step_for("co_teaching", epochs=epochs)
    assert isinstance(step, CoTeachingStep)
    for epoch in range(epochs):
        expected = round((1 - 0.2 * min(epoch / 10, 1)) * 128)  # Han et al.'s R(T), of whole epochs
        assert {step.kept(128, epoch + part) for part in (0, 0.5, 0.999)} == {expected}


@pytest.mark.parametrize("epochs", [1, 2, 4, 20])
def test_co_teachings_ramp_ends_after_a_quarter_of_a_short_run(epochs: int) -> None:
    step = step_for("co_teaching", epochs=epochs)
    assert isinstance(step, CoTeachingStep)
    kept = [step.kept(1000, epochs * share / 400) for share in range(400)]
    assert kept == sorted(kept, reverse=True)
    assert kept[0] == 1000 > kept[99] > kept[101] == kept[-1] == 800


def test_co_teaching_drops_faces_in_a_run_of_one_epoch(
    few: FaceDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learnt: list[int] = []
    real = CoTeachingStep._easiest

    def recorded(step: CoTeachingStep, logits: torch.Tensor, batch: Batch) -> torch.Tensor:
        places = real(step, logits, batch)
        learnt.append(len(places))
        return places

    monkeypatch.setattr(CoTeachingStep, "_easiest", recorded)
    result = train(few, tmp_path, config("co_teaching", epochs=1))
    assert learnt[-4:] == [7, 7, 6, 6]  # two steps, two networks; before them plans may have been timed
    assert result.facts["ramp_epochs"] == 0.25


def _teacher(folder: Path, normalisation: Normalisation, side: int, part: str = "") -> tuple[Path, torch.nn.Module]:
    model = create_model("vgg_se", field=side, **TINY).eval()
    details = {"side": 48, "field": side, "mean": normalisation.mean, "std": normalisation.std}
    learnt = {"config": {"part": part}} if part else {}
    card = Card(folder.name, "vgg_se", EMOTIONS, details, 0, options=dict(TINY), training=learnt)
    save_checkpoint(folder, card, dict(model.state_dict()))
    return folder, model


def test_distillation_asks_teachers_in_their_own_terms(tmp_path: Path) -> None:
    first, one = _teacher(tmp_path / "one", Normalisation(0.3, 0.2), 40)
    second, two = _teacher(tmp_path / "two", Normalisation(0.6, 0.5), 48)
    step = step_for("distillation", teachers=[str(first), str(second)], temperature=2.0, weight=0.25).eval()
    assert isinstance(step, DistillationStep)
    unit = torch.rand(4, 1, 48, 48)
    batch = replace_faces(batch_of(4), (unit - 0.5) / 0.25)
    outputs = step(batch)
    with torch.no_grad():
        answers = ((one((unit - 0.3) / 0.2) / 2).softmax(1) + (two((unit - 0.6) / 0.5) / 2).softmax(1)) / 2
        logits = step.model(batch.faces)
        divergence = (answers * (answers.log() - (logits / 2).log_softmax(1))).sum(1).mean()
        entropy = torch.nn.functional.cross_entropy(logits, batch.labels)
    assert outputs["loss"].item() == pytest.approx((0.75 * entropy + 0.25 * 4 * divergence).item(), rel=1e-4)
    assert set(step.facts["teachers"]) == {"one", "two"}
    assert set(dict(step.named_parameters())) == {f"model.{name}" for name in dict(step.model.named_parameters())}


def test_teachers_take_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [str(_teacher(tmp_path / name, Normalisation(0.5, 0.25), 48)[0]) for name in ("one", "two", "three")]
    step = step_for("distillation", teachers=folders, turns=2)
    assert isinstance(step, DistillationStep)
    asked = torch.stack([step.asked(torch.arange(4)) for _ in range(30)])  # (30, teachers, faces)
    assert (asked == asked[:, :, :1]).all()
    assert (asked.sum(1) == 2).all()
    assert asked.any(0).all()
    single = step_for("distillation", teachers=folders[:1], turns=1)
    plain = step_for("distillation", teachers=folders[:1])
    single.load_state_dict(plain.state_dict())
    batch = batch_of(4)
    assert single.eval()(batch)["loss"].item() == pytest.approx(plain.eval()(batch)["loss"].item())
    with pytest.raises(ConfigError, match=r"turns \(4\) must be between 0 and the 3 teachers"):
        step_for("distillation", teachers=folders, turns=4)


def test_distillation_asks_of_blended_faces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, teacher = _teacher(tmp_path / "one", Normalisation(0.5, 0.25), 48)
    monkeypatch.setattr("fer_core.training.steps.distillation.draw_share", lambda alpha: 0.75 if alpha == 0.5 else 0.0)
    monkeypatch.setattr(torch, "randperm", lambda count: torch.arange(count).roll(1))
    step = step_for("distillation", teachers=[str(folder)], temperature=1.0, weight=0.5, mixup=0.5).eval()
    batch = batch_of(4)
    outputs = step(batch)
    mixed = 0.75 * batch.faces + 0.25 * batch.faces.roll(1, 0)
    with torch.no_grad():
        logits, answers = (
            step.model(mixed),
            teacher((mixed * step.normalisation.std + step.normalisation.mean - 0.5) / 0.25),
        )
    targets = 0.75 * batch.targets + 0.25 * batch.targets.roll(1, 0)
    entropy = torch.nn.functional.cross_entropy(logits, targets)
    divergence = (answers.softmax(1) * (answers.log_softmax(1) - logits.log_softmax(1))).sum(1).mean()
    assert outputs["loss"].item() == pytest.approx((0.5 * entropy + 0.5 * divergence).item(), rel=1e-4)
    torch.testing.assert_close(outputs["logits"], logits)
    with pytest.raises(ConfigError, match=r"mixup \(-1.0\) must be at least 0"):
        step_for("distillation", teachers=[str(folder)], mixup=-1.0)


@pytest.mark.parametrize("turns", [0, 1])
def test_teachers_of_parts_are_asked_about_the_rest(turns: int, few: FaceDataset, tmp_path: Path) -> None:
    parts = {"one": "1/2", "two": "2/2", "also two": "2/2"}
    made = {name: _teacher(tmp_path / name, Normalisation(0.5, 0.25), 48, part) for name, part in parts.items()}
    folders = [str(folder) for folder, _ in made.values()]
    step = step_for("distillation", few, teachers=folders, turns=turns, temperature=1.0).eval()
    assert isinstance(step, DistillationStep)
    pixels = few.split("Training").pixels
    places = torch.arange(len(pixels))
    first = torch.from_numpy(in_part(pixels, Part(1, 2)))
    assert 0 < first.sum() < len(first)
    asked = torch.stack([step.asked(places) for _ in range(20)])
    assert (asked[:, 0] == ~first).all()
    assert not asked[:, 1:, ~first].any()
    assert (asked[:, 1:, first].sum(1) == (turns or 2)).all()
    assert asked[:, 1:, first].any(0).all()
    faces = batch_of(len(places)).faces
    unit = faces * step.normalisation.std + step.normalisation.mean
    with torch.no_grad():
        one, two, also = [model((unit - 0.5) / 0.25).softmax(1) for _, model in made.values()]
    if not turns:
        expected = torch.where(first.unsqueeze(1), (two + also) / 2, one)
        torch.testing.assert_close(step.taught(faces, places), expected)
    assert torch.allclose(step.taught(faces, places).sum(1), torch.ones(len(places)))


def test_teachers_of_parts_must_leave_somebody_to_ask(few: FaceDataset, tmp_path: Path) -> None:
    folders = [str(_teacher(tmp_path / part[0], Normalisation(0.5, 0.25), 48, part)[0]) for part in ("1/2", "2/2")]
    with pytest.raises(ConfigError, match="training faces were learnt by every teacher"):
        step_for("distillation", few, teachers=folders[:1])
    with pytest.raises(ConfigError, match="mixup blends faces of different parts"):
        step_for("distillation", few, teachers=folders, mixup=0.2)


def test_a_part_does_not_go_on_from_more_than_itself(few: FaceDataset, tmp_path: Path) -> None:
    for name, part in {"whole": "", "other": "2/2", "same": "1/2"}.items():
        _teacher(tmp_path / name, Normalisation(0.5, 0.25), 48, part)
    for name, learnt in {"whole": "the whole", "other": "part 2/2"}.items():
        with pytest.raises(ConfigError, match=f"has learnt {learnt} of Training, so a run of part 1/2"):
            train(few, tmp_path / "run", config(epochs=1, part="1/2", init=str(tmp_path / name)))
    result = train(few, tmp_path / "run", config(epochs=1, part="1/2", init=str(tmp_path / "same")))
    assert result.facts["faces"] < len(few.split("Training"))


def test_a_part_is_not_taught(few: FaceDataset, tmp_path: Path) -> None:
    folder, _ = _teacher(tmp_path / "whole", Normalisation(0.5, 0.25), 48)
    taught = config("distillation", epochs=1, part="1/2", method_options={"teachers": [str(folder)]})
    with pytest.raises(ConfigError, match="a run of part 1/2 cannot be taught"):
        train(few, tmp_path / "run", taught)


def replace_faces(batch: Batch, faces: torch.Tensor) -> Batch:
    return batch._replace(faces=faces)


def test_a_distillation_goes_on_with_the_teachers_that_it_began_with(few: FaceDataset, tmp_path: Path) -> None:
    folders = [tmp_path / name / "checkpoint" for name in ("one", "two")]
    for folder in folders:
        _teacher(folder, Normalisation(0.5, 0.25), 48)
    run = config("distillation", epochs=1, method_options={"teachers": [str(folder) for folder in folders]})
    first = train(few, tmp_path / "run", run)
    assert set(first.facts["teachers"]) == {str(folder) for folder in folders}  # both are called `checkpoint`
    assert train(few, tmp_path / "run", run, resume=True).history == first.history
    _teacher(folders[0], Normalisation(0.5, 0.25), 48)
    with pytest.raises(ConfigError, match=r"other weights of the checkpoint .*one/checkpoint; put them back"):
        train(few, tmp_path / "run", run, resume=True)


def test_a_teacher_is_a_single_network(tiny_checkpoint: Path, tmp_path: Path) -> None:
    both = shutil.copytree(tiny_checkpoint, tmp_path / "both")
    update_card(both, kind=ENSEMBLE, model="soft_vote", name="both")
    with pytest.raises(ConfigError, match="the teacher both is not a single network; name networks"):
        step_for("distillation", teachers=[str(both)])


def test_distillation_needs_teachers_of_its_classes(tiny_checkpoint: Path) -> None:
    with pytest.raises(ConfigError, match="distillation needs teachers"):
        step_for("distillation")
    setting = Setting(create_model("vgg_se", **TINY), config("distillation", method_options={"teachers": ["x"]}))
    eight = replace(setting, labels=(*EMOTIONS, "contempt"))
    eight.config.method_options["teachers"] = [str(tiny_checkpoint)]
    with pytest.raises(ConfigError, match="knows 7 emotions, not the run's"):
        build_step(eight)


def test_sam_takes_the_gradient_at_the_end_of_the_climb(few: FaceDataset) -> None:
    """Against the definition: weights are moved by hand, and the plain gradient is taken there."""
    step = step_for("sam", few, radius=0.3)
    plain = step_for("plain", few)
    assert isinstance(step, SamStep)
    batch, before = batch_of(), {name: weight.clone() for name, weight in step.named_parameters()}
    for module in (step, plain):
        module.train()
        drop_nothing(module)
    found = step(batch)
    found["loss"].backward()

    plain(batch)["loss"].backward()
    norm = torch.sqrt(sum((w.grad.square().sum() for w in plain.parameters() if w.grad is not None), torch.tensor(0.0)))
    with torch.no_grad():
        for weight in plain.parameters():
            assert weight.grad is not None
            weight += 0.3 * weight.grad / norm
    plain.zero_grad()
    there = plain(batch)["loss"]
    there.backward()
    torch.testing.assert_close(found["loss"], there)
    for (name, weight), moved in zip(step.named_parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(weight.grad, moved.grad, rtol=1e-4, atol=1e-5)
        assert torch.equal(weight, before[name]), name


def test_sam_leaves_the_batch_norms_of_one_pass(few: FaceDataset) -> None:
    step, plain = step_for("sam", few), step_for("plain", few)
    for module in (step, plain):
        module.train()
        drop_nothing(module)
        module(batch_of())
    for (name, found), expected in zip(step.named_buffers(), plain.buffers(), strict=True):
        torch.testing.assert_close(found, expected, msg=name)


@pytest.mark.parametrize("radius", [0, -0.1])
def test_sam_needs_a_way_to_go(few: FaceDataset, radius: float) -> None:
    with pytest.raises(ConfigError, match=r"radius \(.*\) must be above 0"):
        step_for("sam", few, radius=float(radius))


def drop_nothing(step: Step) -> None:
    """Switches dropout off, so that two passes of a step compute the same."""
    for module in step.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
