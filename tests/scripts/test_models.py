"""scripts.models lists what can be trained."""

from __future__ import annotations

import json

import pytest

from fer_core.models import MODELS, create_model, parameter_count
from scripts import models


def test_every_registered_model_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    models.models(as_json=True)
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == list(MODELS)
    assert all(row["paper"].startswith("https://") and row["title"] for row in rows)


@pytest.mark.parametrize("name", ["deep_emotion", "vgg_se"])
def test_parameters_are_those_of_the_model_as_it_is_built(name: str) -> None:
    assert models._row(MODELS[name])["parameters"] == parameter_count(create_model(name))


def test_people_get_a_line_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    models.models()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(MODELS)
