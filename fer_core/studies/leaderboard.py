"""The leaderboard: finished rows side by side, ours and, in a column of their own, what others report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import pandas as pd

from fer_core.artifacts import DEDUPLICATED
from fer_core.evaluation.robustness import CORRUPTIONS
from fer_core.studies.results import Result, published_of
from fer_core.studies.rows import all_rows

SORTED_BY = "PublicTest"


def leaderboard(results: Iterable[Result]) -> pd.DataFrame:
    """One line a result, the best on PublicTest first, eight-class rows (judged against FER+) after the others."""
    table = pd.DataFrame([_line(result) for result in results], columns=list(_COLUMNS))
    table = table.sort_values(SORTED_BY, ascending=False, na_position="last")
    return table.sort_values("labels", key=lambda labels: labels != "FER2013", kind="stable", ignore_index=True)


def _line(result: Result) -> dict[str, object]:
    row = all_rows().get(result.row)
    published = published_of(row) if row else result.published
    private, twin_free = result.metrics.get("PrivateTest", {}), result.metrics.get(DEDUPLICATED, {})
    low, high = private.get("accuracy_interval", (None, None))
    return {
        "row": result.row,
        "title": row.title if row else result.title,
        "kind": result.kind,
        "labels": result.labels,
        "budget": result.budget,
        "PublicTest": result.metrics.get("PublicTest", {}).get("accuracy"),
        "PrivateTest": private.get("accuracy"),
        "low": low,
        "high": high,
        "macro_f1": private.get("macro_f1"),
        "without_twins": twin_free.get("accuracy"),
        "clean_sample": result.robustness.get("clean"),
        "robustness": result.robustness.get("mean"),
        **{name: result.robustness.get(name) for name in CORRUPTIONS},
        "parameters": result.parameters,
        "multiply_adds": result.multiply_adds,
        "training_speed": result.training_speed,
        "inference_speed": result.inference_speed,
        "epochs": result.epochs,
        "images_seen": result.images_seen,
        "seconds": result.seconds,
        "own_settings": own_settings(result.options),
        "published": published.get("accuracy"),
        "published_source": published.get("source"),
        "published_note": published.get("note"),
        "notes": result.notes,
    }


def own_settings(options: Mapping[str, Any]) -> str:
    """What a row has beyond the protocol and its architecture: `loss focal, label smoothing 0`."""
    shown = {name: value for name, value in options.items() if name not in ("model", "model_options")}
    return ", ".join(f"{name.replace('_', ' ')} {_setting(value)}" for name, value in shown.items())


def _setting(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).replace("_", " ")


_COLUMNS = tuple(_line(Result("", "", "", "", {}, {})))

BRIEF: Final = (
    "row",
    "labels",
    "PublicTest",
    "PrivateTest (95 % interval)",
    "macro-F1",
    "images seen",
    "published by others",
)
"""Columns for a page where the leaderboard is one thing among others."""


def markdown(table: pd.DataFrame, columns: Sequence[str] = ()) -> str:
    """The leaderboard for a page.

    Args:
        table: of `leaderboard`.
        columns: which of its columns; all, unless told.
    """
    chosen = columns or tuple(CELLS)
    lines = [chosen, ("---",) * len(chosen)]
    lines += [tuple(CELLS[name](line) for name in chosen) for line in table.to_dict("records")]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _missing(value: object) -> bool:
    return value is None or value != value


def _percent(value: object) -> str:
    return "-" if _missing(value) else f"{100 * float(str(value)):.1f} %"


def _interval(line: dict[str, object]) -> str:
    if _missing(line["low"]):
        return _percent(line["PrivateTest"])
    low, high = (100 * float(str(line[name])) for name in ("low", "high"))
    return f"{_percent(line['PrivateTest'])} ({low:.1f} to {high:.1f})"


def _of_corruption(name: str, line: dict[str, object]) -> str:
    return _percent(line[name])


def _amount(value: object) -> str:
    if _missing(value):
        return "-"
    number = float(str(value))
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.1f} {unit}"
    return f"{number:.0f}"


def _speed(value: object) -> str:
    return "-" if _missing(value) else f"{float(str(value)):,.0f}"


def _score(value: object) -> str:
    return "-" if _missing(value) else f"{float(str(value)):.3f}"


def _published(line: dict[str, object]) -> str:
    if _missing(line["published"]):
        return "-"
    note = f"; {line['published_note']}" if line["published_note"] else ""
    return f"[{_percent(line['published'])}]({line['published_source']}){note}"


Line = dict[str, object]

CELLS: Final[dict[str, Callable[[Line], str]]] = {
    "row": lambda line: f"{line['title']} (`{line['row']}`)",
    "labels": lambda line: str(line["labels"]),
    "settings of its own": lambda line: str(line["own_settings"]) or "-",
    "budget": lambda line: str(line["budget"]),
    "PublicTest": lambda line: _percent(line["PublicTest"]),
    "PrivateTest (95 % interval)": lambda line: _interval(line),
    "macro-F1": lambda line: _score(line["macro_f1"]),
    "without twins": lambda line: _percent(line["without_twins"]),
    "sample, clean": lambda line: _percent(line["clean_sample"]),
    "sample, corrupted": lambda line: _percent(line["robustness"]),
    **{name: partial(_of_corruption, name) for name in CORRUPTIONS},
    "parameters": lambda line: _amount(line["parameters"]),
    "multiply-adds (2 FLOPs each)": lambda line: _amount(line["multiply_adds"]),
    "training, faces/s": lambda line: _speed(line["training_speed"]),
    "inference, faces/s": lambda line: _speed(line["inference_speed"]),
    "epochs": lambda line: str(line["epochs"]),
    "images seen": lambda line: f"{int(str(line['images_seen'])):,}",
    "training, s": lambda line: f"{float(str(line['seconds'])):,.0f}",
    "published by others": lambda line: _published(line),
}
"""Column of a page -> what stands in it."""
