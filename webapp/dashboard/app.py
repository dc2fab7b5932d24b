"""The dashboard's navigation. On its own: `streamlit run webapp/dashboard/app.py`.

The pages lie in `views/`: a folder named `pages/` beside this script would make Streamlit run the page of a deep link
by itself, without this navigation, as long as nobody has opened the first page.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = str(Path(__file__).resolve().parents[2])
if ROOT not in sys.path:  # Streamlit puts this script's folder there, not the project's
    sys.path.insert(0, ROOT)

import streamlit as st  # noqa: E402

from webapp.settings import SITE_VARIABLE  # noqa: E402

st.set_page_config(page_title="FER dashboard", page_icon="🙂", layout="wide")

PAGES = {
    "": [st.Page("views/overview.py", title="Overview", default=True)],
    "Dataset": [
        st.Page("views/balance.py", title="Class balance"),
        st.Page("views/duplicates.py", title="Duplicates and leakage"),
        st.Page("views/outliers.py", title="Outliers"),
        st.Page("views/noise.py", title="Label noise"),
    ],
    "Models": [
        st.Page("views/confusion.py", title="Confusion matrix"),
        st.Page("views/models.py", title="Models"),
        st.Page("views/studies.py", title="Studies"),
    ],
}

SITE = '<a href="/" target="_self">FER</a> &nbsp; <a href="/demo/" target="_self">Demo</a>'

if os.environ.get(SITE_VARIABLE):
    st.sidebar.markdown(SITE, unsafe_allow_html=True)
st.navigation(PAGES).run()
