"""Ensembles as checkpoints: built, saved, opened, refused where their parts were changed."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from fer_core import artifacts
from fer_core.artifacts import CARD, WEIGHTS, load_arrays, load_card, load_weights, save_checkpoint, update_card
from fer_core.classifiers import ensemble, load_classifier
from fer_core.classifiers.base import CheckpointClassifier, softmax
from fer_core.classifiers.combination import COMBINATIONS
from fer_core.classifiers.embedding import embedding
from fer_core.classifiers.ensemble import EnsembleClassifier, build_ensemble
from fer_core.classifiers.onnx import export, open_session
from fer_core.data.ferplus import as_ferplus
from fer_core.data.table import FaceDataset
from fer_core.errors import CheckpointError, ConfigError, UnsupportedError
from fer_core.evaluation.record import record_evaluation
from fer_core.explain.isolate import private_copy
from fer_core.labels import EMOTIONS, FERPLUS_EMOTIONS
from fer_core.studies.workshop import chosen_tree

open_torch = partial(load_classifier, backend="torch")


@pytest.fixture
def pair(tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """`shipped`, which lies under checkpoints/, and `loose`, which does not, with other weights."""
    monkeypatch.setattr(artifacts, "CHECKPOINTS", tmp_path / "checkpoints")
    shipped, loose = tmp_path / "checkpoints" / "shipped", tmp_path / "runs" / "loose"
    for folder, factor in ((shipped, 30.0), (loose, -20.0)):
        weights = {name: tensor * (factor if name.startswith("head") else 1) for name, tensor in _tiny(tiny_checkpoint)}
        save_checkpoint(folder, load_card(tiny_checkpoint), weights)
        update_card(folder, name=folder.name)
    return [shipped, loose]


def _tiny(folder: Path) -> list[tuple[str, object]]:
    return list(load_weights(folder).items())


@pytest.fixture
def faces(dataset: FaceDataset) -> np.ndarray:
    return np.asarray(dataset.pixels[:6])


def built(
    folder: Path, method: str, members: list[Path], dataset: FaceDataset, **options: object
) -> EnsembleClassifier:
    build_ensemble(folder, method, members, dataset, open_torch, **options)  # type: ignore[arg-type]
    found = open_torch(folder)
    assert isinstance(found, EnsembleClassifier)
    return found


def test_soft_vote_is_the_tempered_mean_of_its_members(
    pair: list[Path], dataset: FaceDataset, faces: np.ndarray, tmp_path: Path
) -> None:
    ensemble = built(tmp_path / "both", "soft_vote", pair, dataset)
    mean = np.mean([open_torch(part).predict_proba(faces) for part in pair], axis=0)
    np.testing.assert_allclose(softmax(ensemble.predict_logits(faces)), mean, atol=1e-5)
    found = ensemble.predict_proba(faces)
    np.testing.assert_allclose(found, softmax(np.log(mean), ensemble.card.temperature), atol=1e-5)
    assert found.dtype == np.float32
    assert ensemble.card.kind == "ensemble"
    assert ensemble.card.parameters == sum(load_card(part).parameters for part in pair[:1]) * 2


def test_public_test_judges_an_ensemble_by_fits_that_did_not_see_the_face(
    pair: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A combination that learns faces by heart knows all that it was fitted to, and nothing of the others."""
    rng = np.random.default_rng(4)
    table = pd.DataFrame({"row": np.arange(70), "split": "PublicTest", "label": np.arange(70) % 7})
    public = FaceDataset(table, rng.integers(0, 256, (70, 48, 48)).astype(np.uint8))

    def fit(members: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
        return {"keys": members[0].sum(1, dtype=np.float64) + members[0] @ np.arange(7), "labels": labels}

    def apply(members: np.ndarray, learnt: dict[str, np.ndarray]) -> np.ndarray:
        keys = members[0].sum(1, dtype=np.float64) + members[0] @ np.arange(7)
        same = np.isclose(keys[:, None], learnt["keys"], rtol=0, atol=1e-12)
        right = np.where(same.any(1), learnt["labels"][same.argmax(1)], -1)
        return np.where(np.arange(7) == right[:, None], 0.94, 0.01)

    monkeypatch.setattr(COMBINATIONS["stacking"], "fit", fit, raising=False)
    monkeypatch.setattr(COMBINATIONS["stacking"], "apply", apply, raising=False)
    found = built(tmp_path / "both", "stacking", pair, public)
    assert (found.predict_logits(np.asarray(public.pixels)).argmax(1) == public.labels).mean() > 0.9
    assert found.card.selection["metric"] == "cross-fitted accuracy"
    assert found.card.selection["value"] < 0.3
    metrics = record_evaluation(tmp_path / "both", _with_private(public, tmp_path / "both"))
    assert metrics["PublicTest"]["accuracy"] == pytest.approx(found.card.selection["value"], abs=1e-6)
    assert load_card(tmp_path / "both").temperature == pytest.approx(found.card.temperature, rel=0.02)


def _with_private(public: FaceDataset, folder: Path) -> FaceDataset:
    """The faces of PublicTest, and again as PrivateTest, under the fingerprint that the ensemble was fitted with."""
    table = pd.concat([public.table, public.table.assign(split="PrivateTest", row=public.table["row"] + len(public))])
    pixels = np.concatenate([public.pixels, public.pixels])
    return FaceDataset(table.reset_index(drop=True), pixels, fingerprint=load_card(folder).data["fingerprint"])


def test_a_member_that_learnt_from_other_data_is_named_on_the_card(
    pair: list[Path], dataset: FaceDataset, tmp_path: Path
) -> None:
    for part in pair:
        update_card(part, data={"fingerprint": dataset.fingerprint})
    assert built(tmp_path / "same", "soft_vote", pair, dataset).card.notes == ""
    update_card(pair[1], data={"fingerprint": "another"})
    assert "loose was trained on another dataset" in built(tmp_path / "other", "soft_vote", pair, dataset).card.notes


@pytest.mark.parametrize("method", ["soft_vote", "weighted_vote", "stacking", "snapshot"])
def test_every_method_survives_saving(
    method: str, pair: list[Path], dataset: FaceDataset, faces: np.ndarray, tmp_path: Path
) -> None:
    ensemble = built(tmp_path / "both", method, pair, dataset)
    before = ensemble.predict_proba(faces)
    moved = Path(shutil.move(tmp_path / "both", tmp_path / "elsewhere"))
    shutil.rmtree(pair[1])
    np.testing.assert_array_equal(open_torch(moved).predict_proba(faces), before)
    assert ensemble.predict_proba(faces[:0]).shape == (0, 7)


def test_what_ships_is_named_and_the_rest_is_carried(pair: list[Path], dataset: FaceDataset, tmp_path: Path) -> None:
    card = built(tmp_path / "both", "soft_vote", pair, dataset).card
    assert [member["name"] for member in card.members] == ["shipped", "loose"]
    assert card.members[0]["folder"] == ""
    assert (tmp_path / "both" / card.members[1]["folder"] / WEIGHTS).is_file()
    assert card.selection["split"] == "PublicTest"


def test_the_fit_does_not_see_the_other_splits(pair: list[Path], dataset: FaceDataset, tmp_path: Path) -> None:
    private = (dataset.table["split"] != "PublicTest").to_numpy()
    table = dataset.table.assign(label=np.where(private, (dataset.labels + 1) % 7, dataset.labels))
    other = FaceDataset(table, dataset.pixels, fingerprint=dataset.fingerprint)
    for method in ("weighted_vote", "stacking"):
        honest = built(tmp_path / "a" / method, method, pair, dataset)
        spoilt = built(tmp_path / "b" / method, method, pair, other)
        assert {k: v.tolist() for k, v in honest.learnt.items()} == {k: v.tolist() for k, v in spoilt.learnt.items()}
        assert honest.card.temperature == spoilt.card.temperature


def test_flips_are_averaged_in_one_call(
    pair: list[Path], dataset: FaceDataset, faces: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    logits = open_torch(pair[0]).predict_logits
    both = (softmax(logits(faces)) + softmax(logits(faces[:, :, ::-1].copy()))) / 2
    update_card(pair[0], views="flip", temperature=2.0)
    classifier, calls = open_torch(pair[0]), []
    forward = classifier.forward
    monkeypatch.setattr(classifier, "forward", lambda batch: (calls.append(len(batch)), forward(batch))[1])
    np.testing.assert_allclose(classifier.predict_proba(faces), softmax(np.log(both), 2.0), atol=1e-5)
    assert calls == [12]
    update_card(pair[0], views="sideways")
    with pytest.raises(CheckpointError, match="views 'sideways'"):
        open_torch(pair[0])


def test_an_ensemble_folds_flips_too(pair: list[Path], dataset: FaceDataset, faces: np.ndarray, tmp_path: Path) -> None:
    ensemble = built(tmp_path / "both", "soft_vote", pair, dataset, views="flip")
    np.testing.assert_allclose(
        ensemble.predict_proba(faces), ensemble.predict_proba(faces[:, :, ::-1].copy()), atol=1e-6
    )


def test_each_member_is_asked_once(
    pair: list[Path], dataset: FaceDataset, faces: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensemble, calls = built(tmp_path / "both", "stacking", pair, dataset), []
    for member in ensemble.members:
        monkeypatch.setattr(member, "forward", lambda batch, ask=member.forward: (calls.append(1), ask(batch))[1])
    ensemble.predict_proba(faces)
    assert len(calls) == len(pair)


def test_changed_members_are_refused(pair: list[Path], dataset: FaceDataset, tmp_path: Path) -> None:
    folder = tmp_path / "both"
    carried = folder / built(folder, "soft_vote", pair, dataset).card.members[1]["folder"] / WEIGHTS
    content = bytearray(carried.read_bytes())
    content[-1] ^= 1
    carried.write_bytes(content)
    with pytest.raises(CheckpointError, match="not the file that its card describes"):
        open_torch(folder)
    content[-1] ^= 1
    carried.write_bytes(content)
    save_checkpoint(pair[0], load_card(pair[0]), {name: tensor * 2 for name, tensor in load_weights(pair[0]).items()})
    with pytest.raises(CheckpointError, match="other weights of its member shipped"):
        open_torch(folder)
    shutil.rmtree(pair[0])
    with pytest.raises(CheckpointError, match="no checkpoint 'shipped'"):
        open_torch(folder)


def test_changed_ensembles_are_refused(pair: list[Path], dataset: FaceDataset, tmp_path: Path) -> None:
    folder = tmp_path / "both"
    built(folder, "weighted_vote", pair, dataset)
    assert load_arrays(folder)["weights"].sum() == pytest.approx(1)
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (folder / WEIGHTS).write_bytes(content)
    with pytest.raises(CheckpointError, match="not the file that its card describes"):
        open_torch(folder)


def test_strange_cards_are_refused(pair: list[Path], dataset: FaceDataset, tmp_path: Path) -> None:
    folder = tmp_path / "both"
    card = built(folder, "soft_vote", pair[:1], dataset).card
    itself = {"name": "both", "folder": ".", "weights_sha256": card.weights_sha256}
    update_card(folder, members=[itself])
    with pytest.raises(CheckpointError, match="member of itself"):
        open_torch(folder)
    update_card(folder, members=[])
    with pytest.raises(ConfigError, match="names no member"):
        open_torch(folder)
    update_card(folder, kind="oracle")
    with pytest.raises(CheckpointError, match="'oracle'"):
        open_torch(folder)


def test_a_mean_of_networks_is_explained_as_the_mean_of_their_explanations(
    pair: list[Path], dataset: FaceDataset, tmp_path: Path
) -> None:
    from fer_core.explain import explain_face, raw_attributions

    # noise, because in flat areas a max-pool sends the gradient to whichever pixel rounding makes the greatest
    faces = np.random.default_rng(0).integers(0, 256, (6, 48, 48), dtype=np.uint8)
    for part, temperature, mean in zip(pair, (2.0, 0.5), (0.5, 0.4), strict=True):
        update_card(part, temperature=temperature, input=load_card(part).input | {"mean": mean, "std": mean / 2})
    both = built(tmp_path / "both", "soft_vote", pair, dataset)
    parts = [open_torch(part) for part in pair]
    with torch.inference_mode():
        logits = both.torch_model()(both.normalise(faces)).numpy()
    expected = np.mean([np.log(part.predict_proba(faces)) for part in parts], axis=0)
    np.testing.assert_allclose(softmax(logits), softmax(expected), atol=1e-4)
    found = raw_attributions("saliency", both.torch_model(), both.normalise(faces[:1]), 2)
    slopes = [_slope(part, faces[:1], 2) / part.card.temperature for part in parts]
    wanted = (sum(slopes) / 2 * both.members[0].card.input["std"]).abs()
    torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-3 * wanted.max().item())
    assert explain_face(both, faces[0], method="grad_cam").heatmap.any()


def _slope(part: CheckpointClassifier, face: np.ndarray, target: int) -> torch.Tensor:
    """How the target's logit changes with the pixels, in units of a face in [0, 1]."""
    leaf = part.normalise(face).clone().requires_grad_()
    (slope,) = torch.autograd.grad(private_copy(part.torch_model())(leaf)[0, target], leaf)
    return slope / part.card.input["std"]


def test_an_ensemble_that_is_no_mean_of_networks_says_whom_to_explain(
    pair: list[Path], dataset: FaceDataset, faces: np.ndarray, tmp_path: Path
) -> None:
    from fer_core.explain import explain_face

    stacked = built(tmp_path / "stacked", "stacking", pair, dataset)
    nested = built(tmp_path / "nested", "soft_vote", [tmp_path / "stacked", pair[0]], dataset)
    for refused, members in ((stacked, "shipped, loose"), (nested, "stacked, shipped")):
        with pytest.raises(UnsupportedError, match=f"one of its members: {members}"):
            explain_face(refused, faces[0], method="saliency")
        with pytest.raises(UnsupportedError, match="no mean of networks"):
            refused.normalise(faces)
    with pytest.raises(UnsupportedError, match="not one network, so it has no features"):
        embedding(nested)


def test_cards_without_the_new_fields_are_networks(tiny_checkpoint: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_checkpoint, tmp_path / "old"))
    document = json.loads((folder / CARD).read_text())
    for name in ("kind", "views", "members"):
        del document[name]
    (folder / CARD).write_text(json.dumps(document))
    card = load_card(folder)
    assert (card.kind, card.views, card.members) == ("network", "single", [])
    assert isinstance(open_torch(folder), CheckpointClassifier)


def test_classifiers_of_the_same_weights_share_a_session(pair: list[Path], tmp_path: Path) -> None:
    export(pair[0])
    copy = Path(shutil.copytree(pair[0], tmp_path / "copy"))
    assert open_session(pair[0]) is not None
    first = open_session(pair[0])
    assert open_session(copy) is first
    assert open_session(copy, threads=2) is not first


def test_members_that_know_fewer_classes_have_nothing_to_say_of_the_others() -> None:
    answers = np.zeros((1, 2, 7), np.float32)
    answers[0, :, 3] = 1
    for method in ("soft_vote", "weighted_vote"):
        combination = COMBINATIONS[method]
        np.testing.assert_allclose(combination.apply(answers, combination.fit(answers, np.array([3, 3]))), answers[0])


def test_the_order_of_emotions_is_the_projects(pair: list[Path], dataset: FaceDataset, tmp_path: Path) -> None:
    assert built(tmp_path / "both", "soft_vote", pair, dataset).labels == EMOTIONS


def test_eight_classes_are_fitted_to_the_voters_majorities(dataset: FaceDataset) -> None:
    contradicted = replace(dataset, table=dataset.table.assign(label=(dataset.labels + 1) % 7))
    public = contradicted.split("PublicTest")
    fitted = ensemble._public(contradicted, FERPLUS_EMOTIONS)
    assert np.array_equal(fitted.labels, as_ferplus(public).labels)
    assert not np.array_equal(fitted.labels, public.labels)
    assert np.array_equal(ensemble._public(contradicted, EMOTIONS).labels, public.labels)


def test_a_tree_is_chosen_by_a_judge_of_the_same_emotions(
    dataset: FaceDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = SimpleNamespace(labels=FERPLUS_EMOTIONS)
    monkeypatch.setattr("fer_core.classifiers.load_classifier", lambda name: judge)
    with pytest.raises(ConfigError, match="knows 8 emotions and the dataset 7"):
        chosen_tree(dataset, "eight")
