"""The one exception a user is meant to read."""


class LabError(ValueError):
    """Bad input, said in one sentence: what, expected, received, what to do.

    The command line prints the sentence without a traceback and exits with 1.
    """
