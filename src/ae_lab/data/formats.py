"""The arrays in one file; declared sizes are checked before memory is allocated.

The first bytes of a file identify its format, whatever its name. Nothing in a file is executed, so
pickles are refused. A ``LabError`` of this module contains no path; the caller adds it.
"""

import gzip
import io
import math
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple
from zipfile import ZipFile

import numpy as np

from ae_lab.data.download import first_line
from ae_lab.errors import LabError
from ae_lab.files import check_archive, open_regular

LONGEST = 10_000_000  # characters of a line in a table, which is read whole
LINE = 100  # bytes that stand for the time of an empty line
MOST_OBJECTS, DEEPEST = 10_000, 100  # groups and arrays of HDF5, and groups around an array
LARGEST = 2**30  # bytes of all unpacked arrays: 87,000 colour images of 64x64 pixels
SAVE = 'np.savez("mine.npz", x_train=a, y_train=b, x_test=c, y_test=d)'
EXPECTED = "a whole .npz, IDX, HDF5, MATLAB file or CSV of numbers"
IDX_TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
PICKLE = (
    "a pickle, which can run any code when it is loaded",
    "MNIST needs no file, it is downloaded; convert what you trust: (a, b), _, (c, d) = "
    f'pickle.load(gzip.open("mnist.pkl.gz"), encoding="latin1"); {SAVE}',
)
PICTURE = "one picture", "name a folder of class folders, or pass it to the verb reconstruct"
REFUSED = {b"\x80": PICKLE, b"\x89PNG": PICTURE, b"\xff\xd8\xff": PICTURE}  # by first bytes


class Stored(NamedTuple):
    """An array in a file: declared shape and dtype, a function that reads it, and its origin."""

    shape: tuple[int, ...]
    dtype: np.dtype
    read: Callable[[], np.ndarray]
    origin: str


def in_memory(array: np.ndarray, origin: str) -> Stored:
    """An ``array`` that is already in memory; ``origin`` is its name in messages."""
    return Stored(array.shape, array.dtype, lambda: array, origin)


def wrong(expected: str, received: str, do: str) -> LabError:
    """A LabError: what was ``expected``, what was ``received``, what to ``do``; without a path."""
    received = f"{received[:300]} …" if len(received) > 300 else received  # names come from files
    return LabError(f"expected {expected}, received {received}: {do}.")


def arrays_in(path: Path) -> list[Stored]:
    """The arrays of an .npz, .npy, IDX, CSV, HDF5 or MATLAB file; IDX and CSV also with gzip.

    They are read later, except those of CSV and MATLAB files. A ``LabError`` is raised if the file
    at ``path`` has another format, is damaged, or needs more than ``LARGEST`` bytes. For another
    format the message describes how to convert the file.
    """
    try:
        with _opened(path) as file:
            start = file.read(520)
        found = list(_reader(path, start)(path))
        _check_size(sum(math.prod(one.shape) * one.dtype.itemsize for one in found))
        return found
    except LabError:
        raise
    except Exception as error:  # a damaged file raises many types of exception
        raise _damaged(error, path.name) from None


def read_safely(stored: Stored) -> np.ndarray:
    """``stored.read()``; any error becomes a ``LabError``."""
    if stored.dtype.hasobject:
        received = f"dtype {stored.dtype} in {stored.origin}"
        raise wrong("plain arrays", received, "save labels as .astype(str), images as np.stack(x)")
    try:
        return stored.read()
    except Exception as error:
        raise _damaged(error, stored.origin) from None


def _damaged(error: Exception, origin: str) -> LabError:
    do = f"save or download it again, or convert it in Python: {SAVE}"
    return wrong(EXPECTED, f"{first_line(error)} in {origin}", do)


def _check_size(size: int) -> None:
    if size > LARGEST:
        raise wrong(f"at most {LARGEST:,} bytes of arrays", f"{size:,}", "keep fewer images")


def _reader(path: Path, start: bytes) -> Callable[[Path], list[Stored] | Iterator[Stored]]:
    if b"\x89HDF\r\n" in (start[:6], start[512:518]):  # MATLAB 7.3 files begin with 512 other bytes
        return partial(_hdf5, turned=start.startswith(b"MATLAB"))
    if len(start) > 4 and start[:2] == b"\0\0" and start[2] in IDX_TYPES and start[3] in (1, 2, 3):
        return _idx
    for first, read in ((b"PK", _npz), (b"\x93NUMPY", _npy), (b"MATLAB 5.0", _mat)):
        if start.startswith(first):
            return read
    for first, refusal in REFUSED.items():
        if start.startswith(first) or (refusal is PICKLE and ".pkl" in path.name.lower()):
            raise wrong(EXPECTED, *refusal)
    if not start or b"\0" in start:
        received = "bytes of no known format" if start else "an empty file"
        do = f"convert it, for example a = np.fromfile(path, np.uint8).reshape(-1, 28, 28); {SAVE}"
        raise wrong(EXPECTED, received, do)
    return _table


def _opened(path: Path) -> BinaryIO:
    with open_regular(path) as file:
        packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path) if packed else path.open("rb")


def _npz(path: Path) -> Iterator[Stored]:
    def read(name: str) -> np.ndarray:
        with ZipFile(path) as archive, archive.open(f"{name}.npy") as member:
            return np.lib.format.read_array(member, allow_pickle=False)

    sizes = check_archive(path, LARGEST)
    names = [name.removesuffix(".npy") for name in sizes if name.endswith(".npy")]
    if not names:
        received = f"a zip file with {', '.join(list(sizes)[:3])}"
        raise wrong(EXPECTED, received, f"unpack it, or convert it in Python: {SAVE}")
    for name in names:
        with ZipFile(path) as archive, archive.open(f"{name}.npy") as member:
            yield _declared(
                member, sizes[f"{name}.npy"], partial(read, name), f"{path.name}/{name}"
            )


def _npy(path: Path) -> Iterator[Stored]:
    with path.open("rb") as file:
        read = partial(np.load, path, allow_pickle=False)
        yield _declared(file, path.stat().st_size, read, path.name)


def _declared(file: BinaryIO, size: int, read: Callable, origin: str) -> Stored:
    """The shape and dtype in NumPy's header of ``file``, if they fit the ``size`` of the file."""
    version = "{}_{}".format(*np.lib.format.read_magic(file))
    shape, _, dtype = getattr(np.lib.format, f"read_array_header_{version}")(file)
    size -= file.tell()
    if not dtype.hasobject and size != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{size:,} bytes for shape {shape}, dtype {dtype}")
    return Stored(shape, dtype, read, origin)


def _idx(path: Path) -> Iterator[Stored]:
    """IDX: a type and the sizes of the axes, big-endian, then the numbers."""
    with _opened(path) as file:
        _, kind, axes = struct.unpack(">HBB", file.read(4))
        shape = struct.unpack(f">{axes}I", file.read(4 * axes))
    dtype = np.dtype(IDX_TYPES[kind])

    def read() -> np.ndarray:
        with _opened(path) as file:
            file.seek(4 + 4 * axes)
            content = file.read(math.prod(shape) * dtype.itemsize + 1)
        return np.frombuffer(content, dtype).reshape(shape)  # raises if the size does not fit

    yield Stored(shape, dtype, read, path.name)


def _table(path: Path) -> list[Stored]:
    """CSV: each row has the pixels of an image, with its label in the first or last column."""
    with _opened(path) as file:
        first = file.readline(100_000).decode("utf-8-sig")
    separator = max(",;\t", key=first.count)
    cells = [cell.strip(' "\r\n').lower() for cell in first.split(separator)]
    named = any(cell[:1].isalpha() for cell in cells)
    with _opened(path) as file:
        how = {"delimiter": separator, "skiprows": int(named), "quotechar": '"', "ndmin": 2}
        with warnings.catch_warnings(action="ignore"):  # a table without rows is refused below
            rows = np.loadtxt(_lines(file), "f4", **how)
    if not rows.size:
        raise wrong(EXPECTED, f"text without numbers in {path.name}", f"convert it: {SAVE}")
    if named and cells[0] in ("", "id", "index"):  # the index column that pandas writes
        cells, rows = cells[1:], rows[:, 1:]
    if math.isqrt(rows.shape[1]) ** 2 == rows.shape[1]:
        return [in_memory(rows, f"{path.name}/x")]
    last = cells[-1] in ("label", "class", "y") or not np.ptp(rows[:, 0])  # a corner pixel is 0
    x, y = (rows[:, :-1], rows[:, -1]) if last else (rows[:, 1:], rows[:, 0])
    return [in_memory(x, f"{path.name}/x"), in_memory(y, f"{path.name}/y")]


def _lines(file: BinaryIO) -> Iterator[str]:
    size = 0  # a number has at least two bytes in the file and needs four in memory
    text = io.TextIOWrapper(file, "utf-8-sig")
    while line := text.readline(LONGEST + 1):
        if len(line) > LONGEST:
            raise ValueError(f"a line of more than {LONGEST:,} characters")
        _check_size(size := size + 2 * len(line) + LINE)
        yield line


def _hdf5(path: Path, turned: bool) -> list[Stored]:
    """HDF5; ``turned`` if MATLAB wrote it, which stores the axes in reverse order."""
    import h5py

    count, found = 0, []

    def read(name: str) -> np.ndarray:
        with h5py.File(path) as file:
            return file[name][()].T if turned else file[name][()]

    def note(name: str, item: h5py.Dataset | h5py.Group) -> None:
        nonlocal count
        if (count := count + 1) > MOST_OBJECTS or name.count("/") > DEEPEST:
            raise ValueError(f"more than {MOST_OBJECTS:,} objects, or {DEEPEST} nested groups,")
        if isinstance(item, h5py.Dataset):
            if item.external or item.is_virtual:
                raise ValueError(f"{name} of other files")
            _check_size(math.prod(item.chunks or ()) * item.dtype.itemsize)  # a chunk is read whole
            shape = item.shape[::-1] if turned else item.shape
            found.append(Stored(shape, item.dtype, partial(read, name), f"{path.name}/{name}"))

    with h5py.File(path) as file:
        file.visititems(note)
    return found


def _mat(path: Path) -> Iterator[Stored]:
    """MATLAB up to 7.2: elements, each preceded by its size and compressed separately."""
    import scipy.io

    total = 0
    with path.open("rb") as file:
        order = "<II" if file.read(128)[126:] == b"IM" else ">II"
        while len(tag := file.read(8)) == 8:
            kind, size = struct.unpack(order, tag)
            end = file.tell() + size
            if kind == 15:  # compressed
                inside = zlib.decompressobj().decompress(file.read(min(size, 4096)), 8)
                size = struct.unpack(order, inside)[1]
            _check_size(total := total + size)
            file.seek(end)
    loose = [shape for _, shape, kind in scipy.io.whosmat(path) if kind in ("char", "cell")]
    _check_size(sum(8 * math.prod(shape) for shape in loose))  # declared without data in the file

    def arrays(name: str, item: object) -> Iterator[Stored]:
        if isinstance(item, dict):
            for key in (key for key in item if not key.startswith("__")):
                yield from arrays(f"{name}/{key}", item[key])
        elif isinstance(item, np.ndarray):
            yield in_memory(item, name)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return arrays(path.name, scipy.io.loadmat(path, simplify_cells=True))
