"""The arrays in one file, measured by what it declares before memory is spent.

A file is known by its first bytes, whatever its name, and nothing in it is run: pickles are
refused. A ``LabError`` of this file has no path in it yet; the caller puts it in front.
"""

import gzip
import io
import math
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from ae_lab.data.download import first_line
from ae_lab.errors import LabError
from ae_lab.files import check_archive

LARGEST = 2**30  # bytes of all arrays when unpacked: 87,000 images of 64x64 in colour
SAVE = 'np.savez("mine.npz", x_train=a, y_train=b, x_test=c, y_test=d)'
IDX_TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
NPY_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
PICTURE = "one picture", "name a folder of class folders, or give it to the verb reconstruct"
PICKLE = (
    "a pickle, which can run any program when it is read",
    "MNIST itself needs no file, it is downloaded; what you trust, convert in Python: (a, b), _, "
    f'(c, d) = pickle.load(gzip.open("mnist.pkl.gz"), encoding="latin1"); {SAVE}',
)
REFUSED = {  # first bytes: what that is, what to do
    b"\x80": PICKLE,
    b"PAR1": (
        "a Parquet file",
        "convert it in Python: t = pandas.read_parquet(path); a = np.stack([np.asarray("
        f'Image.open(io.BytesIO(i["bytes"]))) for i in t.image]); b = t.label; {SAVE}',
    ),
    b"\x89PNG": PICTURE,
    b"\xff\xd8\xff": PICTURE,
    b"GIF8": PICTURE,
    b"RIFF": PICTURE,
}


class Stored(NamedTuple):
    """An array in a file: its declared shape and dtype, how it is read, and where it is."""

    shape: tuple[int, ...]
    dtype: np.dtype
    read: Callable[[], np.ndarray]
    origin: str


def wrong(expected: str, received: str, do: str) -> LabError:
    """The one sentence of this package's data, without the path that stands in front of it."""
    return LabError(f"expected {expected}, received {received}: {do}.")


def arrays_in(path: Path) -> dict[str, Stored]:
    """The arrays of a file by name, none of them read yet (tables and MATLAB's excepted).

    Parameters
    ----------
    path : an ``.npz`` or ``.npy``, IDX or CSV file (these two also in gzip), HDF5 or MATLAB. An
        array that has no name of its own has an empty one, the columns of a table are "x" and "y".

    Raises
    ------
    LabError
        If it is something else (with the way to convert it), is damaged, or takes more than
        ``LARGEST`` bytes.
    """
    try:
        with _opened(path) as file:
            start = file.read(520)
        arrays = _reader(path, start)(path)
    except LabError:
        raise
    except Exception as error:  # damage shows in many ways
        raise wrong("a readable file", first_line(error), "save or download it again") from None
    sizes = {name: math.prod(one.shape) * one.dtype.itemsize for name, one in arrays.items()}
    if (size := sum(sizes.values())) > LARGEST:
        raise wrong(f"at most {LARGEST:,} bytes of arrays", f"{size:,}", "keep fewer images")
    return arrays


def read_safely(stored: Stored) -> np.ndarray:
    """``stored.read()``; what goes wrong is a ``LabError``."""
    if stored.dtype.hasobject:
        do = "save labels as .astype(str), images as np.stack(list(x))"
        raise wrong("plain arrays", f"dtype {stored.dtype} in {stored.origin}", do)
    try:
        return stored.read()
    except Exception as error:
        received = f"{first_line(error)} in {stored.origin}"
        raise wrong("a readable file", received, "save or download it again") from None


def _reader(path: Path, start: bytes) -> Callable[[Path], dict[str, Stored]]:
    if start.startswith(b"PK"):
        return _npz
    if start.startswith(b"\x93NUMPY"):
        return _npy
    if start[:2] == b"\0\0" and len(start) > 4 and start[2] in IDX_TYPES and 0 < start[3] < 5:
        return _idx
    if b"\x89HDF\r\n" in (start[:6], start[512:518]):  # MATLAB 7.3 puts 512 bytes in front
        return partial(_hdf5, turned=start.startswith(b"MATLAB"))
    if start.startswith(b"MATLAB 5.0"):
        return _mat
    for first, (received, do) in REFUSED.items():
        if start.startswith(first) or (first == b"\x80" and ".pkl" in path.name.lower()):
            raise wrong("a file of arrays", received, do)
    if not start or b"\0" in start:
        do = f"convert it in Python: a = np.fromfile(path, np.uint8).reshape(-1, 28, 28); {SAVE}"
        received = "bytes of no known format" if start else "an empty file"
        raise wrong("a file of arrays (.npz, IDX, CSV, HDF5, MATLAB)", received, do)
    return _table


def _opened(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path) if packed else path.open("rb")


def _npz(path: Path) -> dict[str, Stored]:
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".npy")]
        if any(name.endswith("data.pkl") for name in archive.namelist()):
            do = f"convert it in Python: a, b = (t.numpy() for t in torch.load(path)); {SAVE}"
            raise wrong("a file of arrays", "a pickle of PyTorch", do)
        if not names:
            raise wrong("an .npz file", "a zip file without arrays", "unpack it first")
        sizes = check_archive(path, LARGEST)
        arrays = {}
        for name in names:
            with archive.open(name) as member:
                shape, dtype, data = _npy_header(member)
            if not dtype.hasobject and sizes[name] - data != math.prod(shape) * dtype.itemsize:
                raise ValueError(f"{name} declares {shape}, {dtype} and has {sizes[name]:,} bytes")
            origin = f"{path.name}/{name.removesuffix('.npy')}"
            arrays[name[:-4]] = Stored(shape, dtype, partial(_npz_member, path, name), origin)
    return arrays


def _npz_member(path: Path, name: str) -> np.ndarray:
    with zipfile.ZipFile(path) as archive, archive.open(name) as member:
        return np.lib.format.read_array(member, allow_pickle=False)


def _npy(path: Path) -> dict[str, Stored]:
    with _opened(path) as file:
        shape, dtype, data = _npy_header(file)
    return {"": Stored(shape, dtype, partial(np.load, path, allow_pickle=False), path.name)}


def _npy_header(file: BinaryIO) -> tuple[tuple, np.dtype, int]:
    """Shape, dtype and the number of bytes before the data."""
    shape, _, dtype = NPY_HEADERS[np.lib.format.read_magic(file)](file)
    if min(shape, default=0) < 0:
        raise ValueError(f"shape {shape}")
    return shape, dtype, file.tell()


def _idx(path: Path) -> dict[str, Stored]:
    with _opened(path) as file:
        _, kind, axes = struct.unpack(">HBB", file.read(4))
        shape = struct.unpack(f">{axes}I", file.read(4 * axes))
    dtype = np.dtype(IDX_TYPES[kind])

    def read() -> np.ndarray:
        size = math.prod(shape) * dtype.itemsize
        with _opened(path) as file:
            file.read(4 + 4 * axes)
            content = file.read(size + 1)
        if len(content) != size:
            raise ValueError(
                f"{shape} declared, {'more' if len(content) > size else 'fewer'} bytes"
            )
        return np.frombuffer(content, dtype).reshape(shape)

    return {"": Stored(shape, dtype, read, path.name)}


def _table(path: Path) -> dict[str, Stored]:
    """A CSV file: a row of numbers per image, one of them its label; a line of names or none."""
    with _opened(path) as file:
        first = file.readline(1_000_000).decode("utf-8-sig")
    separator = max(",;\t", key=first.count)
    cells = [cell.strip(' "\r\n').lower() for cell in first.split(separator)]
    named = not all(re.fullmatch(r"[-+.\de]+|nan", cell) for cell in cells)
    if len(cells) < 65 or (named and re.fullmatch(r"[-+.\d]+", cells[-1])):
        received = f"a line that begins {first[:40].strip()!r}"
        do = f"convert it in Python, for example with pandas.read_csv, and save {SAVE}"
        raise wrong("rows of numbers, a label and a pixel per column", received, do)
    with _opened(path) as file:
        rows = np.loadtxt(
            _lines(file), np.float32, delimiter=separator, skiprows=named, quotechar='"', ndmin=2
        )
    if cells[0] in ("", "id", "unnamed: 0"):  # the row numbers that pandas writes
        cells, rows = cells[1:], rows[:, 1:]
    label = next((i for i, cell in enumerate(cells) if cell in ("label", "class", "y")), None)
    if label is None and math.isqrt(len(cells)) ** 2 != len(cells):  # a corner pixel never changes
        label = 0 if np.ptp(rows[:, 0]) else len(cells) - 1
    parts = {"x": rows} if label is None else {"x": np.delete(rows, label, 1), "y": rows[:, label]}
    return {
        name: Stored(part.shape, part.dtype, lambda part=part: part, f"{path.name}/{name}")
        for name, part in parts.items()
    }


def _lines(file: BinaryIO) -> Iterator[str]:
    """Lines of text, at most ``LARGEST`` / 2 bytes: a number takes two there, four in memory."""
    left = LARGEST // 2
    for line in io.TextIOWrapper(file, "utf-8-sig"):
        if (left := left - len(line)) < 0:
            raise wrong(f"at most {LARGEST // 2:,} bytes of text", "more", "keep fewer images")
        yield line


def _hdf5(path: Path, turned: bool) -> dict[str, Stored]:
    """``turned``: MATLAB, which counts axes from the other end."""
    import h5py

    arrays = {}

    def read(name: str) -> np.ndarray:
        with h5py.File(path) as file:
            return file[name][()].T if turned else file[name][()]

    def note(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and not name.startswith("#"):
            shape = item.shape[::-1] if turned else item.shape
            arrays[name] = Stored(shape, item.dtype, partial(read, name), f"{path.name}/{name}")

    with h5py.File(path) as file:
        file.visititems(note)
    return arrays


def _mat(path: Path) -> dict[str, Stored]:
    """What MATLAB up to 7.2 writes: elements, each packed on its own, with their sizes in front."""
    import scipy.io

    total, end = 0, path.stat().st_size
    with path.open("rb") as file:
        order = "<" if file.read(128)[126:] == b"IM" else ">"
        while file.tell() + 8 <= end:
            kind, size = struct.unpack(f"{order}II", file.read(8))
            after = file.tell() + size
            if kind == 15:  # packed
                inner = zlib.decompressobj().decompress(file.read(min(size, 4096)), 8)
                size = struct.unpack(f"{order}II", inner)[1]
            total += size
            file.seek(after)
    if total > LARGEST:
        raise wrong(f"at most {LARGEST:,} bytes of arrays", f"{total:,}", "keep fewer images")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        content = scipy.io.loadmat(path, simplify_cells=True)
    arrays = {}

    def note(name: str, item: Any) -> None:
        if isinstance(item, dict):
            for key, part in item.items():
                if not key.startswith("__"):
                    note(f"{name}/{key}" if name else key, part)
        elif isinstance(item, np.ndarray):
            arrays[name] = Stored(item.shape, item.dtype, lambda: item, f"{path.name}/{name}")

    note("", content)
    return arrays
