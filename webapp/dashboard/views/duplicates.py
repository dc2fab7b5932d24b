"""Duplicates and leakage: the same image twice, with two labels, or in two splits."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from fer_core.figures import dataset as figures
from fer_core.figures import dataset_tables, matrix
from webapp.dashboard import resources, state
from webapp.dashboard.components import layout, lists

KINDS = {"exact": "Byte-identical", "near": "Look alike"}
ALL, CONFLICTS, CROSSING, BOTH = "all groups", "conflicting labels", "across splits", "conflicting and across splits"
GROUPS_A_PAGE = 10


def show_key_figures(exact: pd.DataFrame, near: pd.DataFrame) -> None:
    members = exact["size"]
    conflicts = exact[exact["conflicting"]]
    layout.key_figures(
        [
            ("Equal groups", f"{len(exact):,}", "groups of images that are equal byte by byte"),
            ("Surplus copies", f"{int((members - 1).sum()):,}", "images beyond the first of their group"),
            ("Conflicting", f"{len(conflicts):,}", "groups of equal images that carry more than one label"),
            (
                "Images in them",
                f"{int(conflicts['size'].sum()):,}",
                "images in conflicting groups; some of their labels must be wrong",
            ),
            ("Look-alikes", f"{len(near):,}", "groups of images that look the same, byte by byte equal or not"),
        ]
    )


def show_leakage(rows: pd.DataFrame) -> None:
    st.subheader("Leakage")
    layout.figure(
        figures.leakage(dataset_tables.leakage(rows)),
        "leakage",
        "Test images that a model has already seen in training, byte by byte. They reward memory; every accuracy here "
        "is therefore also given on the test set without them." + _look_alikes(rows),
    )


def _look_alikes(rows: pd.DataFrame) -> str:
    found = [f"{count:,} of {split}" for split, count in dataset_tables.near_leakage(rows).items()]
    return f" Counting look-alikes too, {' and '.join(found)} have a twin in training." if found else ""


def show_sizes(groups: pd.DataFrame) -> None:
    st.subheader("Group sizes")
    layout.figure(
        figures.group_sizes(dataset_tables.group_sizes(groups)),
        "group_sizes",
        "How many groups have two, three, or more copies (logarithmic axis). Large groups are mostly stock photos "
        "and placeholder pictures of sites that had removed the original.",
    )


def show_conflicts(rows: pd.DataFrame) -> None:
    st.subheader("Conflicting labels")
    pairs = dataset_tables.conflict_pairs(rows)
    if not pairs.to_numpy().any():
        st.success("No group of identical images carries two labels.")
        return
    layout.figure(
        matrix.cross_table(pairs, shown=pairs.to_numpy() > 0, unit="groups"),
        "conflict_pairs",
        "Groups of identical images that carry both labels of a pair. Nobody can be right on all copies, so this is "
        "a floor under every model's error, and it shows which emotions the annotators themselves confused.",
    )


def scoped(groups: pd.DataFrame, scope: str) -> pd.DataFrame:
    mask = pd.Series(True, index=groups.index)
    if scope in (CONFLICTS, BOTH):
        mask &= groups["conflicting"]
    if scope in (CROSSING, BOTH):
        mask &= groups["crosses_splits"]
    return groups[mask]


def filters() -> tuple[str, str]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.segmented_control(
            "Same",
            list(KINDS),
            default="exact",
            format_func=KINDS.__getitem__,
            **state.kept(state.GROUP_KIND, turns=state.GROUP_PAGE),
        )
        scopes = [ALL, CONFLICTS, CROSSING, BOTH]
        scope = st.selectbox("Show", scopes, width=280, **state.kept(state.GROUP_SCOPE, turns=state.GROUP_PAGE))
        layout.reset_button("duplicates")
    return kind or "exact", scope


def show_groups(rows: pd.DataFrame, by_kind: dict[str, pd.DataFrame]) -> None:
    st.subheader("Browse the groups")
    kind, scope = filters()
    groups = scoped(by_kind[kind], scope)
    if groups.empty:
        st.info("There is no such group.")
        return
    st.caption(f"{len(groups):,} groups, {int(groups['size'].sum()):,} images. Choose a line to see its images.")
    part = lists.page_of(groups.reset_index(), state.GROUP_PAGE, GROUPS_A_PAGE)
    shown = part.assign(rows=[", ".join(map(str, numbers)) for numbers in part["rows"]])
    order = ["group", "size", "labels", "splits", "conflicting", "crosses_splits", "rows"]
    event = st.dataframe(
        shown, hide_index=True, column_order=order, column_config=lists.formats(shown), on_select="rerun",
        selection_mode="single-row", key=f"{state.GROUP_CHOSEN}_{kind}_{scope}_{part.index[0]}",
    )  # fmt: skip
    everything = groups.reset_index().assign(rows=[" ".join(map(str, numbers)) for numbers in groups["rows"]])
    lists.download(everything, f"{kind}_groups.csv", "groups_csv")
    show_members(rows, part, event["selection"]["rows"])


def show_members(rows: pd.DataFrame, part: pd.DataFrame, chosen: list[int]) -> None:
    """The images of the chosen group, or where faces are there and none is chosen, of the page's groups."""
    faces = resources.faces()
    if not chosen and faces is None:
        layout.no_faces()
        return
    if chosen:
        line = part.iloc[chosen[0]]
        st.markdown(f"**Group {line['group']}**")
        members = members_of(rows, list(line["rows"]))
        lists.table_and_faces(members[["row", "split", "label"]], faces, label="label", key="group_members")
    elif faces is not None:
        show_lines(rows, part, faces)


def members_of(rows: pd.DataFrame, numbers: list[int]) -> pd.DataFrame:
    members = rows.set_index("row").loc[numbers].reset_index()
    return members.assign(label=dataset_tables.label_names(members))


def show_lines(rows: pd.DataFrame, part: pd.DataFrame, faces: resources.Faces) -> None:
    """The first images of each group of the page, a line of faces for each."""
    columns = min(max(part["size"].max(), 4), lists.COLUMNS)
    numbers = [row for line in part["rows"] for row in line[:columns]]
    places = [
        index * columns + place for index, line in enumerate(part["rows"]) for place in range(min(len(line), columns))
    ]
    labels = members_of(rows, numbers)["label"].tolist()
    lists.show_faces(faces, numbers, labels, columns=columns, places=places)
    st.caption(f"A line of faces for each line of the table, at most {columns} of a group.")


def show(rows: pd.DataFrame) -> None:
    by_kind = {"exact": resources.groups("exact"), "near": resources.groups("near")}
    show_key_figures(by_kind["exact"], by_kind["near"])
    leakage, sizes = st.columns(2, gap="large")
    with leakage:
        show_leakage(rows)
    with sizes:
        show_sizes(by_kind["exact"])
    show_conflicts(rows)
    show_groups(rows, by_kind)


layout.heading(
    "Duplicates and leakage", "Which images occur more than once, with more than one label, or in two splits?"
)
if (source := resources.source()) is None:
    layout.no_dataset()
else:
    show(source.rows)
