"""Results of a sweep over seeds for the index page."""
