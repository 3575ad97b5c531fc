"""Images of one's own, converted so that every notebook can use them, and what was done, in words.

``AE_LAB_DATASET`` names Keras's ``fashion_mnist``, or a file or folder that `sets` can read.
"""

import math
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from ae_lab.data.download import first_line
from ae_lab.data.formats import read_safely, wrong
from ae_lab.data.sets import open_set
from ae_lab.errors import LabError
from ae_lab.files import write_whole
from ae_lab.quiet import import_keras
from ae_lab.settings import Settings

NAMES = ("x_train", "y_train", "x_test", "y_test")
SIDE, CLASSES = 28, 10  # what the notebooks are written for
LEAST = {"train": 3_000, "test": 1_000}  # images, the fewest that every experiment can run with
LEAST_OF_CLASS = {"train": 50, "test": 20}  # so that the validation part has each class as well
DARK = 31  # of 255: if no pixel is brighter, the scale is another than 0 to 255
DUPLICATES = 0.01  # of the test images: what is worth a word
SPLIT_SEED = 0  # the split is part of the data, not of the experiment: no setting changes it
FASHION = "T-shirt, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag, ankle boot".split(
    ", "
)


class Plain(NamedTuple):
    """Images uint8 (n, side, side[, 3]) and labels (n,), under ``NAMES``, and what was done."""

    arrays: dict[str, np.ndarray]
    notes: list[str]


def find_other(settings: Settings) -> Path:
    """The file or folder that ``settings`` name; Fashion-MNIST is downloaded if need be."""
    if settings.dataset != "fashion_mnist":
        path = Path(settings.dataset)
        if not path.exists():
            raise LabError(
                f"AE_LAB_DATASET must name a file or folder, found none at {path}: correct the "
                "path, or unset it for MNIST."
            )
        return path
    for folder in filter(None, (settings.data_folder, settings.download_folder)):
        path = folder / f"{settings.dataset}.npz"
        if path.is_file():
            return path
    if settings.data_folder and list(settings.data_folder.glob("*train*")):
        return settings.data_folder  # the IDX files have the names of MNIST's
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
        f"{path.stem} must be available as {path}, found no file there, and {reason}: put "
        f"{path.name} there, or its four IDX files into the folder that AE_LAB_DATA names, "
        "or connect."
    )


def read_plain(path: Path) -> Plain:
    """Read a data set and bring it into one form, without judging what it shows.

    A part for testing is held out if there is none. A ``LabError``, without the path, says what
    cannot be converted, and the line that does it.
    """
    stored, unused = open_set(path)
    parts = [part for part in ("_train", "_test", "") if {f"x{part}", f"y{part}"} <= set(stored)]
    whole = {"_train", "_test"} <= set(parts)
    if not parts:
        received = ", ".join(one.origin for one in stored.values()) or ", ".join(unused)
        do = 'save them under these names, with np.savez("mine.npz", x_train=..., y_train=...)'
        raise wrong(f"the arrays {', '.join(NAMES)}", received, do)
    arrays, notes = {}, []
    for part in parts[: 1 + whole]:
        x, y = (read_safely(stored[f"{axis}{part}"]) for axis in "xy")
        name = f"x{part}"
        x = to_squares(name, x, len(y), notes)
        x = to_bytes(name, x, notes)
        if re.match("emnist", stored[name].origin.lower()) and ".np" not in stored[name].origin:
            x = x.swapaxes(1, 2)
            notes.append("turned upright (EMNIST is stored on its side)")
        arrays |= {f"x{part}": x, f"y{part}": to_labels(f"y{part}", y, len(x), notes)}
    if not whole:
        x, y = mixed(*arrays.values())
        held_out = min(10_000, len(x) // 4)
        notes.append(f"{held_out:,} images held out for testing (no test part with labels)")
        (x_train, x_test), (y_train, y_test) = (np.split(one, [-held_out]) for one in (x, y))
        arrays = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
    if unused:
        notes.append(f"{', '.join(unused[:5])} not used")
    return Plain(arrays, list(dict.fromkeys(notes)))


def stand_in(plain: Plain, name: str) -> tuple[dict[str, np.ndarray], str, list[str]]:
    """Make images of one's own fit for the notebooks.

    Parameters
    ----------
    plain : from `read_plain`.
    name : what they are called on the pages.

    Returns
    -------
    The four arrays, images uint8 (n, 28, 28) and labels uint8 from 0; what they are, in words;
    and the names of the classes. A ``LabError``, without the path, says what does not fit.
    """
    arrays, notes = dict(plain.arrays), list(plain.notes)
    found = np.unique(arrays["y_train"])
    names = [str(one) for one in sorted(found.tolist(), key=_by_number)][:CLASSES]
    if len(found) > CLASSES:
        notes.append(f"the first {CLASSES} of {len(found)} classes: {', '.join(names)}")
    elif names != [str(number) for number in range(len(names))]:
        classes = ", ".join(f"{number} {one}" for number, one in enumerate(names))
        notes.append(f"classes numbered: {classes}")
    number_of = {one: number for number, one in enumerate(names)}
    for part, least in LEAST.items():
        known, which = np.unique(arrays[f"y_{part}"], return_inverse=True)
        numbers = np.array([number_of.get(str(one), CLASSES) for one in known])[which]
        kept = numbers < CLASSES
        x, y = arrays[f"x_{part}"][kept], numbers[kept].astype(np.uint8)
        arrays |= {f"x_{part}": x, f"y_{part}": y}
        if len(x) < least:
            do = "take more, or a smaller test part" if part == "train" else "take more of them"
            raise wrong(f"at least {least:,} images in x_{part}", f"{len(x):,}", do)
        counts = np.bincount(y, minlength=len(names))
        if len(names) < 2 or counts.min() < LEAST_OF_CLASS[part]:
            expected = f"2 classes or more, each with {LEAST_OF_CLASS[part]} images in x_{part}"
            received = ", ".join(f"{n} of {one}" for n, one in zip(counts, names, strict=True))
            raise wrong(expected, received, "add images, or leave the rare classes out")
    if arrays["x_train"].shape[1:] != arrays["x_test"].shape[1:]:
        shapes = f"{arrays['x_train'].shape} and {arrays['x_test'].shape}"
        raise wrong("x_train and x_test with images of one shape", shapes, "prepare both alike")
    side, colours = arrays["x_train"].shape[1], arrays["x_train"].shape[3:]
    notes += ["made grey (luma)"] * bool(colours)
    notes += [f"made 28x28 from {side}x{side} (means over areas)"] * (side != SIDE)
    arrays |= {f"x_{part}": _grey_28(arrays[f"x_{part}"]) for part in LEAST}
    size = f"{len(arrays['x_train']):,} + {len(arrays['x_test']):,}"
    source = f"{', '.join([name, size, *notes])}: figures below are not comparable with published"
    return arrays, "; ".join([f"{source} ones", *_warnings(arrays)]), names


def is_light_on_dark(images: np.ndarray) -> bool:
    """Whether most pixels are darker than medium grey, as in MNIST; ``images`` are bytes."""
    return bool(np.median(images[:: max(1, len(images) // 1_000)]) < 128)


def to_squares(name: str, x: np.ndarray, count: int, notes: list[str]) -> np.ndarray:
    """``x`` as (count, side, side) or (count, side, side, 3), its axes moved if need be."""
    if x.ndim > 1 and x.shape[-1] == count != len(x):
        x, note = np.moveaxis(x, -1, 0), "images counted along the last axis"
        notes.append(note)
    if x.ndim == 3 and x.shape[2] == 1:
        x = x[..., 0]
    if x.ndim == 2 and (side := math.isqrt(x.shape[1])) ** 2 == x.shape[1]:
        x = x.reshape(-1, side, side)
        notes.append(f"rows of {side * side} pixels made {side}x{side}")
    if x.ndim == 4 and x.shape[1] in (1, 3) and x.shape[2] == x.shape[3]:
        x = np.moveaxis(x, 1, -1)
        notes.append("channels moved behind")
    x = x[..., 0] if x.ndim == 4 and x.shape[3] == 1 else x
    expected = f"{name} of shape (n, side, side[, 1 or 3]), side from {SIDE}"
    if x.ndim not in (3, 4) or x.shape[3:] not in ((), (3,)):
        do = f"{name}[..., :3]" if x.ndim == 4 else f"{name}.reshape(n, side, side)"
        raise wrong(expected, f"shape {x.shape}", f"save {do} in its place")
    if x.shape[1] != x.shape[2] or x.shape[1] < SIDE:
        side = max(SIDE, *x.shape[1:3])
        pads = [((side - n) // 2, (side - n + 1) // 2) for n in x.shape[1:3]]
        pads = [(0, 0), *pads, *[(0, 0)] * (x.ndim - 3)]
        raise wrong(expected, f"shape {x.shape}", f"save np.pad({name}, {pads}) in its place")
    return x


def to_bytes(name: str, x: np.ndarray, notes: list[str]) -> np.ndarray:
    """``x`` as uint8: Booleans, whole numbers to 255, or floats in [0, 1] or to 255."""
    if x.dtype == bool:
        notes.append("made bytes from bool")
        return x * np.uint8(255)
    expected, received = f"{name} as bytes, or as floats in [0, 1]", f"{x.dtype}"
    if x.dtype.kind not in "uif":
        raise wrong(expected, received, f"save np.asarray({name}, np.uint8) in its place")
    low, high = (x.min(), x.max()) if x.size else (0, 0)
    received += f" from {low:g} to {high:g}"
    if not np.isfinite([low, high]).all():
        raise wrong(expected, received, f"save np.nan_to_num({name}) in its place")
    if low < 0 or high > 255:
        do = f"255 * ({name} - {low:g}) / ({high:g} - {low:g})"
        do = f"{name}.view(np.uint8)" if x.dtype == np.int8 else f"np.uint8({do})"
        raise wrong(expected, received, f"save {do} in its place")
    unit = 255 if x.dtype.kind == "f" and high <= 1 else 1
    if 0 < unit * high <= DARK:
        do = f"the scale is another; save {name} * {255 / (unit * high):.4g} in its place"
        raise wrong(f"a pixel of {name} brighter than {DARK} of 255", received, do)
    if x.dtype == np.uint8:
        return x
    notes.append(f"made bytes from {x.dtype}{' in [0, 1]' if unit == 255 else ''}")
    return np.rint(unit * x).astype(np.uint8)


def to_labels(name: str, y: np.ndarray, count: int, notes: list[str]) -> np.ndarray:
    """``y`` as (count,): whole numbers from 0 up, or words."""
    if y.ndim == 2 and 1 < y.shape[1] and y.shape[0] == count:
        if not ((np.count_nonzero(y, axis=1) == 1).all() and y.max() == 1):
            do = f"save {name}[:, 0] or {name}.argmax(1) in its place, whichever is the class"
            raise wrong(f"one class per image in {name}", f"shape {y.shape}", do)
        notes.append("labels made numbers from one-hot")
        y = y.argmax(axis=1)
    expected = f"{count:,} whole numbers or words in {name}"
    if y.size != count:
        do = "pass the label of each image, in the same order"
        raise wrong(expected, f"shape {y.shape}", do)
    y = y.reshape(-1)
    if y.dtype.kind in "fb" and np.isfinite(y).all() and (y == np.rint(y)).all():
        y = y.astype(np.int64)
    if y.dtype.kind not in "iuSU" or (y.dtype.kind == "i" and y.size and y.min() < 0):
        received = f"{y.dtype}" + (f" from {y.min()}" if y.dtype.kind in "if" and y.size else "")
        raise wrong(expected, received, f"keep the images with {name} >= 0, as {name}.astype(int)")
    return y.astype(str) if y.dtype.kind == "S" else y


def mixed(images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both in one order drawn from SPLIT_SEED: files may be ordered by writer or by class."""
    order = np.random.default_rng(SPLIT_SEED).permutation(len(images))
    return images[order], labels[order]


def _by_number(label: object) -> tuple:
    """Numbers in their order before words in theirs, for labels and for names of folders."""
    text = str(label)
    return (0, int(text), "") if text.isdecimal() else (1, 0, text)


def _warnings(arrays: dict[str, np.ndarray]) -> list[str]:
    """What no experiment can mean, or a reader should know of."""
    train, test = ([image.tobytes() for image in arrays[f"x_{part}"]] for part in LEAST)
    known, found = set(train), []
    if len(known) == 1:
        found.append("all images are alike, so there is nothing to learn")
    elif (share := sum(image in known for image in test) / len(test)) >= DUPLICATES:
        found.append(f"{share:.0%} of the test images are among the training images as well")
    if not is_light_on_dark(arrays["x_train"]):
        found.append("the images are dark on light, MNIST's light on dark")
    return found


def _grey_28(images: np.ndarray) -> np.ndarray:
    """uint8 (n, side, side[, 3]) to (n, 28, 28): ITU-R 601 luma, means over areas."""
    if images.shape[1:] == (SIDE, SIDE):
        return images
    small = np.empty((len(images), SIDE, SIDE), np.uint8)
    for i, image in enumerate(images):
        grey = Image.fromarray(image).convert("L")
        small[i] = np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.BOX))
    return small
