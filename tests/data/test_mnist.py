"""Sources of the digits, refused files, the split, and the noise."""

import http.server
import io
import os
import re
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ae_lab import data
from ae_lab.data import mnist
from ae_lab.errors import LabError
from ae_lab.settings import Settings
from helpers import small_arrays, with_member, write_arrays


def settings(tmp_path, **options) -> Settings:
    return Settings(project_folder=tmp_path, **{"offline": True} | options)


def refuse_download(*_):
    raise AssertionError("no download was to be tried")


# Choice of the source


def test_the_named_folder_is_used_before_the_projects(tmp_path, arrays, monkeypatch):
    monkeypatch.setattr(mnist, "fetch", refuse_download)
    write_arrays(tmp_path / "named", arrays)
    write_arrays(tmp_path / "data", small_arrays(1))  # would be refused if it were read
    place = settings(tmp_path, data_folder=tmp_path / "named", offline=False)
    assert data.load_mnist(place).source == data.FULL_NAME
    assert data.prepare(place) == data.FULL_NAME


def test_the_projects_file_is_used_before_a_download(tmp_path, arrays, monkeypatch):
    monkeypatch.setattr(mnist, "fetch", refuse_download)
    write_arrays(tmp_path / "data", arrays)
    loaded = data.load_mnist(settings(tmp_path, offline=False))
    assert loaded.source == data.FULL_NAME and loaded.comparable


def test_offline_without_a_file_the_sample_is_used(sample, tmp_path, monkeypatch):
    monkeypatch.setattr(mnist, "fetch", refuse_download)
    assert data.prepare(settings(tmp_path)) == data.SAMPLE_NAME == sample.source
    assert "not comparable" in sample.source and not sample.comparable
    assert list(tmp_path.iterdir()) == []


def test_a_named_folder_without_the_file_is_an_error(tmp_path, arrays):
    write_arrays(tmp_path / "data", arrays)
    place = settings(tmp_path, data_folder=tmp_path / "absent")
    for read in (data.load_mnist, data.prepare, data.local_fingerprint):
        with pytest.raises(LabError, match="AE_LAB_DATA.*no file") as error:
            read(place)
        assert str(tmp_path / "absent" / "mnist.npz") in str(error.value)


def test_the_fingerprint_distinguishes_files_and_the_sample(tmp_path, arrays):
    seen = {data.local_fingerprint(settings(tmp_path))}
    for fill in (0, 1):
        write_arrays(tmp_path / "data", small_arrays(fill))
        seen.add(data.local_fingerprint(settings(tmp_path)))
    assert len(seen) == 3


# Files with wrong content


def refused(tmp_path, path: Path, *words: str) -> None:
    """The file is refused by name from every source, and no other source is used instead."""
    for place in (settings(tmp_path), settings(tmp_path, data_folder=path.parent)):
        with pytest.raises(LabError) as error:
            data.load_mnist(place)
        for said in (str(path), "expected", "received", *words):
            assert said in str(error.value)
        assert not re.search("delete|remove", str(error.value).replace(str(path), ""))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_any_container_with_the_same_digits_is_accepted(tmp_path, arrays, save):
    path = write_arrays(tmp_path / "data", arrays | {"more": np.zeros(3)}, save)
    read, *_ = mnist.read(path, "mnist")
    assert all(np.array_equal(read[name], arrays[name]) for name in arrays)


@pytest.mark.parametrize("name", ["x_train", "y_train", "x_test", "y_test"])
def test_one_changed_bit_in_an_array_is_detected(tmp_path, arrays, name):
    arrays[name].flat[-1] ^= 1
    refused(tmp_path, write_arrays(tmp_path / "data", arrays), f"{name} with SHA-256")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_damaged_file_is_refused_or_has_no_effect(tmp_path, arrays, save):
    """Flipped bits end in a ``LabError``, never in another error or in other digits."""
    path = write_arrays(tmp_path / "data", arrays, save)
    good = path.read_bytes()
    rng = np.random.default_rng(0)
    refusals = 0
    for position in rng.integers(0, len(good), 300):
        bad = bytearray(good)
        bad[position] ^= 1 << rng.integers(8)
        path.write_bytes(bad)
        try:
            read, *_ = mnist.read(path, "mnist")
        except LabError:
            refusals += 1
        else:  # a bit without effect, for example in a date
            assert all(np.array_equal(read[name], arrays[name]) for name in arrays)
    assert refusals > 200


@pytest.mark.parametrize("share", [0, 0.001, 0.5, 0.99])
def test_a_truncated_file_is_refused(tmp_path, arrays, share):
    path = write_arrays(tmp_path / "data", arrays)
    good = path.read_bytes()
    path.write_bytes(good[: int(len(good) * share)])
    refused(tmp_path, path, "a whole .npz")


def test_a_file_that_is_not_an_archive_is_refused(tmp_path, arrays):
    path = write_arrays(tmp_path / "data", arrays)
    path.write_text("<html>Not found</html>")
    refused(tmp_path, path, "a whole .npz")


def test_a_missing_array_is_named(tmp_path, arrays):
    del arrays["y_test"]
    refused(tmp_path, write_arrays(tmp_path / "data", arrays), "y_test of shape", "none")


@pytest.mark.parametrize("change", [lambda x: x.astype(np.int8), lambda x: x[:-1]])
def test_another_scale_or_number_of_images_is_refused(tmp_path, arrays, change):
    arrays["x_train"] = change(arrays["x_train"])
    refused(tmp_path, write_arrays(tmp_path / "data", arrays), "x_train")


class Trap:
    """Creates a file if it is ever unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def header(shape: str, dtype: str = "|u1") -> bytes:
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}}}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


def test_pickled_objects_are_refused_and_never_executed(tmp_path, arrays):
    stored = io.BytesIO()
    np.save(stored, np.array([Trap(tmp_path / "sprung")], object), allow_pickle=True)
    path = with_member(tmp_path / "data", arrays, "y_test", stored.getvalue())
    refused(tmp_path, path, "y_test of shape (4,)")
    path.write_bytes(stored.getvalue())  # a single .npy under the archive's name
    refused(tmp_path, path, "x_train of shape")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"no array, but as long as one.".ljust(100),
        header("(10000000000000,)") + b"0123",
        header("(-4,)") + b"0123",
        header("(4,") + b"0123",
        header("(1,)", "|O") + b"0123",
    ],
    ids=["no header", "endless shape", "negative shape", "broken shape", "objects"],
)
def test_a_member_that_is_not_an_array_is_refused(tmp_path, arrays, content):
    refused(tmp_path, with_member(tmp_path / "data", arrays, "y_test", content), "expected")


def test_an_oversize_member_is_refused_before_it_is_unpacked(tmp_path, arrays, monkeypatch):
    def unpack(*_, **__):
        raise AssertionError("nothing was to be unpacked")

    arrays["y_test"] = np.zeros(10_000_000, np.uint8)
    path = write_arrays(tmp_path / "data", arrays, np.savez_compressed)
    assert path.stat().st_size < 100_000
    monkeypatch.setattr(mnist.np, "load", unpack)
    refused(tmp_path, path, "y_test of shape (4,)", "(10000000,)")


def test_a_second_member_of_the_same_name_is_refused(tmp_path, arrays):
    path = write_arrays(tmp_path / "data", arrays)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x_train", bytes(10_000))  # NumPy would find this first for x_train
    assert np.array_equal(mnist.read(path, "mnist")[0]["x_train"], arrays["x_train"])


# Download


class Handler(http.server.BaseHTTPRequestHandler):
    status, body = 200, b""

    def do_GET(self):
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_):
        pass


@pytest.fixture
def serve():
    """Start a local server that answers every request with (status, body); yield its address."""
    servers = []

    def start(status: int, body: bytes) -> str:
        handler = type("Answer", (Handler,), {"status": status, "body": body})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/mnist.npz"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def no_proxy_and_no_waiting(monkeypatch):
    monkeypatch.setattr(mnist, "WAITS", ())
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def origin(monkeypatch, address: str) -> None:
    fetch = mnist.fetch
    monkeypatch.setattr(mnist, "fetch", lambda _, path: fetch(address, path))


def test_a_valid_download_is_stored_under_its_name(tmp_path, arrays, serve, monkeypatch):
    body = write_arrays(tmp_path / "server", arrays).read_bytes()
    origin(monkeypatch, serve(200, body))
    place = settings(tmp_path, offline=False)
    assert data.load_mnist(place).source == data.FULL_NAME
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["mnist.npz"]
    assert (tmp_path / "data" / "mnist.npz").read_bytes() == body
    monkeypatch.setattr(mnist, "fetch", refuse_download)
    assert data.load_mnist(place).source == data.FULL_NAME


@pytest.mark.parametrize(
    ("status", "content"),
    [(200, "other digits"), (200, "a page"), (200, "half"), (500, ""), (404, "")],
)
def test_an_invalid_download_leaves_no_file_and_is_reported(
    tmp_path, arrays, serve, monkeypatch, capsys, status, content
):
    good = write_arrays(tmp_path / "server", arrays).read_bytes()
    other = write_arrays(tmp_path / "server", small_arrays(1)).read_bytes()
    body = {"other digits": other, "half": good[: len(good) // 2]}.get(content, content.encode())
    origin(monkeypatch, serve(status, body))
    assert data.prepare(settings(tmp_path, offline=False)) == data.SAMPLE_NAME
    assert list((tmp_path / "data").iterdir()) == []
    assert "MNIST could not be downloaded (" in capsys.readouterr().out


def test_without_a_server_the_sample_is_used(tmp_path, monkeypatch, capsys):
    def unreachable(*_):
        raise OSError("network is unreachable\nand more")

    monkeypatch.setattr(mnist, "fetch", unreachable)
    assert data.prepare(settings(tmp_path, offline=False)) == data.SAMPLE_NAME
    assert "(network is unreachable); using the sample" in capsys.readouterr().out


def test_the_requested_file_is_that_of_keras(tmp_path, monkeypatch):
    def note(address, path):
        asked.append(address)
        raise OSError("no network")

    asked = []
    monkeypatch.setattr(mnist, "fetch", note)
    data.prepare(settings(tmp_path, offline=False))
    (address,) = set(asked)
    assert address.startswith("https://") and address.endswith("/tf-keras-datasets/mnist.npz")


# Loaded data


def rows(images) -> set[bytes]:
    return {image.tobytes() for image in images}


def test_the_sample_is_split_into_images_and_labels(sample):
    parts = [
        (sample.x_train, sample.y_train, 3_500),
        (sample.x_validation, sample.y_validation, 500),
    ]
    parts.append((sample.x_test, sample.y_test, 1_000))
    for x, y, count in parts:
        assert x.shape == (count, 28, 28, 1) and x.dtype == np.float32
        assert x.min() == 0 and x.max() == 1
        assert y.shape == (count,) and y.dtype == np.uint8
        assert set(y) == set(range(10))


def test_no_image_is_in_two_parts_of_the_sample(sample):
    train, held_out, test = (rows(x) for x in (sample.x_train, sample.x_validation, sample.x_test))
    assert not train & held_out and not train & test and not held_out & test
    assert len(train | held_out | test) == 5_000


def test_the_same_call_gives_the_same_split_whatever_the_seed(sample, tmp_path):
    np.random.seed(3)
    again = data.load_mnist(settings(tmp_path, seed=99))
    assert again.sha256 == sample.sha256
    assert np.array_equal(again.y_validation, sample.y_validation)
    assert np.array_equal(again.x_validation, sample.x_validation)


def test_images_are_stored_as_bytes_and_returned_as_floats(sample):
    for part in ("train", "validation", "test"):
        kept, given = getattr(sample, f"{part}_images"), getattr(sample, f"x_{part}")
        assert kept.dtype == np.uint8 and kept.shape == given.shape
        assert np.array_equal(kept / np.float32(255), given)
        assert getattr(sample, f"x_{part}") is given


def test_validation_images_come_from_training_with_their_labels(tmp_path, arrays):
    write_arrays(tmp_path / "data", arrays)
    loaded = data.load_mnist(settings(tmp_path))
    assert sorted([*loaded.y_train, *loaded.y_validation]) == list(range(12))
    assert len(loaded.y_validation) == 1
    for x, y in ((loaded.x_train, loaded.y_train), (loaded.x_validation, loaded.y_validation)):
        expected = arrays["x_train"][y][..., None] / np.float32(255)  # here, label i is image i
        assert np.array_equal(x, expected)
    assert np.array_equal(loaded.x_test, arrays["x_test"][..., None] / np.float32(255))
    assert np.array_equal(loaded.y_test, arrays["y_test"])


def test_the_real_file_is_accepted():
    folder = os.environ.get("AE_LAB_DATA")
    if not folder or not (Path(folder) / "mnist.npz").is_file():
        pytest.skip("AE_LAB_DATA names no folder with mnist.npz")
    loaded = data.load_mnist(Settings(data_folder=Path(folder)))
    assert (len(loaded.x_train), len(loaded.x_validation), len(loaded.x_test)) == (
        55_000,
        5_000,
        10_000,
    )
    assert loaded.comparable


# Noise


def test_noise_is_seeded_and_clipped_and_does_not_change_its_input():
    x = np.full((50, 8, 8, 1), 0.5, np.float32)
    noisy = data.add_gaussian_noise(x, 0.5, seed=1)
    assert (x == 0.5).all()
    assert noisy.dtype == x.dtype and noisy.min() == 0 and noisy.max() == 1
    assert np.array_equal(noisy, data.add_gaussian_noise(x, 0.5, seed=1))
    assert not np.array_equal(noisy, data.add_gaussian_noise(x, 0.5, seed=2))
    assert np.array_equal(data.add_gaussian_noise(x, 0, seed=1), x)


def test_noise_has_the_requested_deviation():
    x = np.full((100, 10, 10, 1), 0.5, np.float32)
    noise = data.add_gaussian_noise(x, 0.1, seed=0) - x  # 0.5 is 5 deviations from 0 and from 1
    assert noise.std() == pytest.approx(0.1, rel=0.03)
    assert abs(noise.mean()) < 0.005


@pytest.mark.parametrize("stddev", [-0.1, float("nan"), "0.5", True, None])
def test_an_invalid_deviation_is_refused(stddev):
    with pytest.raises(LabError, match="stddev"):
        data.add_gaussian_noise(np.zeros((1, 2, 2, 1), np.float32), stddev, seed=0)


def test_noise_on_bytes_is_refused():
    with pytest.raises(LabError, match="uint8"):
        data.add_gaussian_noise(np.zeros((1, 2, 2, 1), np.uint8), 0.5, seed=0)
