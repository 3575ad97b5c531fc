"""Interactive parts of a page: draw a digit and see its reconstruction, or train a network."""
