"""Files of images to files of codes and back, for use in other programs."""

import math
import os
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ae_lab.data.download import first_line
from ae_lab.errors import LabError
from ae_lab.files import check_archive, open_regular, write_whole

LARGEST = 2**31  # bytes of an array as 32-bit floats
MOST_MEMBERS = 100  # times as much may be in an archive of several


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
    shape = x.shape
    if not len(x) or math.prod(x.shape[1:]) != size:
        raise _wrong(source, f"images of {size} pixels", f"shape {x.shape}")
    if x.dtype == np.uint8:
        x = x / np.float32(255)
    if not np.issubdtype(x.dtype, np.floating) or not (x.min() >= 0 and x.max() <= 1):
        raise _wrong(source, "bytes, or floats in [0, 1]", f"{x.dtype} from {x.min()} to {x.max()}")
    x = x.reshape(-1, *model.input_shape[1:]).astype("float32", copy=False)
    z = evaluation.encode(model, x)
    return shape, _write(target, z=z)


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
    return z.shape, _write(target, x=evaluation.decode(model, z.astype("float32", copy=False)))


def _read(path: str, target: str, name: str | None) -> np.ndarray:
    if Path(target).suffix not in (".npy", ".npz"):
        raise LabError(f"the output must be an .npy or .npz file, received {target}: rename it.")
    if not Path(path).is_file():
        raise LabError(f"the arrays must be in a file, found none at {path}: correct the path.")
    try:
        with open_regular(Path(path)) as file:
            if not zipfile.is_zipfile(file):
                file.seek(0)
                return _read_array(path, file, os.fstat(file.fileno()).st_size)
            sizes = check_archive(file, MOST_MEMBERS * LARGEST)
            names = [one.removesuffix(".npy") for one in sizes if one.endswith(".npy")]
            name = name or (names[0] if len(names) == 1 else None)
            if name not in names:
                raise _wrong(path, "the array that --array names", f"{name}, there are {names}")
            with zipfile.ZipFile(file) as archive, archive.open(f"{name}.npy") as member:
                return _read_array(path, member, sizes[f"{name}.npy"])
    except LabError:
        raise
    except Exception as error:  # damage shows in many ways
        raise _wrong(path, "a whole .npy or .npz file of plain arrays", first_line(error)) from None


def _read_array(path: str, file: BinaryIO, size: int) -> np.ndarray:
    """The array in a file of ``size`` bytes, once its own header says that it fits there."""
    version = "{}_{}".format(*np.lib.format.read_magic(file))
    shape, _, dtype = getattr(np.lib.format, f"read_array_header_{version}")(file)
    if dtype.kind not in "biuf":
        raise _wrong(path, "plain arrays of real numbers", f"dtype {dtype}")
    if (asked := math.prod(shape) * 4) > LARGEST:  # as 32-bit floats
        raise _wrong(path, f"arrays of at most {LARGEST:,} bytes as floats", f"{asked:,}")
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize > size:
        raise _wrong(path, f"an array of shape {shape}", f"{size:,} bytes of it")
    file.seek(0)
    return np.lib.format.read_array(file, allow_pickle=False)


def _write(path: str, **array: np.ndarray) -> tuple:
    """Write one array whole; an older file stays if that fails."""
    (values,) = array.values()
    if not Path(path).parent.is_dir():
        raise LabError(f"{path} cannot be written: there is no such folder: name another.")
    try:
        write_whole(
            Path(path),
            lambda part: (
                np.savez_compressed(part, **array) if path.endswith("z") else np.save(part, values)
            ),
        )
    except OSError as error:
        raise LabError(f"{path} cannot be written: {error.strerror}: name another.") from None
    return values.shape


def _wrong(path: str, expected: str, received: str) -> LabError:
    return LabError(f"{path} must hold {expected}, received {received}: correct the file.")
