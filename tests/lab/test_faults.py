"""Hostile files of arrays: their size is known before memory is allocated."""

import bz2
import io
import json
import os
import re
import struct
import subprocess
import sys
import zipfile
import zlib

import numpy as np
import pytest

from ae_lab.errors import LabError
from ae_lab.lab import arrays

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

PROGRAM = """
import json, resource, sys, time
from ae_lab.errors import LabError
from ae_lab.lab import arrays
size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + 100_000_000,) * 2)
said = {}
for path in sys.argv[1:]:
    start = time.perf_counter()
    try:
        words = str(arrays._read(path, "to.npy", None).shape)
    except LabError as error:
        words = str(error)
    said[path] = words, time.perf_counter() - start
print(json.dumps(said))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's limits on memory")
def test_a_hostile_file_is_refused_within_100_mb_and_a_second(tmp_path):
    for name, (content, _) in FILES.items():
        (tmp_path / name).write_bytes(content() if callable(content) else content)
    np.savez(tmp_path / "good.npz", GOOD)
    command = [sys.executable, "-c", PROGRAM, "good.npz", *FILES]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said.pop("good.npz")[0] == "(4, 28, 28)"
    wrong = {
        name: said[name]
        for name, (_, words) in FILES.items()
        if not re.search(words, said[name][0]) or said[name][1] > 1
    }
    assert wrong == {}
    assert all("\n" not in words and words.startswith(name) for name, (words, _) in said.items())


@pytest.mark.skipif(os.name != "posix", reason="needs named pipes")
def test_a_file_that_is_not_regular_is_refused(tmp_path):
    os.mkfifo(tmp_path / "x.npy")
    for path in (tmp_path / "x.npy", "/dev/zero", tmp_path):
        with pytest.raises(LabError, match="found none"):
            arrays._read(str(path), "to.npy", None)
