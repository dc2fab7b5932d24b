"""One file a kind of row; each adds its runner to RUNNERS."""
