"""The leaderboard: finished rows side by side, ours and, in a column of their own, what others report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from fer_core.evaluation.record import DEDUPLICATED
from fer_core.evaluation.robustness import CORRUPTIONS
from fer_core.studies.results import Result

SORTED_BY = "PrivateTest"


def leaderboard(results: Iterable[Result]) -> pd.DataFrame:
    """One line a result, the best on PrivateTest first, eight-class rows (judged against FER+) after the others."""
    table = pd.DataFrame([_line(result) for result in results], columns=list(_COLUMNS))
    table = table.sort_values(SORTED_BY, ascending=False, na_position="last")
    return table.sort_values("labels", key=lambda labels: labels != "FER2013", kind="stable", ignore_index=True)


def _line(result: Result) -> dict[str, object]:
    private, twin_free = result.metrics.get("PrivateTest", {}), result.metrics.get(DEDUPLICATED, {})
    low, high = private.get("accuracy_interval", (None, None))
    return {
        "row": result.row,
        "title": result.title,
        "kind": result.kind,
        "labels": result.labels,
        "budget": result.budget,
        "PublicTest": result.metrics.get("PublicTest", {}).get("accuracy"),
        "PrivateTest": private.get("accuracy"),
        "low": low,
        "high": high,
        "macro_f1": private.get("macro_f1"),
        "without_twins": twin_free.get("accuracy"),
        "robustness": result.robustness.get("mean"),
        **{name: result.robustness.get(name) for name in CORRUPTIONS},
        "parameters": result.parameters,
        "multiply_adds": result.multiply_adds,
        "training_speed": result.training_speed,
        "inference_speed": result.inference_speed,
        "epochs": result.epochs,
        "images_seen": result.images_seen,
        "seconds": result.seconds,
        "published": result.published.get("accuracy"),
        "published_source": result.published.get("source"),
        "published_note": result.published.get("note"),
        "notes": result.notes,
    }


_COLUMNS = tuple(_line(Result("", "", "", "", {}, {})))

HEAD = (
    "row", "labels", "budget", "PublicTest", "PrivateTest (95 % interval)", "macro-F1", "without twins", "robustness",
    "parameters", "multiply-adds", "trained at", "answers at", "epochs", "time", "published by others",
)  # fmt: skip


def markdown(table: pd.DataFrame) -> str:
    """The leaderboard for a page; speeds are faces a second on one core."""
    lines = [HEAD, ("---",) * len(HEAD), *(_cells(line) for line in table.to_dict("records"))]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cells(line: dict[str, object]) -> Sequence[str]:
    return (
        f"{line['title']} (`{line['row']}`)",
        str(line["labels"]),
        str(line["budget"]),
        _percent(line["PublicTest"]),
        _interval(line),
        _percent(line["macro_f1"]),
        _percent(line["without_twins"]),
        _percent(line["robustness"]),
        _amount(line["parameters"]),
        _amount(line["multiply_adds"]),
        _speed(line["training_speed"]),
        _speed(line["inference_speed"]),
        str(line["epochs"]),
        f"{float(str(line['seconds'])) / 60:.0f} min",
        _published(line),
    )


def _missing(value: object) -> bool:
    return value is None or value != value


def _percent(value: object) -> str:
    return "-" if _missing(value) else f"{100 * float(str(value)):.1f} %"


def _interval(line: dict[str, object]) -> str:
    if _missing(line["low"]):
        return _percent(line["PrivateTest"])
    low, high = (100 * float(str(line[name])) for name in ("low", "high"))
    return f"{_percent(line['PrivateTest'])} ({low:.1f} to {high:.1f})"


def _amount(value: object) -> str:
    if _missing(value):
        return "-"
    number = float(str(value))
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.1f} {unit}"
    return f"{number:.0f}"


def _speed(value: object) -> str:
    return "-" if _missing(value) else f"{float(str(value)):,.0f}/s"


def _published(line: dict[str, object]) -> str:
    if _missing(line["published"]):
        return "-"
    note = f"; {line['published_note']}" if line["published_note"] else ""
    return f"[{_percent(line['published'])}]({line['published_source']}){note}"
