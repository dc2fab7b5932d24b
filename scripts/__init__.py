"""Thin commands over fer_core; each is run from the repository root as `python -m scripts.<name>`."""
