"""Faulty or hostile servers and data files are reported, refused, and never used as MNIST."""

import contextlib
import errno
import gzip
import http.client
import http.server
import io
import os
import re
import socket
import struct
import sys
import threading
import time
import tracemalloc
import urllib.request
import urllib.response
import zipfile
import zlib

import h5py
import numpy as np
import pytest
from PIL import Image

from ae_lab import data
from ae_lab.data import download, mnist
from ae_lab.errors import LabError
from ae_lab.settings import Settings
from helpers import dear, small_arrays, with_member, without_privileges, write_arrays

MEMORY = 20e6  # bytes that a refusal may allocate at most


# Servers. Each function answers one request in a faulty way.


def answer(handler, body, status=200, promised=None, **headers):
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body) if promised is None else promised))
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def cut_off(handler, good):
    answer(handler, good[: len(good) // 2], promised=len(good))


def reset(handler, good):
    answer(handler, good[: len(good) // 2], promised=len(good))
    handler.wfile.flush()
    linger = struct.pack("ii", 1, 0)  # close with a reset, like a broken connection
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.connection.close()


def wrong_bytes(handler, good):
    answer(handler, bytes(len(good)))


def one_wrong_byte(handler, good):
    middle = len(good) // 2
    answer(handler, good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1 :])


def other_digits(handler, good):
    stored = io.BytesIO()
    np.savez(stored, **small_arrays(1))
    answer(handler, stored.getvalue())


def wrong_size(handler, good):
    answer(handler, good + b"and more", promised=len(good) + 8)


def endless(handler, good):
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(bytes(100_000))


def silent(handler, good):
    time.sleep(1.5)


def stuck(handler, good):
    answer(handler, good[:100], promised=len(good))
    handler.wfile.flush()
    time.sleep(1.5)


def dripping(handler, good):
    answer(handler, b"", promised=len(good))
    for byte in good[:60]:
        handler.wfile.write(bytes([byte]))
        handler.wfile.flush()
        time.sleep(0.05)


def error_500(handler, good):
    answer(handler, b"Internal Server Error", status=500)


def login_page(handler, good):
    answer(
        handler, b"<!DOCTYPE html><title>Please sign in</title>", **{"Content-Type": "text/html"}
    )


def redirect_to_login(handler, good):
    if handler.path == "/login":
        return login_page(handler, good)
    answer(handler, b"", status=302, Location="/login")


def no_http(handler, good):
    handler.wfile.write(b"220 mail.example ESMTP\r\n")


def healthy(handler, good):
    answer(handler, good)


FAULTS = {
    cut_off: "cut off after",
    reset: "",
    wrong_bytes: "a whole .npz",
    one_wrong_byte: "is not MNIST",
    other_digits: "with SHA-256",
    endless: "more than 2,000,000 bytes",
    silent: "timed out",
    stuck: "timed out",
    dripping: "longer than 1 s",
    error_500: "500",
    login_page: "a whole .npz",
    redirect_to_login: "a whole .npz",
    no_http: "220 mail",
}


@pytest.fixture
def plays(tmp_path, arrays, monkeypatch):
    """Start a server that runs these functions in order, and use it for downloads.

    Returns the list of the times at which it was asked. Limits and waits are short.
    """
    monkeypatch.setattr(download, "SILENT_SECONDS", 0.4)
    monkeypatch.setattr(download, "TOTAL_SECONDS", 1)
    monkeypatch.setattr(download, "LARGEST", 2_000_000)
    monkeypatch.setattr(mnist, "WAITS", (0.1, 0.3))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    good, servers = write_arrays(tmp_path / "server", arrays).read_bytes(), []

    def start(*parts):
        left, asked = list(parts), []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if self.path != "/login":
                    asked.append(time.monotonic())
                part = left[0] if self.path == "/login" or len(left) == 1 else left.pop(0)
                with contextlib.suppress(OSError):  # the client has closed the connection
                    part(self, good)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.handle_error = lambda *_: None
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        address = f"http://127.0.0.1:{server.server_port}/mnist.npz"
        monkeypatch.setattr(mnist, "fetch", lambda _, path: download.fetch(address, path))
        return asked

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def prepared(tmp_path, capsys):
    source = data.prepare(Settings(project_folder=tmp_path))
    return source, capsys.readouterr().out


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_faulty_server_is_tried_again_and_then_given_up(tmp_path, plays, capsys, fault):
    asked = plays(fault)
    start = time.monotonic()
    source, said = prepared(tmp_path, capsys)
    assert time.monotonic() - start < 6
    assert source == data.SAMPLE_NAME and list((tmp_path / "data").iterdir()) == []
    lines = said.splitlines()
    assert len(lines) == 3 and all(FAULTS[fault] in line for line in lines)
    assert "trying again in 0.1 s" in lines[0] and "trying again in 0.3 s" in lines[1]
    assert "using the sample" in lines[2]
    assert asked[1] - asked[0] >= 0.1 and asked[2] - asked[1] >= 0.3


@pytest.mark.parametrize("fault", [cut_off, silent, error_500, wrong_bytes])
def test_a_server_that_recovers_delivers_the_file(tmp_path, plays, capsys, fault):
    plays(fault, fault, healthy)
    source, said = prepared(tmp_path, capsys)
    assert source == data.FULL_NAME and len(said.splitlines()) == 2
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["mnist.npz"]
    assert data.prepare(Settings(project_folder=tmp_path)) == data.FULL_NAME


def test_a_redirect_from_https_to_http_is_refused(tmp_path, plays, monkeypatch):
    def sent_on(self, request):
        headers = http.client.HTTPMessage()
        headers["Location"] = request.full_url.replace("https", "http")
        answer = urllib.response.addinfourl(io.BytesIO(), headers, request.full_url, 302)
        answer.msg = "Found"
        return answer

    monkeypatch.setattr(urllib.request.HTTPSHandler, "https_open", sent_on)
    monkeypatch.setattr(urllib.request.HTTPHandler, "http_open", None)  # must not be called
    with pytest.raises(OSError, match="http://127.0.0.1/mnist.npz"):
        download.fetch("https://127.0.0.1/mnist.npz", tmp_path / "mnist.npz")


@pytest.mark.parametrize("absent", ["listener", "name", "route"])
def test_without_a_network_one_message_is_printed_without_waiting(
    tmp_path, monkeypatch, capsys, absent
):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]  # closed again before the request
    error = {
        "listener": None,
        "name": socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
        "route": OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH)),
    }[absent]
    if error:

        def unreachable(*_, **__):
            raise error

        monkeypatch.setattr(socket, "create_connection", unreachable)
    address = f"http://127.0.0.1:{port}/mnist.npz"
    monkeypatch.setattr(mnist, "fetch", lambda _, path: download.fetch(address, path))
    monkeypatch.setattr(mnist, "WAITS", (60, 60))
    monkeypatch.setattr(urllib.request, "getproxies", dict)
    source, said = prepared(tmp_path, capsys)
    assert source == data.SAMPLE_NAME
    assert len(said.splitlines()) == 1 and "using the sample" in said, said


# Files


def refused(path, *words):
    """The file is refused with these words, without allocating much memory."""
    tracemalloc.start()
    try:
        with pytest.raises(LabError) as caught:
            mnist.read(path, "mnist")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    for word in (str(path), *words):
        assert word in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert peak < MEMORY, f"{peak:,.0f} bytes were allocated"


OTHER_ARRAYS = {
    "NaN": {"x_train": np.full((12, 28, 28), np.nan, np.float32)},
    "infinities": {"x_test": np.full((4, 28, 28), np.inf, np.float32)},
    "negative": {"x_test": np.full((4, 28, 28), -1, np.int8)},
    "negative labels": {"y_train": np.full(12, -1, np.int64)},
    "too few labels": {"y_train": np.zeros(11, np.uint8)},
    "too many labels": {"y_train": np.zeros(13, np.uint8)},
    "no images": {"x_train": np.zeros((0, 28, 28), np.uint8), "y_train": np.zeros(0, np.uint8)},
    "one image": {"x_train": np.zeros((1, 28, 28), np.uint8), "y_train": np.zeros(1, np.uint8)},
    "constant images": {"x_train": np.zeros((12, 28, 28), np.uint8)},
    "one class": {"y_train": np.zeros(12, np.uint8)},
    "a scalar": {"x_train": np.uint8(1)},
    "complex": {"x_train": np.zeros((12, 28, 28), np.complex64)},
    "text": {"y_train": np.array(["a"] * 12)},
    "dates": {"y_train": np.zeros(12, "M8[s]")},
    "records": {"y_train": np.zeros(12, [("a", "u1")])},
}


@pytest.mark.parametrize("name", OTHER_ARRAYS)
def test_other_numbers_are_refused(tmp_path, arrays, name):
    refused(
        write_arrays(tmp_path, arrays | OTHER_ARRAYS[name]), "is not MNIST", "expected", "received"
    )


def test_objects_are_refused_and_never_unpickled(tmp_path, arrays):
    class Trap:
        def __reduce__(self):
            return open, (str(tmp_path / "sprung"), "w")

    path = tmp_path / "mnist.npz"
    np.savez(path, **arrays | {"y_test": np.array([Trap()] * 4, object)})
    (tmp_path / "sprung").unlink(missing_ok=True)
    refused(path, "is not MNIST")
    assert not (tmp_path / "sprung").exists()


def header(shape: str, dtype: str) -> bytes:
    text = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape}}}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize(
    ("shape", "dtype"), [("(300000000,)", "|u1"), ("(30000, 10000)", "|u1"), ("(4,)", "|V99999999")]
)
def test_a_header_that_declares_missing_data_is_refused(tmp_path, arrays, shape, dtype):
    """NumPy would allocate 300 MB before it notices that they are missing."""
    refused(with_member(tmp_path, arrays, "y_test", header(shape, dtype) + b"0123"), "y_test")


def test_a_zip_bomb_is_refused(tmp_path, arrays):
    """200 MB of zeros, compressed to less than two."""
    path = write_arrays(tmp_path, {name: a for name, a in arrays.items() if name != "x_train"})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("x_train.npy", "w", force_zip64=True) as member:
            for _ in range(200):
                member.write(bytes(1_000_000))
    assert path.stat().st_size < 2_000_000
    refused(path, "magic string")


def test_a_zip_bomb_with_a_false_directory_is_refused(tmp_path, arrays):
    """The archive declares four bytes and a header, but contains more."""
    path = write_arrays(tmp_path, {name: a for name, a in arrays.items() if name != "y_test"})
    real = header("(4,)", "|u1") + arrays["y_test"].tobytes()
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("y_test.npy", real + bytes(100_000_000))
    content = bytearray(path.read_bytes())
    entry = content.rindex(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = len(real).to_bytes(4, "little")
    path.write_bytes(content)
    refused(path, "a whole .npz")


@pytest.mark.parametrize("fault", ["a folder", "a pipe", "unreadable", "a folder above it"])
def test_an_unreadable_path_is_reported_in_one_sentence(tmp_path, arrays, fault):
    path = tmp_path / "data" / "mnist.npz"
    path.parent.mkdir()
    if fault == "a folder":
        path.mkdir()
    elif fault == "a pipe":
        os.mkfifo(path)
    else:
        write_arrays(path.parent, arrays)
        (path if fault == "unreadable" else path.parent).chmod(0)
    done = without_privileges("data", tmp_path, AE_LAB_DATA=str(path.parent))
    path.parent.chmod(0o700)
    assert done.returncode == 1 and done.stderr.startswith("error: "), done.stderr
    assert len(done.stderr.splitlines()) == 1 and str(path) in done.stderr


def test_with_a_read_only_data_folder_the_sample_is_used(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "data").chmod(0o500)
    done = without_privileges(
        "data", tmp_path, AE_LAB_OFFLINE="0", https_proxy="http://127.0.0.1:9"
    )
    assert done.returncode == 0 and "Permission denied" in done.stdout
    assert "trying again" not in done.stdout, "waiting does not help"
    assert done.stdout.splitlines()[-1] == data.SAMPLE_NAME
    assert list((tmp_path / "data").iterdir()) == []


# Small files that would cost much: a limit on memory, and on time relative to a valid file


def archive(path, *members, method=zipfile.ZIP_DEFLATED):
    """An .npz file with these arrays, pairs of a name and all bytes."""
    with zipfile.ZipFile(path, "w", method) as file:
        for name, content in members:
            file.writestr(name, content)


def idx(*shape) -> bytes:
    return struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape)


def hdf5(path, shape, chunk):
    with h5py.File(path, "w") as file:
        options = {"maxshape": (None, 28, 28), "chunks": chunk, "compression": "gzip"}
        file.create_dataset("x_train", shape, "u1", **options)


def matlab(path, size):
    """A compressed array that declares this number of bytes."""
    inside = zlib.compress(struct.pack("<II", 14, size) + bytes(10**6))
    head = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H", 256) + b"IM"
    path.write_bytes(head + struct.pack("<II", 15, len(inside)) + inside)


def picture(path):
    """A folder with a picture of 600 megapixels in 80 kB."""
    (path / "a").mkdir(parents=True)
    Image.new("1", (30_000, 20_000)).save(path / "a" / "1.png")


HUGE = header("(300000000000,)", "|u1")
COSTLY = {
    "bzip2.npz": lambda path: archive(
        path, ("x.npy", bytes(500_000_000)), method=zipfile.ZIP_BZIP2
    ),
    "members.npz": lambda path: archive(path, *((f"{n}.npy", b"") for n in range(20_000))),
    "header.npz": lambda path: archive(path, ("x_train.npy", HUGE)),
    "header.npy": lambda path: path.write_bytes(HUGE),
    "train-images-idx3-ubyte": lambda path: path.write_bytes(idx(*[2**32 - 1] * 3)),
    "x_train-idx3-ubyte.gz": lambda path: path.write_bytes(
        gzip.compress(idx(3_000, 28, 28) + bytes(500_000_000), 1)
    ),
    "shape.h5": lambda path: hdf5(path, (10**9, 28, 28), (1_000, 28, 28)),
    "chunk.h5": lambda path: hdf5(path, (10, 28, 28), (2 * 10**6, 28, 28)),
    "size.mat": lambda path: matlab(path, 2**31),
    "line.csv.gz": lambda path: path.write_bytes(gzip.compress(b"0," * 20_000_000, 1)),
    "pictures": picture,
}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's limits on memory")
def test_costs_of_a_data_file_are_checked_before_loading(tmp_path):
    """At most 400 MB more than a valid file of 3 MB, and thirty times its time."""
    x, y = np.random.default_rng(0).integers(0, 255, (4_000, 28, 28), "u1"), np.arange(4_000) % 10
    good, expected = tmp_path / "good.npz", {}
    np.savez(good, x_train=x[:3_000], y_train=y[:3_000], x_test=x[3_000:], y_test=y[3_000:])
    for name, write in COSTLY.items():
        path = tmp_path / f"in {name}" / name
        path.parent.mkdir()
        write(path)
        expected[path] = rf"{re.escape(name)}.* expected .* received"
    assert dear("ae_lab.data.mnist.read", 400_000_000, good, expected | {good: "^read$"}) == {}
