"""Figures are tested for the data that they carry, not for their pixels."""

import json

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from fer_core.figures import contact_sheet, dataset, matrix, models
from fer_core.labels import COLOURS, EMOTIONS

COUNTS = np.arange(49).reshape(7, 7)


def trace(figure: go.Figure, name: str) -> go.Scatter:
    return next(part for part in figure.data if part.name == name)


def shown_numbers(figure: go.Figure) -> list[str]:
    return [text for part in figure.data if part.name == "numbers" for text in part.text]


def test_every_cell_has_a_marker_that_names_it() -> None:
    cells = trace(matrix.confusion_matrix(COUNTS, EMOTIONS), matrix.CELLS)
    assert len(cells.customdata) == 49
    point = {"customdata": list(cells.customdata[2 * 7 + 4])}
    assert matrix.clicked_cell(point) == ("fear", "sad")
    assert (cells.x[18], cells.y[18]) == ("sad", "fear")


def test_a_click_is_read_in_every_form_a_front_end_sends() -> None:
    assert matrix.clicked_cell({"customdata": {"0": "fear", "1": "sad", "2": "7"}}) == ("fear", "sad")
    assert matrix.clicked_cell({"x": "sad"}) is None


def test_counts_and_shares_of_the_row() -> None:
    assert "18" in shown_numbers(matrix.confusion_matrix(COUNTS, EMOTIONS))
    shares = trace_z(matrix.confusion_matrix(COUNTS, EMOTIONS, normalise=True))
    assert np.allclose(shares.sum(axis=1), 100)


def trace_z(figure: go.Figure) -> np.ndarray:
    return np.asarray(figure.data[0].z, float)


def test_the_diagonal_can_be_hidden() -> None:
    shown = trace_z(matrix.confusion_matrix(COUNTS, EMOTIONS, hide_diagonal=True))
    assert np.isnan(np.diag(shown)).all()
    assert np.isfinite(shown).sum() == 42


def test_the_threshold_hides_rarer_cells_only() -> None:
    shown = trace_z(matrix.confusion_matrix(COUNTS, EMOTIONS, threshold=40))
    assert np.isfinite(shown).sum() == 9
    assert np.nanmin(shown) == 40


def test_only_a_chosen_cell_is_outlined() -> None:
    assert not matrix.confusion_matrix(COUNTS, EMOTIONS).layout.shapes
    (shape,) = matrix.confusion_matrix(COUNTS, EMOTIONS, chosen=("fear", "sad")).layout.shapes
    assert (shape.x0 < 4 < shape.x1, shape.y0 < 2 < shape.y1) == (True, True)
    assert not matrix.confusion_matrix(COUNTS, EMOTIONS, chosen=("any", "sad")).layout.shapes


def test_an_empty_matrix_is_drawn() -> None:
    figure = matrix.confusion_matrix(np.zeros((7, 7), int), EMOTIONS, normalise=True, hide_diagonal=True)
    assert json.loads(figure.to_json())["data"]


def test_the_picture_has_dark_cells_where_the_share_is_high() -> None:
    picture = np.asarray(matrix.confusion_picture(np.diag([9] * 7), EMOTIONS).convert("L"), int)
    assert picture.shape[0] > 500
    first, second = picture[24 + 10, 130 + 10], picture[24 + 10, 130 + 84 + 10]
    assert first < 150 < second


@pytest.fixture
def counts() -> pd.DataFrame:
    return pd.DataFrame([[4, 1], [2, 2]], index=["Training", "PrivateTest"], columns=["happy", "disgust"])


def test_class_counts_have_a_bar_a_split_in_the_emotions_colours(counts: pd.DataFrame) -> None:
    figure = dataset.class_counts(counts)
    assert [bar.name for bar in figure.data] == ["Training", "PrivateTest"]
    assert list(figure.data[0].y) == [4, 1]
    assert list(figure.data[0].marker.color) == [COLOURS["happy"], COLOURS["disgust"]]


def test_class_shares_have_a_part_an_emotion(counts: pd.DataFrame) -> None:
    figure = dataset.class_shares(counts.div(counts.sum(axis=1), axis=0))
    assert [list(part.x) for part in figure.data] == [[80, 50], [20, 50]]


def test_leakage_shows_counts_beside_the_bar() -> None:
    table = pd.DataFrame({"images": [3589], "twins": [288], "share": [288 / 3589]}, index=["PrivateTest"])
    (bar,) = dataset.leakage(table).data
    assert bar.text[0] == "288 of 3,589"
    assert bar.x[0] == pytest.approx(8.02, abs=0.01)


def test_group_sizes_and_outlier_scores_hold_every_item() -> None:
    (bar,) = dataset.group_sizes(pd.Series({2: 5, 3: 1})).data
    assert (list(bar.x), list(bar.y)) == (["2", "3"], [5, 1])
    (bar,) = dataset.outlier_scores(pd.Series([0.0, 0.5, 0.5, 99.0, np.nan]), threshold=6).data
    assert sum(bar.y) == 4
    assert bar.y[-1] == 1  # beyond the end


def test_figures_of_nothing_are_drawn() -> None:
    dataset.group_sizes(pd.Series(dtype=int))
    dataset.leakage(pd.DataFrame({"images": [], "twins": [], "share": []}))
    dataset.outlier_scores(pd.Series(dtype=float), threshold=6)


def test_votes_stand_beside_labels() -> None:
    figure = dataset.votes_against_labels(pd.Series({"happy": 1.0}), pd.Series({"happy": 0.5, "unknown": 0.5}))
    labels, votes = figure.data
    assert list(votes.y) == [50, 50]
    assert labels.y[0] == 100
    assert np.isnan(labels.y[1])


def test_agreement_is_the_mean_per_label() -> None:
    (bar,) = dataset.agreement(pd.DataFrame({"label": ["sad", "sad", "happy"], "agreement": [0.2, 0.4, 0.9]})).data
    assert dict(zip(bar.y, bar.x, strict=True)) == pytest.approx({"sad": 30, "happy": 90})


def accuracy_of(checkpoint: str, labels: str) -> dict[str, object]:
    """What `models.accuracies` is told of a checkpoint."""
    figures = {"accuracy": 0.7, "low": 0.685, "high": 0.715}
    return {"checkpoint": checkpoint, "labels": labels, "set": "PrivateTest", **figures}


def test_accuracies_carry_their_interval() -> None:
    (points,) = models.accuracies(pd.DataFrame([accuracy_of("vgg_se", "FER2013")])).data
    assert points.x[0] == pytest.approx(70)
    assert (points.error_x.array[0], points.error_x.arrayminus[0]) == pytest.approx((1.5, 1.5))


def test_human_accuracy_lies_under_those_alone_that_are_judged_by_its_labels() -> None:
    judges = {"voters": "FER+ majority", "vgg_se": "FER2013", "cnn_lstm": "FER2013"}
    rows = [accuracy_of(name, labels) for name, labels in judges.items()]
    figure = models.accuracies(pd.DataFrame(rows))
    assert list(figure.layout.yaxis.ticktext) == ["vgg_se", "cnn_lstm", "voters<br>by FER+ majority"]
    assert list(figure.data[0].y) == [0, 1, 2]
    assert [found[2] for found in figure.data[0].customdata] == ["vgg_se", "cnn_lstm", "voters"]
    (band,) = figure.layout.shapes
    assert (band.x0, band.x1, band.y0, band.y1) == (60, 70, -0.5, 1.5)
    assert not models.accuracies(pd.DataFrame(rows[:1])).layout.shapes


def test_training_curves_have_a_line_a_column() -> None:
    history = pd.DataFrame({"epoch": [1, 2], "train_loss": [2.0, 1.0], "public_accuracy": [0.4, 0.5]})
    (line,) = models.training_curves(history, ["public_accuracy"], percent=True).data
    assert list(line.y) == [40, 50]


def test_reliability_has_a_bar_a_bin_and_the_diagonal() -> None:
    table = pd.DataFrame({"lower": [0.5], "upper": [1.0], "confidence": [0.9], "accuracy": [0.8], "images": [10]})
    bar, diagonal = models.reliability(table).data
    assert (bar.x[0], bar.y[0], bar.customdata[0]) == (75, 80, 10)
    assert list(diagonal.x) == list(diagonal.y)


def test_per_class_f1_has_precision_and_recall_over_it() -> None:
    table = pd.DataFrame({"emotion": ["sad"], "precision": [0.4], "recall": [0.6], "f1": [0.48], "support": [5]})
    assert {part.name: part.y[0] for part in models.per_class_f1(table).data} == {
        "F1": 0.48, "precision": 0.4, "recall": 0.6,
    }  # fmt: skip


def test_a_contact_sheet_holds_each_face_and_its_colour() -> None:
    faces = np.stack([np.full((48, 48), grey, np.uint8) for grey in (10, 200, 90)])
    sheet = contact_sheet.contact_sheet(faces, ["1", "2", "3"], ["#ff0000", "#00ff00", "#0000ff"], columns=2)
    pixels = np.asarray(sheet)
    cell_w, cell_h = sheet.width // 2, sheet.height // 2
    assert pixels[48, cell_w + 48].tolist() == [200, 200, 200, 255]
    assert pixels[cell_h + 48, 48].tolist() == [90, 90, 90, 255]
    assert pixels[97, cell_w + 48].tolist() == [0, 255, 0, 255]
    assert pixels[cell_h + 48, cell_w + 48].tolist() == [0, 0, 0, 0]  # no fourth face


def test_a_contact_sheet_may_leave_cells_empty() -> None:
    faces = np.full((2, 48, 48), 70, np.uint8)
    sheet = contact_sheet.contact_sheet(faces, ["1", "2"], ["#ff0000"] * 2, columns=2, places=[0, 3])
    pixels = np.asarray(sheet)
    cell_w, cell_h = sheet.width // 2, sheet.height // 2
    assert pixels[48, cell_w + 48, 3] == 0
    assert pixels[cell_h + 48, cell_w + 48].tolist() == [70, 70, 70, 255]


def test_rows_by_other_labels_are_drawn_apart() -> None:
    lines = [
        {"row": name, "title": name, "labels": labels, "PrivateTest": 0.5, "low": 0.4, "high": 0.6, "parameters": size}
        for name, labels, size in (("a", "FER2013", 10), ("b", "FER+ majority", 20), ("c", "FER2013", 0))
    ]
    seven, eight = models.accuracy_and_cost(pd.DataFrame(lines), "parameters", "parameters").data
    assert (seven.name, list(seven.x)) == ("judged by FER2013", [10])
    assert (eight.name, list(eight.x)) == ("judged by FER+ majority", [20])
    assert seven.marker.color != eight.marker.color
