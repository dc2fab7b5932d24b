"""One kind of features a file."""
