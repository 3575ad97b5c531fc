"""Hostile files of arrays: their size is known before memory is allocated."""

import bz2
import io
import os
import re
import struct
import sys
import zipfile
import zlib

import numpy as np
import pytest

from ae_lab.errors import LabError
from ae_lab.lab import arrays
from helpers import dear

GOOD = np.zeros((4, 28, 28), np.uint8)


def npy(array) -> bytes:
    content = io.BytesIO()
    np.save(content, array, allow_pickle=True)
    return content.getvalue()


def header(text: str, data: bytes = bytes(100)) -> bytes:
    """An ``.npy`` file of version 1.0 with this header."""
    return np.lib.format.magic(1, 0) + struct.pack("<H", len(text)) + text.encode() + data


def declares(shape, dtype="|u1") -> bytes:
    return header(repr({"descr": dtype, "fortran_order": False, "shape": shape}) + "\n")


def zipped(method, **members) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return content.getvalue()


def lying(method: int) -> bytes:
    """200 MB of zeros after a valid header; the archive declares 784 bytes."""
    small = npy(np.zeros((1, 28, 28), np.uint8))
    zeros = bytes(10**6)
    if method == zipfile.ZIP_DEFLATED:
        packer = zlib.compressobj(wbits=-15)
        data = packer.compress(small) + b"".join(packer.compress(zeros) for _ in range(200))
        data += packer.flush()
    else:
        data = bz2.compress(small + zeros * 120)
    content = bytearray(zipped(zipfile.ZIP_STORED, x=data))
    start = content.index(b"PK\x01\x02")
    for place, at in ((8, 22), (start + 10, start + 24)):  # method and size, in both directories
        struct.pack_into("<H", content, place, method)
        struct.pack_into("<L", content, at, len(small))
    return bytes(content)


def crowded() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for number in range(30_000):
            archive.writestr(f"{number}.npy", b"")
    return content.getvalue()


DEFLATED = zipfile.ZIP_DEFLATED
FILES = {  # name: content, words of the error
    "text.npy": (npy(np.array(["a"])), "dtype <U1"),
    "bytes.npy": (npy(np.array([b"a"])), "dtype .S1"),
    "void.npy": (npy(np.zeros(3, "V8")), "dtype .V8"),
    "record.npy": (npy(np.zeros(3, [("a", "u1")])), "dtype .*'a'"),
    "complex.npy": (npy(np.zeros(3, complex)), "dtype complex128"),
    "dates.npy": (npy(np.zeros(3, "M8[s]")), r"dtype datetime64\[s\]"),
    "objects.npy": (npy(np.array([{}])), "dtype object"),
    "long-header.npy": (header("{" + " " * 60_000 + "}"), "Header info length"),
    "program.npy": (header("__import__('os').getpid()"), "a whole .npz"),
    "deep.npy": (header("(" * 5_000 + ")" * 5_000), "a whole .npz"),
    "huge.npy": (declares((10**6, 28, 28)), "bytes for shape"),
    "huge-floats.npy": (declares((10**5, 784), "<f8"), "bytes for shape"),
    "overflow.npy": (declares((2**32, 2**32)), "bytes for shape"),
    "negative.npy": (declares((-1, 784)), "bytes for shape"),
    "twice-negative.npy": (declares((-1, -1)), "bytes for shape"),
    "version-3.npy": (np.lib.format.magic(3, 0) + bytes(200), "a whole .npz"),
    "empty.npy": (b"", "a whole .npz"),
    "bomb.npz": (zipped(DEFLATED, x=declares((10**9,)) + bytes(10**7)), "bytes for shape"),
    "large-idx1-ubyte": (bytes((0, 0, 8, 1)) + struct.pack(">I", 6 * 10**8), "bytes as floats"),
    "bzip2.npz": (zipped(zipfile.ZIP_BZIP2, x=npy(GOOD)), "x.npy compressed"),
    "lzma.npz": (zipped(zipfile.ZIP_LZMA, x=npy(GOOD)), "x.npy compressed"),
    "bzip2-that-lies.npz": (lambda: lying(zipfile.ZIP_BZIP2), "x.npy compressed"),
    "deflate-that-lies.npz": (lambda: lying(DEFLATED), "a whole .npz"),
    "crowded.npz": (crowded, "list of members"),
}


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's limits on memory")
def test_a_hostile_file_costs_at_most_100_mb_and_thirty_times_the_time_of_a_good_one(tmp_path):
    good = tmp_path / "good.npz"
    np.savez(good, np.zeros((40_000, 28, 28), np.uint8))
    expected = {good: r"^\(40000, 28, 28\)$"}
    for name, (content, words) in FILES.items():
        path = tmp_path / name
        path.write_bytes(content() if callable(content) else content)
        expected[path] = rf"^{re.escape(str(path))}.*({words}).*\Z"  # one line
    assert dear("ae_lab.lab.arrays._read", 100_000_000, good, expected, "to.npy", None) == {}


@pytest.mark.skipif(os.name != "posix", reason="needs named pipes")
def test_a_file_that_is_not_regular_is_refused(tmp_path):
    os.mkfifo(tmp_path / "x.npy")
    for path in (tmp_path / "x.npy", "/dev/zero", tmp_path):
        with pytest.raises(LabError, match="found none"):
            arrays._read(str(path), "to.npy", None)
