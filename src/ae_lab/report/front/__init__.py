"""The front page: figures, claims, notebooks, and how the report was made."""
