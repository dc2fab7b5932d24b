"""One architecture family per file; each registers itself."""
