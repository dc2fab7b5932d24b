"""Long lists: one page of a table, with the faces of its rows, and all of it as CSV."""

from __future__ import annotations

import io

import pandas as pd
import streamlit as st

from fer_core.figures.contact_sheet import contact_sheet
from fer_core.figures.style import colour_of
from webapp.dashboard.components.layout import no_faces
from webapp.dashboard.resources import Faces

PAGE = 24
"""Lines of a page; a contact sheet of four rows of six faces."""


def page_of(table: pd.DataFrame, key: str, size: int = PAGE) -> pd.DataFrame:
    """The lines of the page that the reader turned to; shows the page buttons where there is more than one."""
    pages = max(-(-len(table) // size), 1)
    current = min(max(int(st.session_state.get(key) or 1), 1), pages)
    st.session_state[key] = current
    if pages > 1:
        current = st.pagination(pages, key=key)
        first = (current - 1) * size
        st.caption(f"Lines {first + 1:,} to {min(first + size, len(table)):,} of {len(table):,}")
    return table.iloc[(current - 1) * size : current * size]


def table_and_faces(table: pd.DataFrame, faces: Faces | None, *, label: str, key: str) -> None:
    """Lines of images as a table and, where there are pictures, as a contact sheet.

    Args:
        table: the lines to show; needs a column `row`.
        faces: pictures, None where there are none.
        label: column with the emotion that colours the bar under each face.
        key: of the table.
    """
    st.dataframe(table, key=key, hide_index=True, column_config=formats(table), height="content")
    if faces is None:
        no_faces()
    else:
        show_faces(faces, table["row"].tolist(), table[label].tolist())


def show_faces(faces: Faces, rows: list[int], labels: list[str]) -> None:
    """One picture with the faces of these rows, each over its row number and its label's colour."""
    known = [(row, label) for row, label in zip(rows, labels, strict=True) if faces.has(row)]
    if not known:
        st.caption("The dataset that the app was started with does not hold these faces.")
        return
    numbers = [row for row, _ in known]
    colours = [colour_of(label) for _, label in known]
    sheet = contact_sheet(faces.of(numbers), [str(row) for row in numbers], colours)
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    alt = "Faces of the rows " + ", ".join(map(str, numbers))
    st.image(buffer.getvalue(), caption="Row number under each face; the bar has the label's colour.", alt=alt)


def download(table: pd.DataFrame, name: str, key: str, label: str = "Download CSV") -> None:
    """The whole table as a CSV file, written when it is asked for."""
    st.download_button(
        label, lambda: table.to_csv(index=False), file_name=name, mime="text/csv", key=key, on_click="ignore"
    )


def formats(table: pd.DataFrame) -> dict[str, object]:
    """How columns are shown: fractions as percent or as a bar, row numbers without a thousands mark."""
    config: dict[str, object] = {}
    for column in table.columns:
        if column in {"row", "group"}:
            config[column] = st.column_config.NumberColumn(format="%d")
        elif column in {"confidence", "agreement", "majority_share"}:
            config[column] = st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1)
        elif str(column).startswith("p_"):
            config[column] = st.column_config.NumberColumn(str(column).removeprefix("p_"), format="percent")
    return config
