"""Models in ``.keras`` files, read back without trusting the file.

A ``.keras`` file is a zip archive: ``config.json`` names the layers, ``model.weights.h5`` holds
their numbers. Keras's safe mode refuses Python code in it, but builds any layer of Keras that
the file names, of any size. Here a file may name only what this package builds from, and may
ask for no more numbers than it brings.
"""

import json
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np

from ae_lab import layers as own_layers
from ae_lab.errors import LabError
from ae_lab.models.blocks import IMAGE_SHAPE

CONFIG, WEIGHTS, TRAINED_ON = "config.json", "model.weights.h5", "trained_on.json"
LARGEST = {CONFIG: 1_000_000, WEIGHTS: 500_000_000}  # bytes; some hundred times what ours take
BYTES_PER_NUMBER = 4
OWN = {f"ae_lab>{name}" for name in own_layers.__all__}
OF_KERAS = set(
    "Functional InputLayer __keras_tensor__ DTypePolicy Split Identity "
    "Activation Conv2D Conv2DTranspose Cropping2D Dense Dropout Flatten Reshape "
    "GlorotUniform HeNormal Zeros".split()
)


def save_model(model: keras.Model, path: str | Path, about: dict | None = None) -> None:
    """Save ``model`` to the ``.keras`` file at ``path``, and beside it what it was trained on.

    ``about`` is a dataset's own `about`; None if it is not known. Keras reads the file as before.
    """
    model.save(path)
    if about:
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(zipfile.ZipInfo(TRAINED_ON), json.dumps(about))


def trained_on(path: str | Path) -> dict | None:
    """What the model at ``path`` was trained on, as `save_model` took it; None if it was not said.

    A ``LabError`` says that it cannot be read, or is not of the form of `data.Dataset.about`.
    """
    expected = {"data": str, "sha256": str, "classes": list, "light_on_dark": bool, "digits": bool}
    try:
        with zipfile.ZipFile(path) as archive:
            if TRAINED_ON not in archive.namelist():
                return None
            with archive.open(TRAINED_ON) as member:
                about = json.loads(member.read(10_000))
        if not all(isinstance(about[name], kind) for name, kind in expected.items()):
            raise ValueError(f"{about}")
    except Exception as error:  # damage shows in many ways
        reason = ascii(str(error))[:200]
        raise _wrong(path, f"{TRAINED_ON} with {', '.join(expected)}", reason) from None
    return about


def load_model(path: str | Path) -> keras.Model:
    """The model in the ``.keras`` file at ``path``, not compiled; nothing in it is run.

    A ``LabError`` says that there is no such file, that it is damaged, names a layer that is not of
    this package or one of those it builds from, asks for more numbers than it holds, or holds some
    that are not finite. All but damage in the numbers is found before memory is spent.
    """
    path = Path(path)
    if path.suffix != ".keras" or not path.is_file():
        raise LabError(
            f"a model must be a file whose name ends in .keras, found none at {path}: a report "
            "run leaves its models under reports/<profile>/models."
        )
    expected = "a whole archive with a configuration"
    try:
        _check_file(path)
        expected = "weights that fit its layers"
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except LabError:
        raise
    except Exception as error:  # damage shows in many ways: zlib's, HDF5's, a missing key
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise _wrong(path, expected, reason) from None
    if not all(np.isfinite(array).all() for array in model.get_weights()):
        raise _wrong(path, "finite weights", "NaN or infinity")
    return model


def load_autoencoder(
    path: str | Path, image_shape: tuple[int, int, int] = IMAGE_SHAPE
) -> keras.Model:
    """``load_model`` of ``path`` for an autoencoder of images ``image_shape``, else a `LabError`.

    The shape is (height, width, channels), of what the model takes and gives.
    """
    model = load_model(path)
    names = {layer.name for layer in getattr(model, "layers", [])}
    if missing := {"encoder", "bottleneck", "decoder"} - names:
        raise _wrong(path, "an autoencoder", f"a model without {', '.join(sorted(missing))}")
    shapes = model.input_shape, model.output_shape
    if shapes != ((None, *image_shape),) * 2:
        expected = f"a model of images {tuple(image_shape)}"
        raise _wrong(path, expected, " to ".join(map(str, shapes)))
    return model


def _check_file(path):
    with zipfile.ZipFile(path) as archive:
        # the sizes that the archive declares: the reader unpacks no more than that
        sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
        if len(sizes) < len(archive.infolist()):
            raise _wrong(path, "each name once in the archive", "a name twice")
        for name, largest in LARGEST.items():
            if not 0 < sizes.get(name, 0) <= largest:
                received = f"{sizes[name]:,} bytes" if name in sizes else "none"
                raise _wrong(path, f"{name} of at most {largest:,} bytes", received)
        config = json.loads(archive.read(CONFIG))
    config.pop("compile_config", None)  # not read: the model is not compiled
    for part in _parts(config):
        if not _is_allowed(part):
            name = part.get("registered_name") or part["class_name"]
            raise _wrong(path, "layers of ae_lab and the few it builds from", repr(name))
    numbers = _numbers_asked_for(config)
    if BYTES_PER_NUMBER * numbers > sizes[WEIGHTS]:
        raise _wrong(path, f"{numbers:,} weights", f"{sizes[WEIGHTS]:,} bytes of them")


def _parts(config) -> Iterator[dict]:
    """Every part of a configuration, at any depth, that names a class or function."""
    if isinstance(config, dict):
        if "class_name" in config:
            yield config
        config = list(config.values())
    if isinstance(config, list):
        for part in config:
            yield from _parts(part)


def _is_allowed(part) -> bool:
    """Keras looks a registered name up first, some class names before that: both must be ours."""
    name, registered = part["class_name"], part.get("registered_name")
    package = str(part.get("module") or "keras").split(".")[0]
    if package == "keras" and registered in (None, name):
        return name in OF_KERAS
    return registered in OWN and registered == f"ae_lab>{name}"


def _numbers_asked_for(config) -> int:
    """How many weights the model would have; none of them is allocated."""

    def count():
        with keras.StatelessScope(initialize_variables=False):
            return keras.saving.deserialize_keras_object(config, safe_mode=True).count_params()

    # Keras keeps a list per thread of the variables to be made later, and makes all of them the
    # next time anything is built: in a thread of their own these are never made.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(count).result()


def _wrong(path, expected, received) -> LabError:
    return LabError(
        f"{path} is not a model saved by ae_lab: expected {expected}, received {received}; "
        "name a file that model.save wrote, or train and save the model again."
    )
