"""The pages run without a browser: no exception, the right numbers, a friendly word where there is nothing to show."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

import fer_core.artifacts
from fer_core.artifacts import load_card, update_card
from fer_core.data.audit.label_noise import vote_doubts
from fer_core.data.profiles import Profile
from fer_core.evaluation.predictions import load_predictions, save_predictions
from fer_core.labels import EMOTIONS, VOTE_COLUMNS
from tests.webapp.dashboard.conftest import APP, Open
from tests.webapp.dashboard.world import write_checkpoint
from webapp.dashboard import resources, state

PAGES = tuple(sorted(path.stem for path in (APP.parent / "views").glob("*.py")))
ROOT = APP.parents[2]

CHOICES: dict[str, dict[str, Any]] = {
    "balance": {state.BALANCE_SPLITS: ["PrivateTest"], state.BALANCE_SHARES: state.SHARES},
    "duplicates": {state.GROUP_KIND: "near", state.GROUP_SCOPE: "across splits"},
    "outliers": {state.OUTLIER_SPLIT: "Training", state.OUTLIER_LABEL: "sad"},
    "noise": {
        state.CROWD_SPLIT: "Training",
        state.CROWD_DIAGONAL: False,
        state.CROWD_LABEL: "happy",
        state.CROWD_MAJORITY: "happy",
    },
    "confusion": {
        state.SPLIT: "PublicTest",
        state.PROTOCOL: state.DEDUPLICATED,
        state.NORMALISE: True,
        state.HIDE_DIAGONAL: True,
        state.THRESHOLD: 2,
        state.TRUE: "fear",
        state.PREDICTED: "sad",
    },
    "studies": {state.STUDY: "data_centric", state.COST: "training time"},
}
"""Per page a choice in each of its filters."""


def chosen(at: AppTest, page: str) -> dict[str, Any]:
    """What the filters of a page are."""
    return {key: at.session_state[key] for key in CHOICES[page]}


def choose(at: AppTest, page: str) -> None:
    """Sets every filter of the page that is open."""
    for key, value in CHOICES[page].items():
        at.session_state[key] = value
    at.run()
    assert not at.exception, at.exception[0].value


def metric(at: AppTest, label: str) -> str:
    return next(item.value for item in at.metric if item.label == label)


def table(at: AppTest, column: str) -> pd.DataFrame:
    """The first table with that column."""
    return next(item.value for item in at.dataframe if column in item.value.columns)


def test_there_is_a_page_for_each_question() -> None:
    assert PAGES == ("balance", "confusion", "duplicates", "models", "noise", "outliers", "overview", "studies")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_without_anything_says_so(page: str, empty_world: None, open_page: Open) -> None:
    at = open_page(page)
    assert any("--data" in info.value for info in at.info)
    assert not at.metric


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_what_ships(page: str, small_world: None, open_page: Open) -> None:
    at = open_page(page)
    assert [element.type for element in at.main][1] == "title"  # nothing stands above it
    assert len(at.metric) or len(at.dataframe)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_the_users_own_dataset(page: str, with_faces: None, open_page: Open) -> None:
    assert not any("Start the app with" in info.value for info in open_page(page).info)


def test_a_broken_dataset_is_named_and_what_ships_is_shown(
    small_world: None, open_page: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FER_DATA", str(tmp_path / "missing"))
    at = open_page("overview")
    assert "missing" in at.warning[0].value
    assert metric(at, "Images") == "84"


def test_overview_counts_images_copies_and_leaks(small_world: None, open_page: Open) -> None:
    at = open_page("overview")
    found = {item.label: item.value for item in at.metric}
    assert found == {
        "Images": "84",
        "Imbalance": "1.0 : 1",
        "Surplus copies": "2",
        "Conflicting": "1",
        "Leaked": "2",
    }
    assert set(table(at, "checkpoint")["checkpoint"]) == {"alpha", "beta"}


def test_overview_leads_to_every_other_page(small_world: None, open_page: Open) -> None:
    links = {element.proto.page for element in open_page("overview").get("page_link")}
    assert links == set(PAGES) - {"overview"}


def test_a_split_without_labels_has_no_imbalance(
    small_world: None, open_page: Open, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = profile.rows
    rows = rows.assign(label=rows["label"].mask(rows["split"] == "PrivateTest", -1))
    monkeypatch.setattr(resources, "load_profile", lambda: replace(profile, rows=rows))
    at = open_page("balance")
    assert (metric(at, "Training"), metric(at, "PrivateTest")) == ("1.0 : 1", "–")
    assert "no image of this split has a label" in next(one.help for one in at.metric if one.label == "PrivateTest")


def test_balance_filters_by_split_and_resets(small_world: None, open_page: Open) -> None:
    at = open_page("balance")
    assert table(at, "total")["total"].tolist() == [28, 28, 28]
    at.session_state[state.BALANCE_SPLITS] = ["PrivateTest"]
    at.run()
    assert table(at, "total")["split"].tolist() == ["PrivateTest"]
    at.session_state[state.BALANCE_SPLITS] = []
    at.run()
    assert "at least one split" in at.info[0].value
    at.button(key="reset_balance").click().run()
    assert len(table(at, "total")) == 3


@pytest.mark.parametrize("page", CHOICES)
def test_filters_outlast_a_visit_to_another_page(page: str, small_world: None, open_page: Open) -> None:
    at = open_page(page)
    choose(at, page)
    at.switch_page("views/overview.py").run()
    at.switch_page(f"views/{page}.py").run()
    assert not at.exception, at.exception[0].value
    assert chosen(at, page) == CHOICES[page]


@pytest.mark.parametrize("page", CHOICES)
def test_an_address_carries_the_filters_of_its_page(page: str, small_world: None, open_page: Open) -> None:
    at = open_page(page)
    choose(at, page)
    at.switch_page("views/overview.py").run()
    at.switch_page(f"views/{page}.py").run()  # puts its filters into the address
    address = at.query_params
    assert set(address) == set(CHOICES[page])
    elsewhere = open_page("overview")
    elsewhere.query_params = address
    elsewhere.switch_page(f"views/{page}.py").run()
    assert not elsewhere.exception, elsewhere.exception[0].value
    assert chosen(elsewhere, page) == CHOICES[page]


@pytest.mark.parametrize("page", state.DEFAULTS)
def test_reset_brings_back_what_a_fresh_page_shows(page: str, small_world: None, open_page: Open) -> None:
    at = open_page(page)
    assert chosen(at, page) == state.DEFAULTS[page]
    assert set(state.DEFAULTS[page]) == set(CHOICES[page])
    choose(at, page)
    at.button(key=f"reset_{page}").click().run()
    assert chosen(at, page) == state.DEFAULTS[page]
    assert not at.query_params


def test_an_address_that_asks_for_what_is_not_there_is_answered_with_what_is(
    small_world: None, open_page: Open
) -> None:
    at = open_page("overview")
    at.query_params = {state.SPLIT: "Training", state.THRESHOLD: "999", state.TRUE: "contempt", state.PREDICTED: "sad"}
    at.switch_page("views/confusion.py").run()
    assert not at.exception
    assert chosen(at, "confusion") == state.DEFAULTS["confusion"] | {state.PREDICTED: "sad"}


def test_balance_shows_shares(small_world: None, open_page: Open) -> None:
    assert not open_page("balance", **{state.BALANCE_SHARES: state.SHARES}).exception


def test_duplicates_name_the_conflicting_group(small_world: None, open_page: Open) -> None:
    at = open_page("duplicates")
    assert metric(at, "Equal groups") == "1"
    assert metric(at, "Images in them") == "3"
    groups = table(at, "crosses_splits")
    assert groups["labels"].tolist() == ["fear 1, sad 2"]
    assert groups["splits"].tolist() == ["Training 1, PublicTest 1, PrivateTest 1"]


@pytest.mark.parametrize("scope", ["conflicting labels", "across splits", "conflicting and across splits"])
def test_duplicates_can_be_narrowed(scope: str, small_world: None, open_page: Open) -> None:
    at = open_page("duplicates")
    at.selectbox(key=state.GROUP_SCOPE).select(scope).run()
    assert len(table(at, "crosses_splits")) == 1


def test_outliers_start_with_the_constant_image(small_world: None, open_page: Open) -> None:
    at = open_page("outliers")
    assert metric(at, "Constant") == "1"
    shown = table(at, "outlier_score")
    assert shown["constant"].tolist() == [True] + [False] * 23
    at.selectbox(key=state.OUTLIER_LABEL).select("disgust").run()
    assert set(table(at, "outlier_score")["label"]) == {"disgust"}


def test_lists_turn_their_pages_and_start_over_with_a_new_filter(small_world: None, open_page: Open) -> None:
    at = open_page("outliers")
    before = table(at, "outlier_score")["row"].tolist()
    at.pagination[0].set_value(2).run()
    assert not set(before) & set(table(at, "outlier_score")["row"])
    at.selectbox(key=state.OUTLIER_SPLIT).select("Training").run()
    assert at.pagination[0].value == 1
    assert len(table(at, "outlier_score")) == 24


def test_noise_lists_what_a_model_doubts(small_world: None, open_page: Open) -> None:
    at = open_page("noise")
    assert metric(at, "With votes") == "84"
    doubted = table(at, "doubt")
    assert set(doubted["true"]) == {"fear"}
    assert doubted["doubt"].is_monotonic_decreasing


def test_noise_lists_the_images_of_a_chosen_cell(small_world: None, open_page: Open) -> None:
    at = open_page("noise")
    at.toggle(key=state.CROWD_DIAGONAL).set_value(False).run()
    at.selectbox(key=state.CROWD_LABEL).select("happy").run()
    assert set(table(at, "agreement")["label"]) == {"happy"}


def test_noise_does_not_call_the_first_choice_a_majority(small_world: None, open_page: Open) -> None:
    at = open_page("noise")
    at.toggle(key=state.CROWD_DIAGONAL).set_value(False).run()
    shown = next(item for item in at.dataframe if "majority" in item.value.columns)
    titles = {name: column.get("label", "") for name, column in json.loads(shown.proto.columns).items()}
    assert (titles["majority"], titles["majority_share"]) == ("voters' first choice", "share of it")
    assert not [title for title in titles.values() if "majority" in title]


def test_confusion_shows_the_report_of_the_split(small_world: None, open_page: Open) -> None:
    at = open_page("confusion")
    assert metric(at, "Accuracy") == "85.71%"  # four of 28 are wrong
    assert metric(at, "Images") == "28"
    assert at.selectbox(key=state.CHECKPOINT).options == ["alpha"]  # beta ships no predictions
    per_class = table(at, "support").set_index("emotion")
    assert per_class.at["fear", "recall"] == 0
    assert per_class.at["sad", "precision"] == 0.5


def test_confusion_compares_answers_and_errors_with_the_votes(
    small_world: None, profile: Profile, open_page: Open
) -> None:
    doubts = vote_doubts(profile.rows[profile.rows["split"] == "PrivateTest"])
    fearful = doubts[doubts["label"] == EMOTIONS.index("fear")]  # all are read as sad, the other labels are found
    at = open_page("confusion")
    assert metric(at, "Label leads") == f"{(doubts['majority'] == doubts['label']).mean():.1%}"
    assert metric(at, "Error leads") == f"{(fearful['majority'] == EMOTIONS.index('sad')).mean():.1%}"
    assert metric(at, "No vote") == f"{(fearful['votes_for_label'] == 0).mean():.1%}"


def test_confusion_says_nothing_of_votes_where_there_are_none(
    small_world: None, profile: Profile, monkeypatch: pytest.MonkeyPatch, open_page: Open
) -> None:
    bare = replace(profile, rows=profile.rows.drop(columns=list(VOTE_COLUMNS)))
    monkeypatch.setattr(resources, "load_profile", lambda: bare)
    at = open_page("confusion")
    assert "What FER+'s voters say" not in {item.value for item in at.subheader}


def test_confusion_can_leave_out_the_twins_of_training_images(small_world: None, open_page: Open) -> None:
    at = open_page("confusion")
    at.selectbox(key=state.PROTOCOL).select(state.DEDUPLICATED).run()
    assert metric(at, "Images") == "27"


def test_a_cell_lists_its_images_most_confident_first(small_world: None, open_page: Open) -> None:
    at = open_page("confusion")
    assert not any("p_sad" in item.value.columns for item in at.dataframe)
    at.selectbox(key=state.TRUE).select("fear").run()
    at.selectbox(key=state.PREDICTED).select("sad").run()
    rows = table(at, "p_sad")
    assert len(rows) == 4
    assert set(rows["true"]) == {"fear"}
    assert set(rows["predicted"]) == {"sad"}
    assert rows["confidence"].is_monotonic_decreasing
    at.button(key="reset_confusion").click().run()
    assert at.selectbox(key=state.TRUE).value == state.ANY


def test_faces_come_with_the_dataset_and_a_hint_without(with_faces: None, open_page: Open) -> None:
    at = open_page("confusion", **{state.TRUE: "fear", state.PREDICTED: "sad"})
    assert any("row number stands under each face" in caption.value for caption in at.caption)


def test_without_the_dataset_a_cell_says_how_to_see_faces(small_world: None, open_page: Open) -> None:
    at = open_page("confusion", **{state.TRUE: "fear", state.PREDICTED: "sad"})
    assert any("--data" in caption.value for caption in at.caption)


def test_models_ranks_the_checkpoints(small_world: None, open_page: Open) -> None:
    at = open_page("models")
    board = table(at, "parameters")
    assert board["PrivateTest"].tolist() == pytest.approx([24 / 28] * 2)
    assert {"Under other protocols", "On corrupted faces"} <= {item.value for item in at.subheader}
    judged = table(at, "learnt share")
    assert judged["learnt share"].tolist() == pytest.approx([0.3, 0.3])
    assert judged["own leak share"].tolist() == pytest.approx([0.1, 0.1])
    assert judged["distinct"].tolist() == [9, 9]
    at.selectbox(key=state.CHECKPOINT).select("beta").run()
    assert not at.exception
    assert any("no training history" in info.value for info in at.info)
    assert "Under other protocols" not in {item.value for item in at.subheader}


def test_models_are_compared_on_the_same_faces(
    small_world: None,
    open_page: Open,
    shipped: Path,
    profile: Profile,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    assert "Differences on the same faces" not in {item.value for item in open_page("models").subheader}
    shutil.copytree(shipped, tmp_path / "checkpoints")
    better = tmp_path / "checkpoints" / "gamma"
    write_checkpoint(better, profile.rows, profile.fingerprint)
    answers, fear = load_predictions(better), EMOTIONS.index("fear")
    swapped = answers.assign(p_fear=answers["p_sad"], p_sad=answers["p_fear"])
    save_predictions(better, answers.where(answers["label"] != fear, swapped))
    monkeypatch.setattr(fer_core.artifacts, "CHECKPOINTS", tmp_path / "checkpoints")
    at = open_page("models", **{state.AGAINST: "alpha"})
    (line,) = table(at, "points").to_dict("records")
    assert (line["checkpoint"], line["right alone"], line["wrong alone"], line["faces"]) == ("gamma", 4, 0, 28)
    assert line["points"] == pytest.approx(100 * 4 / 28)
    assert line["p"] == pytest.approx(2 / 2**4)
    at.selectbox(key=state.AGAINST).select("gamma").run()
    assert table(at, "points")["points"].tolist() == pytest.approx([-100 * 4 / 28])


def test_the_best_on_public_test_comes_first(small_world: None, open_page: Open, shipped: Path) -> None:
    metrics = load_card(shipped / "beta").metrics
    better = {"PublicTest": metrics["PublicTest"] | {"accuracy": 0.99}}
    update_card(shipped / "beta", metrics=metrics | better)
    at = open_page("models")
    assert at.selectbox(key=state.CHECKPOINT).options == ["beta", "alpha"]
    assert table(at, "parameters")["checkpoint"].tolist() == ["beta", "alpha"]


def test_the_checkpoint_of_the_app_comes_first(
    small_world: None, open_page: Open, shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FER_CHECKPOINT", str(shipped / "beta"))
    assert open_page("models").selectbox(key=state.CHECKPOINT).options == ["beta", "alpha"]


def test_pages_load_no_training_framework() -> None:
    modules = "webapp.dashboard.resources, webapp.dashboard.components.lists, fer_core.figures.models"
    code = f"import sys, {modules}; print([m for m in ('torch', 'captum', 'gradio', 'cv2') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


def test_every_emotion_can_be_chosen(small_world: None, open_page: Open) -> None:
    at = open_page("confusion")
    assert at.selectbox(key=state.TRUE).options == [state.ANY, *EMOTIONS]


def test_studies_are_narrowed_to_one(small_world: None, open_page: Open) -> None:
    at = open_page("studies")
    assert list(table(at, "PrivateTest")["row"]) == ["vgg_se", "cnn_lstm"]
    at = open_page("studies", **{state.STUDY: "data_centric"})
    assert list(table(at, "PrivateTest")["row"]) == ["cnn_lstm"]
    assert "no row" in open_page("studies", **{state.STUDY: "architectures"}).info[0].value.lower()
