"""From raw files to a validated face table, and from there to batches."""
