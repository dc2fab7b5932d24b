"""Long lists: one page of a table, with the faces of its rows, and all of it as CSV."""

from __future__ import annotations

import io
from typing import Any

import pandas as pd
import streamlit as st

from fer_core.figures.contact_sheet import contact_sheet
from fer_core.figures.style import colour_of, readable
from webapp.dashboard import state
from webapp.dashboard.components.layout import no_faces
from webapp.dashboard.resources import Faces

PAGE = 24
"""Lines of a page; a contact sheet of four rows of six faces."""
COLUMNS = 6
TITLES = {"majority": "voters' first choice", "majority_share": "share of it"}
"""Headings of columns that are called majority in CSV files; often no answer has more than half of the votes."""


def page_of(table: pd.DataFrame, key: str, size: int = PAGE) -> pd.DataFrame:
    """The lines of the page that the reader turned to; shows the page buttons where there is more than one."""
    pages = -(-len(table) // size)
    if pages <= 1:
        return table
    current = min(st.pagination(pages, key=state.page_key(key)), pages)
    first = (current - 1) * size
    st.caption(f"Lines {first + 1:,} to {min(first + size, len(table)):,} of {len(table):,}")
    return table.iloc[first : first + size]


def table_and_faces(table: pd.DataFrame, faces: Faces | None, *, label: str, key: str) -> None:
    """Lines of images as a table and, where there are pictures, as a contact sheet.

    Args:
        table: the lines to show; needs a column `row`.
        faces: pictures, None where there are none.
        label: column with the emotion that colours the bar under each face.
        key: of the table.
    """
    if faces is None:
        no_faces()
    else:
        show_faces(faces, table["row"].tolist(), table[label].tolist())
    st.dataframe(table, key=key, hide_index=True, column_config=formats(table))


def show_faces(
    faces: Faces, rows: list[int], labels: list[str], *, columns: int = COLUMNS, places: list[int] | None = None
) -> None:
    """One picture with the faces of these rows, each over its row number and its label's colour.

    Args:
        faces: pictures.
        rows: row numbers.
        labels: an emotion each.
        columns: faces in a line of the picture.
        places: cell of each face, counted along the lines (default: one after the other).
    """
    everyone = zip(rows, labels, places or range(len(rows)), strict=True)
    known = [(row, label, place) for row, label, place in everyone if faces.has(row)]
    if not known:
        st.caption("The dataset that the app was started with does not hold these faces.")
        return
    numbers = [row for row, _, _ in known]
    colours = [colour_of(label) for _, label, _ in known]
    taken = [place for _, _, place in known]
    sheet = contact_sheet(faces.of(numbers), [str(row) for row in numbers], colours, columns=columns, places=taken)
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    st.image(buffer.getvalue(), alt="Faces of the rows " + ", ".join(map(str, numbers)))
    st.caption("The row number stands under each face; the bar has the label's colour.")


def download(table: pd.DataFrame, name: str, key: str, label: str = "Download CSV") -> None:
    """The whole table as a CSV file, written when it is asked for."""
    st.download_button(
        label, lambda: table.to_csv(index=False), file_name=name, mime="text/csv", key=key, on_click="ignore"
    )


def formats(table: pd.DataFrame) -> dict[str, Any]:
    """How columns are shown: fractions as percent or as a bar, thousands marked except in row numbers."""
    return {str(column): _format(str(column), table[column]) for column in table.columns}


def _format(name: str, values: pd.Series) -> Any:
    title = TITLES.get(name) or readable(name.removeprefix("p_"))
    if name in {"confidence", "agreement", "majority_share"}:
        return st.column_config.ProgressColumn(title, format="percent", min_value=0, max_value=1)
    if name.startswith("p_"):
        return st.column_config.NumberColumn(title, format="percent")
    if name in {"row", "group"}:
        return st.column_config.NumberColumn(title, format="%d")
    if pd.api.types.is_float_dtype(values):
        return st.column_config.NumberColumn(title, format="%.3f")
    if pd.api.types.is_integer_dtype(values):
        return st.column_config.NumberColumn(title, format="localized")
    return st.column_config.Column(title)
