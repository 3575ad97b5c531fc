"""Keras without the log lines that its backend writes when nothing is wrong."""

import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


def import_keras():
    """Import and return the module ``keras``; print nothing unless the import fails."""
    if "keras" not in sys.modules:
        with start_log_held_back():
            import keras  # noqa: F401
    return sys.modules["keras"]


@contextmanager
def start_log_held_back() -> Iterator[None]:
    """Capture what is written to file descriptor 2; print it only if an error follows.

    TensorFlow's C++ code writes there during import, whatever the value of TF_CPP_MIN_LOG_LEVEL.
    """
    if sys.stderr is None:  # descriptor 2 is closed
        yield
        return
    sys.stderr.flush()
    with tempfile.TemporaryFile() as log:
        terminal = os.dup(2)
        os.dup2(log.fileno(), 2)
        try:
            yield
        except BaseException:
            log.seek(0)
            os.write(terminal, log.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)


@contextmanager
def retracing_held_back() -> Iterator[None]:
    """Suppress TensorFlow's warnings about retracing.

    TensorFlow warns because each model is a new program. A notebook trains and measures many
    models, so this is no mistake here.
    """
    logger = logging.getLogger("tensorflow")
    logger.addFilter(_no_retracing)
    try:
        yield
    finally:
        logger.removeFilter(_no_retracing)


def _no_retracing(record: logging.LogRecord) -> bool:
    return "retracing" not in record.getMessage()
