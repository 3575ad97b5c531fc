"""Models on disk: Keras's own format, read with its safe mode on."""

import zipfile
from pathlib import Path

import keras

# Reading a model needs its layers' and losses' classes: these imports register them.
import ae_lab.layers
import ae_lab.losses  # noqa: F401
from ae_lab.errors import LabError


def load_model(path) -> keras.Model:
    """The model in a ``.keras`` file, as ``Lab.keep_model`` writes it, ready to predict.

    Safe mode is on: a file cannot bring code of its own.

    Raises
    ------
    LabError
        If there is no such file, it was cut off, is no Keras model, or is made of layers that
        are not Keras's or this package's.
    """
    path = Path(path)
    if not path.is_file():
        raise LabError(
            f"a model must be a file, found none at {path}: a report run leaves its models "
            "under reports/<profile>/models."
        )
    if not zipfile.is_zipfile(path):
        raise _wrong(path, "no archive, or one that was cut off")
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # damage and foreign classes show in many ways
        raise _wrong(path, (str(error) or type(error).__name__).strip().splitlines()[0]) from None


def _wrong(path: Path, received: str) -> LabError:
    return LabError(
        f"{path} must hold a whole Keras model of this package's layers, received {received}: "
        "delete it and run the report again."
    )
