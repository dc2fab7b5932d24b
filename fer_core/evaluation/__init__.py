"""From a classifier and a dataset to a predictions table, and from that to an evaluation report."""
