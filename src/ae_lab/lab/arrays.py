"""Files of images to files of codes and back, for use in other programs."""

import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from ae_lab.errors import LabError

LARGEST = 2**31  # bytes of an array when unpacked


def encode_file(model: Any, source: str, target: str, name: str | None = None) -> tuple:
    """Encode the images of one file into another; return the shapes read and written.

    A LabError says that a file cannot be read or written, or holds something else.

    Parameters
    ----------
    model : an autoencoder of `models`.
    source : ``.npy`` or ``.npz`` with images (n, 28, 28), (n, 28, 28, 1) or (n, 784), as bytes or
        as floats in [0, 1].
    target : ``.npy`` or ``.npz``, where the array is called ``z``.
    name : which array of an ``.npz``; None if it has one only.
    """
    from ae_lab import evaluation  # imports Keras, which this module must not

    x, size = _read(source, target, name), math.prod(model.input_shape[1:])
    if not len(x) or math.prod(x.shape[1:]) != size:
        raise _wrong(source, f"images of {size} pixels", f"shape {x.shape}")
    if x.dtype == np.uint8:
        x = x / np.float32(255)
    if not np.issubdtype(x.dtype, np.floating) or not (x.min() >= 0 and x.max() <= 1):
        raise _wrong(source, "bytes, or floats in [0, 1]", f"{x.dtype} from {x.min()} to {x.max()}")
    z = evaluation.encode(model, x.reshape(-1, *model.input_shape[1:]).astype("float32"))
    return x.shape, _write(target, z=z)


def decode_file(model: Any, source: str, target: str, name: str | None = None) -> tuple:
    """Decode the codes in ``source`` into images ``x`` in ``target``; return the shapes.

    ``model``, ``name`` and the errors are those of ``encode_file``.
    """
    from ae_lab import evaluation

    z = _read(source, target, name)
    size = math.prod(model.get_layer("decoder").input_shape[1:])
    if not len(z) or math.prod(z.shape[1:]) != size or not np.issubdtype(z.dtype, np.floating):
        raise _wrong(source, f"codes of {size} floats each", f"{z.dtype} of shape {z.shape}")
    if not np.isfinite(z).all():
        raise _wrong(source, "finite numbers", "NaN or infinity among them")
    return z.shape, _write(target, x=evaluation.decode(model, z.astype("float32")))


def _read(path: str, target: str, name: str | None) -> np.ndarray:
    if Path(target).suffix not in (".npy", ".npz"):
        raise LabError(f"the output must be an .npy or .npz file, received {target}: rename it.")
    if not Path(path).is_file():
        raise LabError(f"the arrays must be in a file, found none at {path}: correct the path.")
    try:
        found = np.load(path, allow_pickle=False)
        if isinstance(found, np.ndarray):
            return found
        with found:
            name = name or (found.files[0] if len(found.files) == 1 else None)
            size = found.zip.getinfo(f"{name}.npy").file_size if name in found.files else 0
            if 0 < size <= LARGEST:
                return found[name]
    except Exception as error:  # damage shows in many ways
        raise _wrong(path, "a whole .npy or .npz file of plain arrays", str(error)) from None
    if size:
        raise _wrong(path, f"arrays of at most {LARGEST:,} bytes", f"{size:,}")
    raise _wrong(path, "the array that --array names", f"{name}, there are {found.files}")


def _write(path: str, **array: np.ndarray) -> tuple:
    """Write one array, under a temporary name first; an older file stays if that fails."""
    (values,) = array.values()
    part = Path(f"{path}.part")
    try:
        with part.open("wb") as file:
            np.savez_compressed(file, **array) if path.endswith("z") else np.save(file, values)
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise LabError(f"{path} cannot be written: {error.strerror}: name another.") from None
    return values.shape


def _wrong(path: str, expected: str, received: str) -> LabError:
    return LabError(f"{path} must hold {expected}, received {received}: correct the file.")
