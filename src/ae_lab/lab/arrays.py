"""From files of images to files of codes and back, for use in other programs."""

import math
from pathlib import Path
from typing import Any

import numpy as np

from ae_lab.data.custom import to_bytes
from ae_lab.data.formats import arrays_in, read_safely, wrong
from ae_lab.errors import LabError
from ae_lab.files import check_not_read, write_whole

LARGEST = 2**31  # bytes of an array as 32-bit floats


def encode_file(model: Any, source: str, target: str, name: str | None = None) -> tuple:
    """Encode the images in one file and write the codes to another; return both shapes.

    A LabError is raised if a file cannot be read or written, or does not contain images.

    Parameters
    ----------
    model : an autoencoder of `models`.
    source : ``.npy``, ``.npz`` or another format of `data.formats` with images (n, 28, 28),
        (n, 28, 28, 1) or (n, 784), as bytes, whole numbers up to 255 or floats in [0, 1].
    target : ``.npy`` or ``.npz`` file for the codes; in ``.npz`` the array is named ``z``.
    name : name of the array in an ``.npz``; None if it contains only one.
    """
    from ae_lab import evaluation  # imports Keras, which this module must not import

    x, size = _read(source, target, name), math.prod(model.input_shape[1:])
    shape = x.shape
    if not len(x) or math.prod(x.shape[1:]) != size:
        raise _wrong(source, f"images of {size} pixels", f"shape {x.shape}")
    try:
        in_bytes = to_bytes("x", x, [])
    except LabError as error:
        raise LabError(f"{source}: {error}") from None
    if not (x.dtype.kind == "f" and x.max() <= 1):
        x = in_bytes / np.float32(255)
    x = x.reshape(-1, *model.input_shape[1:]).astype("float32", copy=False)
    return shape, _write(target, z=evaluation.encode(model, x))


def decode_file(model: Any, source: str, target: str, name: str | None = None) -> tuple:
    """Decode the codes in ``source`` and write images ``x`` to ``target``; return both shapes.

    ``model``, ``name`` and the errors are as in ``encode_file``.
    """
    from ae_lab import evaluation

    z = _read(source, target, name)
    size = math.prod(model.get_layer("decoder").input_shape[1:])
    if not len(z) or math.prod(z.shape[1:]) != size or not np.issubdtype(z.dtype, np.floating):
        raise _wrong(source, f"codes of {size} floats each", f"{z.dtype} of shape {z.shape}")
    if not np.isfinite(z).all():
        raise _wrong(source, "finite numbers", "NaN or infinity")
    return z.shape, _write(target, x=evaluation.decode(model, z.astype("float32", copy=False)))


def _read(path: str, target: str, name: str | None) -> np.ndarray:
    if Path(target).suffix not in (".npy", ".npz"):
        raise LabError(f"the output must be an .npy or .npz file, received {target}: rename it.")
    if not Path(path).is_file():
        raise LabError(f"the arrays must be in a file, found none at {path}: correct the path.")
    if not Path(target).parent.is_dir():
        raise LabError(f"{target} cannot be written: create its folder, or name another file.")
    check_not_read(target, path)
    try:
        found = {one.origin.partition("/")[2]: one for one in arrays_in(Path(path))}
        if name is None and len(found) == 1:
            (name,) = found
        if name not in found:
            raise LabError(f"--array must name one of {list(found)}, received {name}: name one.")
        one = found[name]
        if one.dtype.kind not in "biuf" and not one.dtype.hasobject:
            raise wrong("plain arrays of real numbers", f"dtype {one.dtype}", "convert them")
        if (size := 4 * math.prod(one.shape)) > LARGEST:
            expected = f"an array of at most {LARGEST:,} bytes as floats"
            raise wrong(expected, f"{size:,}", "split it")
        return np.atleast_1d(read_safely(one))
    except (LabError, OSError) as error:
        raise LabError(f"{path}: {error}") from None


def _write(path: str, **array: np.ndarray) -> tuple:
    """Write one array completely or not at all; after a failure an older file remains."""
    (values,) = array.values()
    try:
        if path.endswith("z"):
            write_whole(Path(path), lambda part: np.savez_compressed(part, **array))
        else:
            write_whole(Path(path), lambda part: np.save(part, values))
    except OSError as error:
        raise LabError(f"{path} cannot be written ({error.strerror}): name another file.") from None
    return values.shape


def _wrong(path: str, expected: str, received: str) -> LabError:
    return LabError(f"{path} must hold {expected}, received {received}: correct the file.")
