"""From notebooks to pages: execution, rendering, and the index page.

This package does not import Keras. Only the functions that need nbclient or nbconvert import them.
A run with nothing to do therefore ends immediately.
"""
