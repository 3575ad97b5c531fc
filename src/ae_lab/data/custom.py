"""Images other than MNIST, converted so that every notebook can use them.

``AE_LAB_DATASET`` names Keras's ``fashion_mnist`` or an ``.npz`` file with the same four arrays
as ``mnist.npz``: uint8 images 28x28, 32x32 or 64x64, grey or in colour, and labels from 0.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from ae_lab.data.download import first_line
from ae_lab.errors import LabError
from ae_lab.files import check_archive, write_whole
from ae_lab.quiet import import_keras
from ae_lab.settings import Settings

NAMES = ("x_train", "y_train", "x_test", "y_test")
SIDES = (28, 32, 64)
SIDE, CLASSES = 28, 10  # what the notebooks are written for
LEAST = {"train": 3_000, "test": 1_000}  # images, the fewest that every experiment can run with
LARGEST = 2**30  # bytes of all arrays when unpacked: 87,000 images of 64x64 in colour


def read_other(settings: Settings) -> tuple[dict[str, np.ndarray], str]:
    """The four arrays of the file that ``settings`` name, and what they are, in words.

    Images are uint8 (n, 28, 28). A ``LabError`` says that there is no such file, or what in it is
    not as described above.
    """
    path = find_other(settings)
    arrays = _read(path)
    for part in LEAST:
        _check_images(path, f"x_{part}", arrays[f"x_{part}"], LEAST[part])
    if arrays["x_train"].shape[1:] != arrays["x_test"].shape[1:]:
        shapes = f"{arrays['x_train'].shape} and {arrays['x_test'].shape}"
        raise _wrong(path, "x_train and x_test with images of one shape", shapes)
    _check_labels(path, arrays)
    if settings.dataset == "fashion_mnist":  # equally many images of each class, unlike MNIST
        counts = [np.bincount(arrays[f"y_{part}"].reshape(-1)).tolist() for part in LEAST]
        if counts != [[6_000] * CLASSES, [1_000] * CLASSES]:
            raise _wrong(path, "6,000 training and 1,000 test images of each class", f"{counts}")
    source = _describe(path.stem if settings.dataset == str(path) else settings.dataset, arrays)
    for part in LEAST:
        arrays[f"x_{part}"] = _grey_28(arrays[f"x_{part}"])
        arrays[f"y_{part}"] = arrays[f"y_{part}"].reshape(-1).astype(np.uint8)
    return arrays, source


def find_other(settings: Settings) -> Path:
    """The file with the images that ``settings`` name; Fashion-MNIST is downloaded if need be."""
    if settings.dataset.endswith(".npz"):
        path = Path(settings.dataset)
        if not path.is_file():
            raise LabError(
                f"AE_LAB_DATASET must name a file, found none at {path}: correct the path, "
                "or unset it for MNIST."
            )
        return path
    for folder in filter(None, (settings.data_folder, settings.download_folder)):
        path = folder / f"{settings.dataset}.npz"
        if path.is_file():
            return path
    if settings.offline:
        reason = "downloads are off (AE_LAB_OFFLINE)"
    else:
        try:
            train, test = getattr(import_keras().datasets, settings.dataset).load_data()
            arrays = dict(zip(NAMES, (*train, *test), strict=True))
            return write_whole(path, lambda part: np.savez_compressed(part, **arrays))
        except Exception as error:  # whatever the network does
            reason = f"its download failed ({first_line(error)})"
    raise LabError(
        f"{path.stem} must be available as {path}, found no file there, and {reason}: "
        f"put {path.name} there or into the folder that AE_LAB_DATA names, or connect."
    )


def _read(path: Path) -> dict[str, np.ndarray]:
    try:
        check_archive(path, LARGEST, tuple(f"{name}.npy" for name in NAMES))
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in NAMES}
    except Exception as error:  # damage shows in many ways
        expected = f"a readable .npz archive of the plain arrays {', '.join(NAMES)}"
        raise _wrong(path, expected, str(error)) from None


def _check_images(path: Path, name: str, images: np.ndarray, least: int) -> None:
    shape = images.shape
    square = len(shape) in (3, 4) and shape[1] == shape[2] and shape[1] in SIDES
    if images.dtype != np.uint8 or not square or shape[3:] not in ((), (1,), (3,)):
        shapes = f"(n, side, side[, 1 or 3]), side one of {', '.join(map(str, SIDES))}"
        expected = f"{name} of dtype uint8 and shape {shapes}"
        raise _wrong(path, expected, f"{shape}, dtype {images.dtype}")
    if len(images) < least:
        raise _wrong(path, f"at least {least:,} images in {name}", f"{len(images):,}")


def _check_labels(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """One whole number per image, from 0 up without a gap, at most ten classes."""
    for part in LEAST:
        labels, count = arrays[f"y_{part}"], len(arrays[f"x_{part}"])
        if labels.size != count or not np.issubdtype(labels.dtype, np.integer):
            received = f"shape {labels.shape}, dtype {labels.dtype}"
            raise _wrong(path, f"{count:,} whole numbers in y_{part}", received)
    found = np.unique(arrays["y_train"])
    if not np.array_equal(found, np.arange(len(found))) or not 2 <= len(found) <= CLASSES:
        raise _wrong(path, f"labels 0, 1, … of 2 to {CLASSES} classes", f"{found[:12].tolist()}")
    tested = np.unique(arrays["y_test"])
    if not np.array_equal(tested, found):
        raise _wrong(path, f"in y_test the classes {found.tolist()}", f"{tested[:12].tolist()}")


def _wrong(path: Path, expected: str, received: str) -> LabError:
    return LabError(
        f"{path} cannot stand in for MNIST: expected {expected}, received {received}; "
        "correct the file, or unset AE_LAB_DATASET for MNIST."
    )


def _describe(name: str, arrays: dict[str, np.ndarray]) -> str:
    train, test = arrays["x_train"], arrays["x_test"]
    side = train.shape[1]
    grey = ", made grey (luma)" if train.shape[3:] == (3,) else ""
    small = f", made 28x28 from {side}x{side} (means over areas)" if side != SIDE else ""
    return (
        f"{name}, {len(train):,} + {len(test):,}{grey}{small}: "
        "figures below are not comparable with published ones"
    )


def _grey_28(images: np.ndarray) -> np.ndarray:
    """uint8 (n, side, side[, 1 or 3]) to (n, 28, 28): ITU-R 601 luma, means over areas."""
    images = images[..., 0] if images.shape[3:] == (1,) else images
    if images.shape[1:] == (SIDE, SIDE):
        return images
    small = np.empty((len(images), SIDE, SIDE), np.uint8)
    for i, image in enumerate(images):
        grey = Image.fromarray(image).convert("L")
        small[i] = np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.BOX))
    return small
