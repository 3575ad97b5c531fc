"""Models in ``.keras`` files, loaded without trusting the file.

A ``.keras`` file is a zip archive: ``config.json`` names the layers, ``model.weights.h5`` holds
the weights. Keras's safe mode refuses Python code in it, but builds any Keras layer that the file
names, of any size. Here a file may name only the layers that this package uses, and may declare
no more weights than it contains. The file is read once: Keras gets exactly what was checked.
"""

import io
import json
import math
import tempfile
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import keras
import numpy as np

from ae_lab import layers as own_layers
from ae_lab.errors import LabError
from ae_lab.files import check_archive, open_regular
from ae_lab.models.blocks import IMAGE_SHAPE

METADATA, CONFIG, WEIGHTS = "metadata.json", "config.json", "model.weights.h5"
TRAINED_ON = "trained_on.json"
# Limits: sizes in bytes about 100 times, numbers about 15 times those of our largest model.
LARGEST = {METADATA: 10_000, TRAINED_ON: 10_000, CONFIG: 1_000_000, WEIGHTS: 500_000_000}
MOST_PARTS = 1_000  # layers, initialisers and tensors that a configuration names
MOST_OBJECTS, DEEPEST = 10_000, 100  # groups and arrays of the weights, and groups around an array
MOST_OUTPUTS = 1_000_000  # outputs of all layers together for one image
BYTES_PER_NUMBER = 4
OWN = {f"ae_lab>{name}" for name in own_layers.__all__}
OF_KERAS = set(
    "Functional InputLayer __keras_tensor__ DTypePolicy Split Identity "
    "Activation Conv2D Conv2DTranspose Cropping2D Dense Dropout Flatten Reshape "
    "GlorotUniform HeNormal Zeros".split()
)


def save_model(model: keras.Model, path: str | Path, about: dict | None = None) -> None:
    """Save ``model`` to the ``.keras`` file at ``path``, with what it was trained on.

    ``about`` is the dataset's `about`, or None if unknown. Keras can still load the file.
    """
    model.save(path)
    if about:
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(zipfile.ZipInfo(TRAINED_ON), json.dumps(about))


def trained_on(path: str | Path) -> dict | None:
    """What the model at ``path`` was trained on, as given to `save_model`; None if not stored.

    Raises a ``LabError`` if it cannot be read or does not have the form of `data.Dataset.about`.
    """
    expected = {"data": str, "sha256": str, "classes": list, "light_on_dark": bool, "digits": bool}
    try:
        with open_regular(Path(path)) as file:
            if TRAINED_ON not in check_archive(file, sum(LARGEST.values())):
                return None
            with zipfile.ZipFile(file) as archive, archive.open(TRAINED_ON) as member:
                about = json.loads(member.read(LARGEST[TRAINED_ON]))
        if not all(isinstance(about[name], kind) for name, kind in expected.items()):
            raise ValueError(f"{about}")
    except Exception as error:  # a damaged file raises many types of exception
        reason = ascii(str(error))[:200]
        raise _wrong(path, f"{TRAINED_ON} with {', '.join(expected)}", reason) from None
    return about


def load_model(path: str | Path) -> keras.Model:
    """Load the model from the ``.keras`` file at ``path``, not compiled; run no code from it.

    A ``LabError`` is raised if the file is missing or damaged, or if it names a layer that this
    package does not use. It is also raised if the file declares more weights than it contains, or
    contains values that are not finite. All of this, except damaged values, is detected before
    memory is allocated.
    """
    path = Path(path)
    if path.suffix != ".keras" or not path.is_file():
        raise LabError(
            f"a model must be a file whose name ends in .keras, found none at {path}: a report "
            "run saves its models under reports/<profile>/models."
        )
    expected = "a whole archive with a configuration"
    try:
        members = _checked_members(path)
        expected = "weights that fit its layers"
        with tempfile.TemporaryDirectory(prefix="ae_lab-") as folder:  # closed to other users
            copy = Path(folder) / path.name
            with zipfile.ZipFile(copy, "w") as archive:
                for name, content in members.items():
                    archive.writestr(name, content)
            model = keras.saving.load_model(copy, compile=False, safe_mode=True)
    except LabError:
        raise
    except Exception as error:  # damage raises errors of zlib, of HDF5, or a missing key
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise _wrong(path, expected, reason) from None
    if not all(np.isfinite(array).all() for array in model.get_weights()):
        raise _wrong(path, "finite weights", "NaN or infinity")
    return model


def load_autoencoder(
    path: str | Path, image_shape: tuple[int, int, int] = IMAGE_SHAPE
) -> keras.Model:
    """``load_model``, plus a check that it is an autoencoder of images ``image_shape``.

    ``path`` is the ``.keras`` file; ``image_shape`` is (height, width, channels) of the model's
    input and output. A ``LabError`` is raised for any other model.
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


def _checked_members(path) -> dict[str, bytes]:
    """The archive's members by name, read after the declared sizes are known to be small enough."""
    with open_regular(path) as file:
        sizes = check_archive(file, sum(LARGEST.values()), (CONFIG, WEIGHTS))
        if others := sizes.keys() - LARGEST:
            raise _wrong(path, f"nothing but {', '.join(LARGEST)}", min(others))
        for name, size in sizes.items():
            if not 0 < size <= LARGEST[name]:
                raise _wrong(path, f"{name} of at most {LARGEST[name]:,} bytes", f"{size:,}")
        with zipfile.ZipFile(file) as archive:  # reads at most the declared number of bytes
            members = {name: archive.open(name).read(size) for name, size in sizes.items()}
    config = json.loads(members[CONFIG])
    config.pop("compile_config", None)  # not read: the model is not compiled
    members[CONFIG] = json.dumps(config).encode()
    for count, part in enumerate(_parts(config)):
        if not _is_allowed(part):
            name = part.get("registered_name") or part["class_name"]
            raise _wrong(path, "only layers of ae_lab and those it uses", repr(name))
        if count >= MOST_PARTS:
            raise _wrong(path, f"at most {MOST_PARTS:,} parts of a model", "more")
    _check_weights(path, members[WEIGHTS])
    numbers, outputs = _numbers_asked_for(config)
    if BYTES_PER_NUMBER * numbers > len(members[WEIGHTS]):
        raise _wrong(path, f"{numbers:,} weights", f"{len(members[WEIGHTS]):,} bytes of them")
    if outputs > MOST_OUTPUTS:
        expected = f"layers with at most {MOST_OUTPUTS:,} outputs per image"
        raise _wrong(path, expected, f"{outputs:,}")
    return members


def _check_weights(path, content):
    """Refuse compressed or external arrays, and all links except hard links."""
    count, total = 0, 0

    def fault(name, link):
        nonlocal count, total
        count += 1
        if count > MOST_OBJECTS or not isinstance(link, h5py.HardLink):
            return f"more than {MOST_OBJECTS:,}" if count > MOST_OBJECTS else f"the link {name!r}"
        if name.count("/") > DEEPEST:
            return f"more than {DEEPEST} nested groups"
        if isinstance(one := file[name], h5py.Group):
            return None
        total += one.nbytes
        plain = one.dtype.kind in "fiu" and one.nbytes == one.id.get_storage_size()
        if not plain or total > len(content):
            return f"{total:,} bytes" if plain else f"another at {name!r}"

    with h5py.File(io.BytesIO(content), "r") as file:
        if received := file.visititems_links(fault):
            raise _wrong(path, "plain arrays of numbers, each once in the file itself", received)


def _parts(config) -> Iterator[dict]:
    """Every part of a configuration, at any depth, that names a class or a function."""
    if isinstance(config, dict):
        if "class_name" in config:
            yield config
        config = list(config.values())
    if isinstance(config, list):
        for part in config:
            yield from _parts(part)


def _is_allowed(part) -> bool:
    """Whether a part is allowed. Keras finds it by its registered or its class name: check both."""
    name, registered = part["class_name"], part.get("registered_name")
    package = str(part.get("module") or "keras").split(".")[0]
    if name == "Split" and part["config"]["indices_or_sections"] != 2:  # each piece costs a tensor
        return False
    if package == "keras" and registered in (None, name):
        return name in OF_KERAS
    return registered in OWN and registered == f"ae_lab>{name}"


def _numbers_asked_for(config) -> tuple[int, int]:
    """Number of weights of the model and of outputs per image, without allocating memory."""

    def outputs(model):
        for layer in model.layers:
            for tensor in keras.tree.flatten(layer.output):
                yield abs(math.prod(size for size in tensor.shape if size is not None))
            if hasattr(layer, "layers"):
                yield from outputs(layer)

    def count():
        with keras.StatelessScope(initialize_variables=False):
            model = keras.saving.deserialize_keras_object(config, safe_mode=True)
            return model.count_params(), sum(outputs(model))

    # Keras keeps a list of postponed variables per thread and creates all of them at the next
    # build. In a separate thread they are never created.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(count).result()


def _wrong(path, expected, received) -> LabError:
    return LabError(
        f"{path} is not a model saved by ae_lab: expected {expected}, received {received}; "
        "name a file that model.save wrote, or train and save the model again."
    )
