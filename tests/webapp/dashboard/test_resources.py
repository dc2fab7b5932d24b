"""Faces are found by content, clicks become choices."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from fer_core.data.profiles import Profile
from fer_core.data.table import FaceDataset
from webapp.dashboard import resources


def test_faces_of_predictions_are_found_by_content_in_a_dataset_of_another_order(
    small_world: None, twinned: FaceDataset, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    backwards = twinned.select(np.arange(len(twinned))[::-1])
    other = replace(backwards, table=backwards.table.assign(row=range(len(twinned))), fingerprint="another")
    monkeypatch.setattr(resources, "_opened", lambda path, changed: (other, ""))
    faces = resources.judged_faces("alpha")
    assert faces is not None
    rows = profile.rows["row"].tolist()
    assert all(faces.has(row) for row in rows)
    assert np.array_equal(faces.of(rows), twinned.pixels)


def test_faces_of_another_dataset_are_not_mistaken_for_those_of_the_predictions(
    small_world: None, twinned: FaceDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = replace(twinned, pixels=255 - twinned.pixels, fingerprint="another")
    monkeypatch.setattr(resources, "_opened", lambda path, changed: (other, ""))
    faces = resources.judged_faces("alpha")
    assert faces is not None
    assert not faces.places


def test_answers_about_another_dataset_are_not_taken_for_the_profiles(
    small_world: None, twinned: FaceDataset, shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = replace(twinned.split("Training"), fingerprint="another")
    card = resources.card("alpha")
    assert card is not None
    monkeypatch.setattr(resources, "card", lambda name: replace(card, data={"fingerprint": "another"}))
    assert resources.judged_data("alpha") is None
    assert not resources.can_deduplicate("alpha")
    monkeypatch.setattr(resources, "_opened", lambda path, changed: (other, ""))
    faces = resources.judged_faces("alpha")
    assert faces is not None
    assert set(faces.places) == set(other.table["row"])
    assert resources.can_deduplicate("alpha")


def test_the_shipped_dataset_is_known_again_without_its_votes(
    small_world: None, twinned: FaceDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = replace(twinned, table=twinned.table[["row", "split", "label"]], fingerprint="plain")
    monkeypatch.setattr(resources, "_opened", lambda path, changed: (plain, ""))
    source = resources.source()
    assert source is not None
    assert source.own
    assert "votes_happy" in source.rows


def test_another_dataset_is_audited(small_world: None, twinned: FaceDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    other = replace(twinned.split("Training"), fingerprint="another")
    monkeypatch.setattr(resources, "_opened", lambda path, changed: (other, ""))
    source = resources.source()
    assert source is not None
    assert len(source.rows) == len(other)
    assert source.title != "FER2013"


def test_a_replaced_checkpoint_is_read_again(small_world: None) -> None:
    before = resources.answers("alpha")
    assert before is resources.answers("alpha")
    path = resources.checkpoints()["alpha"] / "predictions.parquet"
    path.touch()
    assert before is not resources.answers("alpha")


def test_a_click_becomes_a_choice_and_turns_the_list_back() -> None:
    def script() -> None:
        import streamlit as st

        from webapp.dashboard import state

        points = st.session_state["points"]
        st.session_state["chart"] = {"selection": {"points": points}}
        state.take_click("chart", "down", "across", "list")
        st.text(f"{st.session_state['down']} {st.session_state['across']} {state.page_key('list')}")

    at = AppTest.from_function(script)
    at.session_state["points"] = [{"customdata": ["fear", "sad", "7", "1.0"]}]
    assert at.run().text[0].value == "fear sad list_1"
    at.session_state["points"] = []
    assert at.run().text[0].value == "any any list_2"
