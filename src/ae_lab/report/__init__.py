"""From notebooks to pages: execute, render, and the index that sums them up.

Nothing here imports Keras; nbclient and nbconvert are imported by the functions that
need them, so that a run with nothing to do ends at once.
"""
