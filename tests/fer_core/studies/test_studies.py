"""Studies: tables hold together, budgets do what they say, a killed table goes on, the leaderboard tells the truth."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_core.artifacts import DEDUPLICATED, RUNS_CHECKPOINT
from fer_core.classifiers.binary import tree_of_opposites
from fer_core.classifiers.combinations.pair_tree import forks
from fer_core.config import ExecutionConfig, TrainConfig
from fer_core.data.balance import RESAMPLERS, repeats, resample
from fer_core.data.loaders import to_faces
from fer_core.data.store import load
from fer_core.data.table import FaceDataset
from fer_core.errors import CheckpointError
from fer_core.evaluation.predictions import load_predictions
from fer_core.evaluation.views import PASSES, VIEWS
from fer_core.labels import TESTS
from fer_core.models import MODELS, create_model
from fer_core.studies import BUDGETS, TABLES, Budget, Row, all_rows, pace
from fer_core.studies.budget import Share, limit_faces, share_of, stratified, within
from fer_core.studies.chance import chance
from fer_core.studies.leaderboard import leaderboard, markdown
from fer_core.studies.measure import open_in_torch
from fer_core.studies.results import Result, keep, load_result, load_results, plain, save_result
from fer_core.studies.rows import ENSEMBLE, NETWORK, PROTOCOL, Published, network, trained, viewed, with_members
from fer_core.studies.run import run_rows, timed_again
from fer_core.studies.runner import RUNNERS, Surroundings, run_row
from fer_core.studies.runners import network as runner
from fer_core.studies.runners import trained as members_runner

TINY = {"model_options": {"widths": (4, 4, 8, 8)}, "batch_size": 8}
NETWORKS = [row for row in all_rows().values() if row.kind == NETWORK]


def test_a_name_stands_for_one_row_everywhere() -> None:
    seen: dict[str, Row] = {}
    for _, table in TABLES.items():
        for row in table.rows:
            assert seen.setdefault(row.name, row) == row
            assert row.kind in RUNNERS


def test_nothing_is_trained_twice_under_two_names() -> None:
    seen: dict[str, str] = {}
    for row in NETWORKS:
        config = json.dumps(plain(vars(runner.configuration(row))), sort_keys=True)
        assert seen.setdefault(config, row.name) == row.name


@pytest.mark.parametrize("row", NETWORKS, ids=lambda row: row.name)
def test_every_network_has_a_valid_configuration(row: Row) -> None:
    config = runner.configuration(row)
    create_options = {name: config.model_options[name] for name in config.model_options}
    assert set(create_options) <= set(MODELS[config.model].options)
    small = runner.configuration(row, miniature=True)
    create_model(config.model, 7, field=config.crop, initialise=False, **small.model_options)


def test_members_come_before_those_that_join_them() -> None:
    ensembles = tuple(row for row in all_rows().values() if row.kind == ENSEMBLE)
    names = [row.name for row in with_members(ensembles)]
    assert len(names) == len(set(names))
    for row in ensembles:
        assert not any(all_rows()[member].members for member in row.members)  # or they could not run side by side
        assert all(names.index(member) < names.index(row.name) for member in row.members)


def test_a_budget_takes_a_fair_sample(dataset: FaceDataset) -> None:
    few = limit_faces(dataset, Budget("b", "", training_faces=14, test_faces=7))
    counts = few.table.groupby(["split", "label"]).size()
    assert (counts["Training"] == 2).all()
    assert (counts["PublicTest"] == 1).all()
    assert limit_faces(dataset, Budget("b", "")) is dataset
    assert few.fingerprint == dataset.fingerprint


def test_rare_classes_keep_a_face() -> None:
    labels = np.array([0] * 99 + [1])
    assert 1 in labels[stratified(labels, np.arange(100), 10)]


def test_time_buys_epochs() -> None:
    config, budget = TrainConfig(model="vgg", epochs=40), Budget("b", "", core_seconds=100)
    assert share_of(budget, config, images_per_second=100, training_faces=1000) == Share(9, 0)
    assert share_of(budget, config, images_per_second=1e6, training_faces=1000) == Share(40, 0)
    assert share_of(budget, config, images_per_second=5, training_faces=1000) == Share(1, 450)
    assert share_of(BUDGETS["full"], config, images_per_second=1, training_faces=1000) == Share(40, 0)


def test_the_whole_time_is_used() -> None:
    config, budget = TrainConfig(model="vgg", epochs=40), Budget("b", "", core_seconds=100)
    assert share_of(budget, config, images_per_second=15, training_faces=1000) == Share(2, 675)
    assert share_of(budget, config, images_per_second=15, training_faces=1000, repeats=2) == Share(1, 675)


def test_few_epochs_still_hold_every_stage() -> None:
    budget = Budget("b", "", core_seconds=100)
    frozen = TrainConfig(model="vgg", epochs=40, freeze_epochs=3)
    assert share_of(budget, frozen, images_per_second=5, training_faces=1000) == Share(2, 225)
    cycles = TrainConfig(model="vgg", epochs=40, schedule="cosine_restarts", cycles=4)
    assert share_of(budget, cycles, images_per_second=20, training_faces=1000) == Share(4, 450)


@pytest.mark.parametrize("sampler", [*RESAMPLERS, "shuffle", "balanced"])
def test_the_length_of_a_resampled_epoch_is_foretold(dataset: FaceDataset, sampler: str) -> None:
    training = dataset.split("Training")
    training = training.select(np.arange(len(training)) % 3 > 0)
    length = len(resample(to_faces(training), sampler, 0))
    assert repeats(training.labels, sampler) * len(training) == pytest.approx(length)


def test_a_frozen_stage_never_takes_all_epochs() -> None:
    config = TrainConfig(model="vgg", epochs=10, freeze_epochs=3)
    assert within(config, Share(2, 0)).freeze_epochs == 1
    assert within(config, Share(1, 0)).freeze_epochs == 0


def test_cycles_stay_whole() -> None:
    config = TrainConfig(model="vgg", epochs=40, schedule="cosine_restarts", cycles=4)
    assert (within(config, Share(10, 0)).epochs, within(config, Share(10, 0)).cycles) == (8, 4)
    assert (within(config, Share(2, 0)).epochs, within(config, Share(2, 0)).cycles) == (2, 2)


@pytest.fixture
def two_rows(monkeypatch: pytest.MonkeyPatch) -> tuple[Row, ...]:
    """A network and an ensemble of it with itself narrower, known to the registry for this test."""
    first = network("tiny_a", "a", "vgg_se")
    second = network("tiny_b", "b", "vgg_se", seed=1)
    joined = Row("tiny_both", "both", ENSEMBLE, {"method": "soft_vote"}, ("tiny_a", "tiny_b"))
    rows = {row.name: row for row in (first, second, joined)}
    monkeypatch.setattr("fer_core.studies.rows.all_rows", lambda: rows)
    monkeypatch.setattr("fer_core.studies.run.all_rows", lambda: rows)
    return (joined,)


def test_a_table_runs_and_is_not_run_again(
    two_rows: tuple[Row, ...], prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = list(run_rows(two_rows, prepared, "smoke", tmp_path, report=lambda text: None))
    assert [outcome.error for outcome in outcomes] == ["", "", ""]
    a, b, both = (load_result(tmp_path / name) for name in ("tiny_a", "tiny_b", "tiny_both"))
    assert a is not None
    assert b is not None
    assert both is not None
    assert both.seconds == pytest.approx(a.seconds + b.seconds)
    assert both.parameters == 2 * (a.parameters or 0)
    table = pd.read_parquet(tmp_path / "tiny_both" / "predictions.parquet")
    public = table[table["split"] == "PublicTest"]
    right = (public.filter(like="p_").to_numpy().argmax(1) == public["label"]).mean()
    assert both.metrics["PublicTest"]["accuracy"] == pytest.approx(right)
    assert not list(tmp_path.rglob("state.pt"))
    monkeypatch.setitem(RUNNERS._entries, NETWORK, lambda row, around: pytest.fail("it was done"))
    assert [outcome.result for outcome in run_rows(two_rows, prepared, "smoke", tmp_path)] == [a, b, both]


@pytest.mark.parametrize("views", list(VIEWS))
def test_a_network_is_asked_about_several_views(
    views: str, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = {"one": network("one", "o", "vgg_se"), "seen": viewed("seen", "s", "one", views)}
    monkeypatch.setattr("fer_core.studies.rows.all_rows", lambda: rows)
    monkeypatch.setattr("fer_core.studies.run.all_rows", lambda: rows)
    outcomes = list(run_rows((rows["seen"],), prepared, "smoke", tmp_path, report=lambda text: None))
    assert [outcome.error for outcome in outcomes] == ["", ""]
    one, seen = (outcome.result for outcome in outcomes)
    assert one is not None
    assert seen is not None
    assert (seen.seconds, seen.images_seen, seen.parameters) == (one.seconds, one.images_seen, one.parameters)
    classifier = open_in_torch(tmp_path / "one" / RUNS_CHECKPOINT)
    public = load(prepared).split("PublicTest")
    expected = VIEWS[views](classifier, np.asarray(public.pixels))
    table = load_predictions(tmp_path / "seen")
    found = table[table["split"] == "PublicTest"].filter(like="p_").to_numpy()
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert seen.metrics["PublicTest"]["accuracy"] == pytest.approx((expected.argmax(1) == public.labels).mean())
    assert seen.multiply_adds == (one.multiply_adds or 0) * PASSES[views]


def test_a_row_that_fails_stops_no_other(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {row.name: row for row in (network("wrong", "w", "no_such_model"), network("right", "r", "vgg_se"))}
    monkeypatch.setattr("fer_core.studies.rows.all_rows", lambda: rows)
    monkeypatch.setattr("fer_core.studies.run.all_rows", lambda: rows)
    found = {o.row.name: o for o in run_rows(tuple(rows.values()), prepared, "smoke", tmp_path, report=lambda t: None)}
    assert "no model 'no_such_model'" in found["wrong"].error
    assert found["right"].result is not None


def test_snapshots_of_one_run_answer_together(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = trained("snaps", "s", "snapshot", 2, "vgg_se", schedule="cosine_restarts", cycles=2)
    monkeypatch.setattr("fer_core.studies.rows.all_rows", lambda: {"snaps": row})
    monkeypatch.setattr("fer_core.studies.run.all_rows", lambda: {"snaps": row})
    (outcome,) = run_rows((row,), prepared, "smoke", tmp_path, report=lambda text: None)
    assert outcome.error == ""
    assert outcome.result is not None
    assert outcome.result.notes.startswith("2 members")


def test_an_accident_stops_no_other(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {row.name: row for row in (network("odd", "o", "vgg_se"), network("right", "r", "vgg_se", seed=1))}
    monkeypatch.setattr("fer_core.studies.rows.all_rows", lambda: rows)
    monkeypatch.setattr("fer_core.studies.run.all_rows", lambda: rows)

    def answer(row: Row, around: Surroundings) -> Result:
        if row.name == "odd":
            raise RuntimeError("out of luck")
        return _result(row=row.name)

    monkeypatch.setitem(RUNNERS._entries, NETWORK, answer)
    found = {o.row.name: o for o in run_rows(tuple(rows.values()), prepared, "smoke", tmp_path, report=lambda t: None)}
    assert found["odd"].error == "RuntimeError: out of luck"
    assert found["right"].result is not None


def test_chance_is_what_runs_of_other_seeds_differ_by() -> None:
    rows = [row.name for row in TABLES["seeds"].rows]
    results = [
        replace(_result(row=name), metrics={"PublicTest": {"accuracy": accuracy}})
        for name, accuracy in zip([*rows[:4], "loss_focal"], [0.50, 0.52, 0.54, 0.56, 0.9], strict=True)
    ]
    assert chance(results[:2]) is None
    found = chance(results)
    assert found is not None
    assert (found.runs, found.mean) == (4, pytest.approx(0.53))
    assert found.deviation == pytest.approx(np.std([0.50, 0.52, 0.54, 0.56], ddof=1))
    assert found.difference == pytest.approx(1.96 * np.sqrt(2) * found.deviation)
    assert "4 runs" in str(found)
    assert "2.6 points" in str(found)


def test_time_that_others_take_is_not_counted() -> None:
    meter = pace.Meter()
    for _ in meter(range(3), 3, ""):
        time.sleep(0.1)
    assert meter.batches == 3
    assert meter.core_seconds < 0.1


def test_rows_of_one_network_see_as_many_images(
    dataset: FaceDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine seems to be ten times as fast whenever it is asked again."""
    speeds = iter([500.0, 5000.0])
    monkeypatch.setattr(pace, "_probe", lambda config, execution, dataset: (next(speeds), execution))
    around = Surroundings(dataset, Budget("b", "", core_seconds=1.0), tmp_path)

    def share(name: str, **options: object) -> Share:
        row = network(name, name, "vgg_se", **{**TINY, **options})
        config = runner.configuration(row)
        return runner.course_of(tmp_path / name, config, runner.execution_of(around), around).share

    first = share("first")
    assert share("second", loss="focal", learning_rate=0.1, augmentation="none") == first


def test_a_method_is_timed_beside_the_usual_steps(
    dataset: FaceDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine is five times as fast after the first row and stumbles once; EAC is half as fast as usual steps."""
    probed: list[str] = []

    def probe(config: TrainConfig, execution: ExecutionConfig, dataset: FaceDataset) -> tuple[float, ExecutionConfig]:
        probed.append(config.method)
        speeds = {1: 100.0, 4: 25.0}
        return speeds.get(len(probed), 500.0 if config.method == "plain" else 250.0), execution

    monkeypatch.setattr(pace, "_probe", probe)
    row = network("row", "row", "vgg_se", **TINY)
    config = runner.configuration(row)
    found = [
        pace.pace_of(replace(config, **changes), ExecutionConfig(), dataset, tmp_path).images_per_second
        for changes in ({}, {"method": "eac"}, {"loss": "focal"}, {"method": "eac", "loss": "focal"})
    ]
    assert found == [100.0, 50.0, 100.0, 50.0]
    assert probed == ["plain", *("eac", "plain") * 3]


def test_a_tree_of_pairs_gets_as_many_images_as_one_network(dataset: FaceDataset) -> None:
    labels, tree = dataset.split("Training").labels, tree_of_opposites(dataset.class_names)
    passed = sum(np.isin(labels, [*left, *right]).sum() for left, right in forks(tree))
    assert members_runner._parts("pair_tree", 6, dataset) == pytest.approx(passed / len(labels))
    assert members_runner._parts("snapshot", 4, dataset) == 1
    assert members_runner._parts("boosting", 3, dataset) == 3


def test_speed_is_measured_again_without_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fer_core.studies.run.inference_speed", lambda checkpoint: 123.0)
    for name in ("a", "b"):
        save_result(tmp_path / name, _result(row=name, inference_speed=1.0))
    (tmp_path / "a" / "checkpoint").mkdir()
    rows = tuple(Row(name, name, NETWORK, {"model": "vgg"}) for name in ("a", "b", "c"))
    assert [outcome.row.name for outcome in timed_again(rows, tmp_path)] == ["a"]
    assert [result.inference_speed for result in load_results(tmp_path)] == [123.0, 1.0]


A_SECOND = Budget("second", "a second of one core", core_seconds=1, test_faces=14, robustness_faces=7)


@pytest.mark.parametrize(
    "row",
    [
        network("timed_cycles", "c", "vgg_se", schedule="cosine_restarts", cycles=2, **TINY),
        network("timed_frozen", "f", "vgg_se", freeze_epochs=1, **TINY),
        network("timed_few", "u", "vgg_se", sampler="undersample", **TINY),
        network("timed_votes", "v", "vgg_se", targets="ferplus_soft", **TINY),
        trained("timed_snapshots", "s", "snapshot", 2, "vgg_se", schedule="cosine_restarts", cycles=2, **TINY),
        trained("timed_joined", "j", "one_vs_rest", 8, "vgg_se", joined=True, **TINY),
    ],
    ids=lambda row: row.name,
)
def test_rows_of_every_kind_keep_to_a_budget_of_time(row: Row, prepared: Path, tmp_path: Path) -> None:
    around = Surroundings(limit_faces(load(prepared), A_SECOND), A_SECOND, tmp_path)
    result = run_row(row, around)
    card = json.loads((tmp_path / row.name / "card.json").read_text(encoding="utf-8"))
    assert card["name"] == row.name
    assert "a second of one core" in card["notes"]
    assert result.notes
    assert result.notes in card["notes"]
    assert result.metrics["PublicTest"]["n"] > 0
    assert set(result.robustness) >= {"mean", "blur", "noise"}
    assert None not in (result.parameters, result.multiply_adds, result.training_speed, result.inference_speed)
    if row.kind == NETWORK:
        epochs, batch = result.epochs, int(card["training"]["config"]["batch_size"])
        assert result.images_seen == epochs * max(1, card["training"]["faces"] // batch) * batch
        assert ("FER+" in card["training"]["labels"]) == ("targets" in row.options)


def _result(**changes: object) -> Result:
    metrics = {
        name: {"accuracy": 0.5, "accuracy_interval": [0.4, 0.6], "macro_f1": 0.4} for name in (*TESTS, DEDUPLICATED)
    }
    return replace(Result("a", "A", NETWORK, "small", {"model": "vgg"}, metrics), **changes)  # type: ignore[arg-type]


def test_what_changed_is_run_again(dataset: FaceDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    monkeypatch.setitem(RUNNERS._entries, NETWORK, lambda row, around: ran.append(row.name) or _result())
    row, around = Row("a", "A", NETWORK, {"model": "vgg"}), Surroundings(dataset, BUDGETS["small"], tmp_path)

    def runs(row: Row = row, **changes: object) -> bool:
        ran.clear()
        run_row(row, replace(around, **changes))  # type: ignore[arg-type]
        return bool(ran)

    assert runs()
    assert not runs()
    assert runs(replace(row, options={"model": "vgg_se"}))
    assert runs()
    assert runs(budget=replace(BUDGETS["small"], core_seconds=1.0))
    assert runs(dataset=replace(dataset, fingerprint="another"))
    assert runs()
    monkeypatch.setitem(PROTOCOL, "epochs", 41)  # type: ignore[arg-type]
    assert runs()
    joined = Row("b", "B", NETWORK, members=("a",))
    assert runs(joined)
    assert not runs(joined)
    save_result(tmp_path / "a", _result(notes="trained anew"))
    assert runs(joined)


def test_a_row_that_changed_starts_afresh(
    dataset: FaceDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    monkeypatch.setitem(RUNNERS._entries, NETWORK, lambda row, around: seen.append(row) or _result())
    around = Surroundings(dataset, BUDGETS["small"], tmp_path)
    run_row(Row("a", "A", NETWORK, {"model": "vgg"}), around)
    (tmp_path / "a" / "training").mkdir()
    run_row(Row("a", "A", NETWORK, {"model": "vgg_se"}), around)
    assert len(seen) == 2
    assert not (tmp_path / "a" / "training").exists()


def test_a_broken_result_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "result.json").write_text("{")
    with pytest.raises(CheckpointError, match="delete the row's folder"):
        load_result(tmp_path / "a")


def test_weights_are_not_kept(tmp_path: Path) -> None:
    save_result(tmp_path / "runs" / "a", _result())
    (tmp_path / "runs" / "a" / "card.json").write_text(json.dumps({}))
    (tmp_path / "runs" / "a" / "weights.safetensors").write_bytes(b"heavy")
    kept = keep(tmp_path / "runs" / "a", tmp_path / "board")
    assert sorted(path.name for path in kept.iterdir()) == ["card.json", "result.json"]
    assert [result.row for result in load_results(tmp_path / "board")] == ["a"]


def test_a_row_that_is_kept_is_never_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_result(tmp_path / "runs" / "a", _result(notes="old"))
    keep(tmp_path / "runs" / "a", tmp_path / "board")
    save_result(tmp_path / "runs" / "a", _result(notes="new"))
    rename = Path.rename

    def stopped(self: Path, target: Path) -> Path:
        if self.name == ".a.draft":
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", stopped)
    with pytest.raises(KeyboardInterrupt):
        keep(tmp_path / "runs" / "a", tmp_path / "board")
    monkeypatch.setattr(Path, "rename", rename)
    assert [result.notes for result in load_results(tmp_path / "board")] == ["old"]
    keep(tmp_path / "runs" / "a", tmp_path / "board")
    assert [result.notes for result in load_results(tmp_path / "board")] == ["new"]
    assert [path.name for path in (tmp_path / "board").iterdir()] == ["a"]


def test_the_leaderboard_keeps_others_figures_apart() -> None:
    better, worse = ({"accuracy": share, "accuracy_interval": [share - 0.1, share + 0.1]} for share in (0.7, 0.3))
    better = _result(row="b", metrics={"PublicTest": better, "PrivateTest": worse})  # PublicTest decides
    eight = _result(row="c", labels="FER+", metrics={"PublicTest": {"accuracy": 0.9}})
    claimed = _result(published=vars(Published(0.99, "https://example.org/claim", "peeked")))
    table = leaderboard([claimed, eight, better])
    assert list(table["row"]) == ["b", "a", "c"]
    text = markdown(table)
    line = next(line for line in text.splitlines() if "(`a`)" in line)
    assert line.split(" | ")[5] == "50.0 % (40.0 to 60.0)"
    assert line.endswith("[99.0 %](https://example.org/claim); peeked |")
