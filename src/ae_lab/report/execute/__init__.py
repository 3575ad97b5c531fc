"""Run a notebook in its own kernel and store the result."""
