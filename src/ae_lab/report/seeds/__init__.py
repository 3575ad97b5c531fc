"""What a sweep over seeds adds to the front page."""
