"""Run a notebook in a kernel of its own and keep what came out."""
