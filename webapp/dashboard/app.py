"""The dashboard's navigation. On its own: `streamlit run webapp/dashboard/app.py`."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = str(Path(__file__).resolve().parents[2])
if ROOT not in sys.path:  # Streamlit puts this script's folder there, not the project's
    sys.path.insert(0, ROOT)

import streamlit as st  # noqa: E402

st.set_page_config(page_title="FER dashboard", page_icon="🙂", layout="wide")

PAGES = {
    "": [st.Page("pages/overview.py", title="Overview", default=True)],
    "Dataset": [
        st.Page("pages/balance.py", title="Class balance"),
        st.Page("pages/duplicates.py", title="Duplicates and leakage"),
        st.Page("pages/outliers.py", title="Outliers"),
        st.Page("pages/noise.py", title="Label noise"),
    ],
    "Models": [
        st.Page("pages/confusion.py", title="Confusion matrix"),
        st.Page("pages/models.py", title="Models"),
    ],
}

st.navigation(PAGES).run()
