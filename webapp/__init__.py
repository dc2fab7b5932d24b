"""The web app: a landing page, a demo for photos (Gradio) and a dashboard for the data (Streamlit), on one address."""
