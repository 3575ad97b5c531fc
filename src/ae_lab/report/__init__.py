"""From notebooks to pages: execution, rendering, and the index page.

This package does not import Keras. The functions that need nbclient and nbconvert import them, so
a run with nothing to do ends immediately.
"""
