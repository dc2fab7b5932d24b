"""Figures: plain functions from a DataFrame or an array to a Plotly figure; they know no toolkit."""
