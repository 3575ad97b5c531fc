"""The exception for bad input; its message is written for the user."""


class LabError(ValueError):
    """Bad input, described in one sentence: what, expected, received, what to do.

    The command line prints the sentence without a traceback and exits with 1.
    """
