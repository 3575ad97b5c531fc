"""Images to codes and codes to images, whole arrays at once, for use in other programs."""

import math
import os
import zipfile
from pathlib import Path

import numpy as np

from ae_lab.errors import LabError

LARGEST = 2**31  # bytes of an array when unpacked


def encode_images(model, x) -> np.ndarray:
    """The codes (n, ...) as the decoder gets them; of a variational autoencoder ``z_mean``.

    Parameters
    ----------
    x : float images (n, height, width, channels) in [0, 1].
    """
    import keras

    from ae_lab import evaluation  # imports Keras too, which this module must not

    encoder = model.get_layer("encoder")
    if len(encoder.outputs) == 1:  # what the decoder gets has been through the bottleneck
        encoder = keras.Model(model.input, model.get_layer("bottleneck").output)
    return evaluation.predict(encoder, x)


def decode_codes(model, z) -> np.ndarray:
    """The images (n, height, width, channels) in [0, 1] that a decoder makes of codes (n, ...)."""
    from ae_lab import evaluation

    return evaluation.decode(model, z)


def encode_file(model, source, target, name=None) -> tuple:
    """Encode the images of one file into another; return the shapes read and written.

    Parameters
    ----------
    source : ``.npy`` or ``.npz`` with images (n, 28, 28), (n, 28, 28, 1) or (n, 784), as bytes or
        as floats in [0, 1].
    target : ``.npy`` or ``.npz``, where the array is called ``z``.
    name : which array of an ``.npz``; needless if there is one.

    Raises
    ------
    LabError
        If a file cannot be read, holds something else, or the target's name ends otherwise.
    """
    _check_target(target)
    x = _as_images(source, read_array(source, name), model.input_shape[1:])
    z = encode_images(model, x)
    write_array(target, "z", z)
    return x.shape, z.shape


def decode_file(model, source, target, name=None) -> tuple:
    """Decode the codes of one file into images ``x`` in another; as ``encode_file``."""
    _check_target(target)
    z, shape = read_array(source, name), model.get_layer("decoder").input_shape[1:]
    if z.shape[1:] != shape or not np.issubdtype(z.dtype, np.floating) or not len(z):
        expected = f"floats of shape {('n', *shape)}".replace("'", "")
        raise _wrong(source, expected, f"{z.shape}, dtype {z.dtype}")
    if not np.isfinite(z).all():
        raise _wrong(source, "finite numbers", "NaN or infinity among them")
    x = decode_codes(model, z.astype("float32"))
    write_array(target, "x", x)
    return z.shape, x.shape


def read_array(path, name=None) -> np.ndarray:
    """The array in an ``.npy`` or ``.npz`` file; no pickled objects.

    Raises
    ------
    LabError
        If the file is missing or damaged, or it is not clear which array is meant.
    """
    path = Path(path)
    if not path.is_file():
        raise LabError(f"the arrays must be in a file, found none at {path}: correct the path.")
    try:
        if zipfile.is_zipfile(path):
            return _from_archive(path, name)
        return np.load(path, allow_pickle=False)
    except LabError:
        raise
    except Exception as error:  # damage shows in many ways
        raise _wrong(path, "a whole .npy or .npz file of plain arrays", str(error)) from None


def write_array(path, name: str, array: np.ndarray) -> None:
    """Write ``.npy``, or ``.npz`` with the array under ``name``, through a temporary name."""
    path = Path(path)
    temporary = path.with_name(f"{path.name}.part")
    try:
        with temporary.open("wb") as file:
            if path.suffix == ".npz":
                np.savez_compressed(file, **{name: array})
            else:
                np.save(file, array)
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise LabError(f"{path} cannot be written: {error.strerror}: name another.") from None


def _from_archive(path: Path, name: str | None) -> np.ndarray:
    with zipfile.ZipFile(path) as archive:
        sizes = {entry.filename.removesuffix(".npy"): entry.file_size for entry in archive.filelist}
    known = ", ".join(sizes) or "none"
    if name is None and len(sizes) == 1:
        (name,) = sizes
    if name not in sizes:
        raise LabError(
            f"one array of {path} must be named, received {name}, there are {known}: "
            "name one with --array."
        )
    if sizes[name] > LARGEST:
        raise _wrong(path, f"arrays of at most {LARGEST:,} bytes", f"{sizes[name]:,}")
    with np.load(path, allow_pickle=False) as stored:
        return stored[name]


def _as_images(path, array: np.ndarray, shape: tuple) -> np.ndarray:
    """Floats (n, height, width, channels) in [0, 1], from bytes or floats, flat or not."""
    forms = (shape, shape[:2] if shape[-1] == 1 else shape, (math.prod(shape),))
    if array.shape[1:] not in forms or not len(array):
        expected = " or ".join(str(("n", *form)) for form in dict.fromkeys(forms))
        raise _wrong(path, f"images of shape {expected}".replace("'", ""), f"{array.shape}")
    x = array.reshape(-1, *shape)
    if x.dtype == np.uint8:
        return x.astype(np.float32) / np.float32(255)
    if not np.issubdtype(x.dtype, np.floating) or not (x.min() >= 0 and x.max() <= 1):
        low_high = f"{x.dtype} from {x.min()} to {x.max()}"
        raise _wrong(path, "bytes, or floats in [0, 1]", low_high)
    return x.astype(np.float32)


def _check_target(path) -> None:
    if Path(path).suffix not in (".npy", ".npz"):
        raise LabError(f"the output must be an .npy or .npz file, received {path}: rename it.")


def _wrong(path, expected: str, received: str) -> LabError:
    return LabError(f"{path} must hold {expected}, received {received}: mend the file.")
