"""Classical methods: what NumPy says of the arrays is what scikit-learn says of its objects."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from fer_core.classical import CLASSICAL, select
from fer_core.classical.methods import svm
from fer_core.classical.methods.forest import at_most, forest_arrays, forest_shares
from fer_core.errors import DataError

SMALL = {
    "linear_svm": {"c": 0.1},
    "rbf_svm": {"c": 1.0, "gamma": 1.0, "landmarks": 40},
    "random_forest": {"trees": 10, "min_leaf": 2, "jobs": 1},
}


def blobs(n: int, seed: int, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Features of classes that lie apart."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, n)
    return random.normal(3 * np.eye(classes, 6)[labels] + 10, 1.0).astype(np.float32), labels


@pytest.mark.parametrize("name", CLASSICAL)
def test_every_method_learns_what_can_be_told_apart(name: str) -> None:
    method = CLASSICAL[name]
    learnt = method.fit(*blobs(300, 0), 7, seed=0, **SMALL[name])
    inputs, labels = blobs(200, 1)
    scores = method.scores(inputs, learnt)
    assert scores.shape == (200, 7)
    assert np.isfinite(scores).all()
    assert (scores.argmax(1) == labels).mean() > 0.85
    assert scores[:, 4:].max() < scores.max(1).min()  # classes that Training has no face of
    assert all(isinstance(array, np.ndarray) and array.dtype != object for array in learnt.values())


@pytest.mark.parametrize("name", CLASSICAL)
def test_two_classes_are_enough(name: str) -> None:
    method = CLASSICAL[name]
    inputs, labels = blobs(100, 0, classes=2)
    labels = np.array([2, 5])[labels]
    scores = method.scores(inputs, method.fit(inputs, labels, 7, seed=0, **SMALL[name]))
    assert (scores.argmax(1) == labels).mean() > 0.9


@pytest.mark.parametrize("name", CLASSICAL)
def test_the_candidates_name_the_methods_options(name: str) -> None:
    assert all(set(candidate) <= set(SMALL[name]) for candidate in CLASSICAL[name].candidates)


def test_the_forest_is_scikit_learns() -> None:
    from sklearn.ensemble import RandomForestClassifier

    inputs, labels = blobs(400, 0)
    inputs = inputs.round(1)  # values that meet the thresholds
    forest = RandomForestClassifier(25, random_state=0).fit(inputs, labels)
    probe = blobs(3000, 1)[0].round(1)
    np.testing.assert_allclose(forest_shares(probe, forest_arrays(forest, 4)), forest.predict_proba(probe), atol=1e-6)


def test_thresholds_part_single_floats_alike() -> None:
    random = np.random.default_rng(0)
    thresholds = random.normal(size=2000)
    values = np.concatenate([thresholds.astype(np.float32), np.nextafter(thresholds.astype(np.float32), np.float32(9))])
    both = np.concatenate([thresholds, thresholds])
    np.testing.assert_array_equal(values <= at_most(both), values.astype(np.float64) <= both)
    assert at_most(thresholds).dtype == np.float32


def test_the_linear_machine_is_scikit_learns_on_standardised_features() -> None:
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    inputs, labels = blobs(300, 0)
    scaler = StandardScaler().fit(inputs)
    theirs = LinearSVC(C=0.1, dual=False, tol=1e-2, random_state=0).fit(scaler.transform(inputs), labels)
    method = CLASSICAL["linear_svm"]
    ours = method.scores(inputs, method.fit(inputs, labels, 4, seed=0, c=0.1))
    np.testing.assert_allclose(ours, theirs.decision_function(scaler.transform(inputs)), atol=1e-3)


def test_the_kernel_machine_is_scikit_learns_pipeline() -> None:
    from sklearn.kernel_approximation import Nystroem
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    inputs, labels = blobs(300, 0)
    kernel = Nystroem(gamma=1.0 / 6, n_components=40, random_state=0)
    machine = LinearSVC(C=1.0, dual="auto", tol=1e-2, max_iter=1000, random_state=0)
    theirs = make_pipeline(StandardScaler(), kernel, machine).fit(inputs, labels)
    method = CLASSICAL["rbf_svm"]
    ours = method.scores(inputs, method.fit(inputs, labels, 4, seed=0, **SMALL["rbf_svm"]))
    np.testing.assert_allclose(ours, theirs.decision_function(inputs), atol=5e-3)


def test_the_kernel_machine_parts_what_no_plane_can() -> None:
    """The inside of a ring from the ring."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 400)
    angle, radius = random.uniform(0, 2 * np.pi, 400), np.where(labels == 1, 3, 1) + random.normal(0, 0.2, 400)
    inputs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).astype(np.float32)
    right = {}
    for name in ("linear_svm", "rbf_svm"):
        scores = CLASSICAL[name].scores(inputs, CLASSICAL[name].fit(inputs, labels, 2, seed=0, **SMALL[name]))
        right[name] = (scores.argmax(1) == labels).mean()
    assert right["rbf_svm"] > 0.97
    assert right["linear_svm"] < 0.75


@pytest.mark.parametrize("name", ["linear_svm", "rbf_svm"])
@pytest.mark.parametrize("limit", [1, 1000])
def test_a_solver_that_stopped_early_is_recorded(name: str, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(svm, "LIMIT", limit)
    lines: list[str] = []
    method, report = CLASSICAL[name], lines.append
    found = select(method, blobs(200, 0), blobs(100, 1), 4, candidates=[SMALL[name]], report=report)
    assert found.tried == [{**SMALL[name], "accuracy": round(found.accuracy, 6), "converged": limit == 1000}]
    assert ("before it had converged" in lines[0]) == (limit == 1)


def test_other_warnings_of_a_fit_are_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    method = CLASSICAL["linear_svm"]
    real = method.fit

    def warned(*arguments: Any, **options: Any) -> Any:
        warnings.warn("something else", UserWarning, stacklevel=1)
        return real(*arguments, **options)

    monkeypatch.setattr(method, "fit", warned)
    with pytest.warns(UserWarning, match="something else"):
        select(method, blobs(200, 0), blobs(100, 1), 4, candidates=[SMALL["linear_svm"]])


def test_public_faces_choose() -> None:
    inputs, labels = blobs(200, 0)
    public = blobs(100, 1)
    lines: list[str] = []
    candidates = ({"trees": 1, "min_leaf": 90, "jobs": 1}, {"trees": 10, "min_leaf": 2, "jobs": 1})
    found = select(CLASSICAL["random_forest"], (inputs, labels), public, 4, candidates=candidates, report=lines.append)
    assert found.options == candidates[1]
    assert found.accuracy == max(one["accuracy"] for one in found.tried) > found.tried[0]["accuracy"]
    assert len(lines) == 2
    assert not any("converged" in one for one in found.tried)  # trees have no solver
    with pytest.raises(DataError, match="one class only"):
        select(CLASSICAL["linear_svm"], (inputs, np.zeros(200, int)), public, 4)
