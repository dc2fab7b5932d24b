"""One file a study; each registers its table."""
