"""One family of methods a file."""
