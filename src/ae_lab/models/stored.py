"""Models on disk: Keras's own format, read with its safe mode on."""

import zipfile
from pathlib import Path

import keras

# Reading a model needs its layers' and losses' classes: these imports register them.
import ae_lab.layers
import ae_lab.losses  # noqa: F401
from ae_lab.errors import LabError
from ae_lab.settings import Settings

KEPT_BY = {
    "undercomplete": "01_dense_autoencoder",
    "classifier": "02_autoencoder_to_cnn",
    "denoising": "03_denoising",
    "sparse": "04_sparse",
    "deep": "05_deep",
    "contractive": "06_contractive",
    "convolutional": "07_convolutional",
    "variational": "08_variational",
}


def find_model(settings: Settings, name: str) -> Path:
    """The file of a model that the profile's report left, by its name; or a ``.keras`` file.

    Raises
    ------
    LabError
        If no notebook keeps a model of that name, or none did yet: the message says which
        command makes it.
    """
    if name.endswith(".keras"):
        return Path(name)
    if name not in KEPT_BY:
        raise LabError(
            f"the model must be one of {', '.join(KEPT_BY)}, or a .keras file, "
            f"received {name!r}: name one of these."
        )
    path = settings.profile_folder / "models" / f"{name}.keras"
    if not path.is_file():
        raise LabError(
            f"the model {name} must be at hand as {path}, found no file there: make it with "
            f"python -m ae_lab report --profile {settings.profile} --notebook {KEPT_BY[name]}"
        )
    return path


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


def load_autoencoder(path) -> keras.Model:
    """``load_model`` for a model with the parts of an autoencoder.

    Raises
    ------
    LabError
        As ``load_model``, or if encoder, bottleneck or decoder is missing.
    """
    model = load_model(path)
    names = {layer.name for layer in model.layers}
    if missing := sorted({"encoder", "bottleneck", "decoder"} - names):
        raise _wrong(Path(path), f"a model without {', '.join(missing)}")
    return model


def _wrong(path: Path, received: str) -> LabError:
    return LabError(
        f"{path} must hold a whole Keras model of this package's layers, received {received}: "
        "delete it and run the report again."
    )
