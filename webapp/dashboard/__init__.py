"""The dashboard (Streamlit): what is in the dataset, and how well the checkpoints read it."""
