"""Long lists: one page of a table, with the faces of its rows, and all of it as CSV."""

from __future__ import annotations

import io

import pandas as pd
import streamlit as st

from fer_core.figures.contact_sheet import contact_sheet
from fer_core.figures.style import colour_of
from webapp.dashboard import state
from webapp.dashboard.components.layout import no_faces
from webapp.dashboard.resources import Faces

PAGE = 24
"""Lines of a page; a contact sheet of four rows of six faces."""
COLUMNS = 6


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


def formats(table: pd.DataFrame) -> dict[str, object]:
    """How columns are shown: fractions as percent or as a bar, thousands marked except in row numbers."""
    config: dict[str, object] = {}
    for column in table.select_dtypes("integer"):
        config[column] = st.column_config.NumberColumn(format="localized")
    for column in table.columns:
        if column in {"row", "group"}:
            config[column] = st.column_config.NumberColumn(format="%d")
        elif column in {"confidence", "agreement", "majority_share"}:
            config[column] = st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1)
        elif column in {"doubt", "outlier_score"}:
            config[column] = st.column_config.NumberColumn(format="%.3f")
        elif str(column).startswith("p_"):
            config[column] = st.column_config.NumberColumn(str(column).removeprefix("p_"), format="percent")
    return config
