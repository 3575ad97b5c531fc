"""The index page: results, claims, notebooks, and how to reproduce the report."""
