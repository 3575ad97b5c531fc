"""Your own images, converted for the notebooks, with a description of each conversion.

``AE_LAB_DATASET`` names a file or a folder that `sets` can read.
"""

import math
import re

import numpy as np
from PIL import Image

from ae_lab.data.formats import SAVE, Stored, read_safely, wrong
from ae_lab.data.sets import SIDE, grey_28

NAMES = ("x_train", "y_train", "x_test", "y_test")
CLASSES = 10  # largest number of classes that the notebooks are written for
LEAST = {"train": 3_000, "test": 1_000}  # fewest images with which every experiment can run
LEAST_OF_CLASS = {"train": 50, "test": 20}  # so that the validation part also has each class
DARK = 31  # of 255: if no pixel is brighter, the values are not on a scale from 0 to 255
DUPLICATES = 0.01  # share of the test images from which a warning is given
SPLIT_SEED = 0  # fixed, because the split is part of the data and not of the experiment
NOT_COMPARABLE = "figures below are not comparable with published ones"


def read_plain(stored: dict[str, Stored], unused: list[str]) -> tuple[dict, list[str]]:
    """Convert the arrays of `sets.open_set` to a common form, and describe each conversion.

    ``stored`` and ``unused`` are what `sets.open_set` returns. Returns the arrays ``NAMES``
    (images as uint8 (n, side, side[, 3]), labels as whole numbers or words (n,)) and the
    descriptions. If there is no test part, one is held out. A ``LabError`` describes an array of
    another form, with a line of code that converts it.
    """
    parts = [part for part in ("_train", "_test", "") if {f"x{part}", f"y{part}"} <= set(stored)]
    if not parts:
        received = ", ".join([*(one.origin for one in stored.values()), *unused])
        raise wrong(f"the arrays {', '.join(NAMES)}", received, f"save {SAVE}")
    parts = ["_train", "_test"] if {"_train", "_test"} <= set(parts) else parts[:1]
    used = [f"{axis}{part}" for part in parts for axis in "xy"]
    unused = [*unused, *(one.origin for name, one in stored.items() if name not in used)]
    arrays, notes = [], [f"{', '.join(unused[:5])} not used"] * bool(unused)
    for x_name, y_name in zip(used[::2], used[1::2], strict=True):
        x, y = read_safely(stored[x_name]), read_safely(stored[y_name])
        x = to_bytes(x_name, to_squares(x_name, x, len(y), notes), notes)
        if re.match(r"emnist.*(idx|\.mat|\.csv)", stored[x_name].origin.lower()):
            x = x.swapaxes(1, 2)
            notes.append("transposed (EMNIST images are stored transposed)")
        arrays += [x, to_labels(y_name, y, len(x), notes)]
    if len(arrays) == 2:
        x, y = mixed(*arrays)
        split = len(x) - min(10_000, len(x) // 4)
        arrays = [x[:split], y[:split], x[split:], y[split:]]
        notes.append(f"{len(x) - split:,} images held out for testing (no labelled test part)")
    return dict(zip(NAMES, arrays, strict=True)), list(dict.fromkeys(notes))


def stand_in(arrays: dict, notes: list[str], name: str) -> tuple[dict, str, tuple[str, ...]]:
    """Adapt the ``arrays`` of `read_plain` to the notebooks, and describe them under a ``name``.

    ``notes`` are the descriptions of `read_plain`. Returns the arrays (images as uint8
    (n, 28, 28), labels as uint8 from 0), their description, and the names of the classes. A
    ``LabError`` describes what does not fit.
    """
    found = np.unique(arrays["y_train"])
    first, made = found[:CLASSES], {}
    names = tuple(map(str, first))
    if len(found) > CLASSES:
        notes = [*notes, f"the first {CLASSES} of {len(found)} classes ({' '.join(names)})"]
    elif found.tolist() != list(range(len(found))):
        notes = [*notes, f"classes {' '.join(names)} numbered from 0"]
    for part, least in LEAST.items():
        x, y = arrays[f"x_{part}"], arrays[f"y_{part}"]
        if not np.array_equal(here := np.unique(y), found):
            expected = f"in y_{part} the classes of y_train, {_few(found)}"
            raise wrong(expected, _few(here), "keep the classes that both have")
        kept = np.isin(y, first)
        x, y = x[kept], np.searchsorted(first, y[kept]).astype(np.uint8)
        each, counts = LEAST_OF_CLASS[part], np.bincount(y)
        if len(x) < least or len(counts) < 2 or counts.min() < each:
            expected = f"at least {least:,} images in x_{part}, of 2 classes or more {each} each"
            received = ", ".join(f"{n:,} of {one}" for n, one in zip(counts, names, strict=True))
            do = "add images (a quarter is held out if x_test is missing), or drop rare classes"
            raise wrong(expected, f"{len(x):,}, {received}", do)
        made |= {f"x_{part}": x, f"y_{part}": y}
    shape, other = made["x_train"].shape[1:], made["x_test"].shape[1:]
    if shape != other:
        received = f"{shape} and {other}"
        raise wrong("x_train and x_test with images of one shape", received, "prepare both alike")
    notes = [*notes, *["made grey (luma)"] * (len(shape) == 3)]
    notes += [f"made 28x28 from {shape[0]}x{shape[0]} (means over areas)"] * (shape[0] != SIDE)
    if shape != (SIDE, SIDE):
        pictures = {f"x_{part}": map(Image.fromarray, made[f"x_{part}"]) for part in LEAST}
        made |= {name: np.stack([*map(grey_28, x)]) for name, x in pictures.items()}
    about = ", ".join([name, f"{len(made['x_train']):,} + {len(made['x_test']):,}", *notes])
    source = f"{about}: {NOT_COMPARABLE}"
    return made, "; ".join([source, *_warnings(made)]), names


def is_light_on_dark(images: np.ndarray) -> bool:
    """Whether most pixels are darker than medium grey, as in MNIST; ``images`` are uint8."""
    return bool(np.median(images[:: max(1, len(images) // 1_000)]) < 128)


def to_squares(name: str, x: np.ndarray, count: int, notes: list[str]) -> np.ndarray:
    """``x`` as (count, side, side) or (count, side, side, 3); changes are added to ``notes``.

    ``name`` is the array's name in a `LabError`, which has a line of code for other shapes.
    """
    if x.ndim > 1 and x.shape[-1] == count != len(x):
        x = np.moveaxis(x, -1, 0)
        notes.append("images counted along the last axis")
    if x.ndim == 2 and (side := math.isqrt(x.shape[1])) ** 2 == x.shape[1]:
        x = x.reshape(-1, side, side)
        notes.append(f"rows of {side * side} pixels made {side}x{side}")
    if x.ndim == 4 and x.shape[1] in (1, 3) and x.shape[2] == x.shape[3]:
        x = np.moveaxis(x, 1, -1)
        notes.append("channels moved behind")
    x = x[..., 0] if x.ndim == 4 and x.shape[3] == 1 else x
    received = f"shape {x.shape}, dtype {x.dtype}"
    do = f"{name}.reshape(n, side, side)" if x.ndim < 4 else f"{name}[..., :3]"
    if x.ndim in (3, 4) and x.shape[3:] in ((), (3,)):
        if x.shape[1] == x.shape[2] >= SIDE:
            return x
        side = max(SIDE, *x.shape[1:3])
        pads = [((side - n) // 2, (side - n + 1) // 2) for n in x.shape[1:3]]
        do = f"np.pad({name}, {[(0, 0), *pads, *[(0, 0)] * (x.ndim - 3)]})"
    expected = f"{name} of shape (n, side, side[, 1 or 3]), side at least {SIDE}"
    raise wrong(expected, received, f"save {do} in its place")


def to_bytes(name: str, x: np.ndarray, notes: list[str]) -> np.ndarray:
    """``x`` as uint8, from bool, whole numbers up to 255, or floats in [0, 1] or up to 255.

    ``name`` and ``notes`` are as in `to_squares`. Images that are almost black are refused.
    """
    if x.dtype == bool:
        notes.append("made bytes from bool")
        return x * np.uint8(255)
    number = x.dtype.kind in "uif" and x.size > 0
    low, high = (float(x.min()), float(x.max())) if number else (np.nan, np.nan)
    unit = 255 if x.dtype.kind == "f" and high <= 1 else 1
    expected, received = f"{name} as bytes, or as floats in [0, 1]", f"dtype {x.dtype}"
    if number:
        received += f" from {low:g} to {high:g}"
    if not number:
        do = f"{name}.astype(np.uint8)"
    elif not np.isfinite([low, high]).all():
        do = f"np.nan_to_num({name})"
    elif x.dtype == np.int8:
        do = f"{name}.view(np.uint8)"
    elif low < 0 or high > 255:
        do = f"np.uint8(255.0 * ({name} {-low:+g}) / {high - low:g})"
    elif 0 < unit * high <= DARK:
        expected = f"{name} with a pixel brighter than {DARK} of 255"
        do = f"{name} * {255 / (unit * high):.4g}"
    else:
        if x.dtype == np.uint8:
            return x
        notes.append(f"made bytes from {x.dtype}{' in [0, 1]' if unit == 255 else ''}")
        return np.rint(unit * x).astype(np.uint8)
    raise wrong(expected, received, f"save {do} in its place")


def to_labels(name: str, y: np.ndarray, count: int, notes: list[str]) -> np.ndarray:
    """``y`` as whole numbers from 0, or words, (``count``,); ``name``, ``notes`` as above."""
    if y.ndim == 2 and len(y) == count and y.shape[1] > 1:
        if (np.count_nonzero(y, axis=1) != 1).any() or y.max() != 1:
            do = f"save {name}[:, 0] or {name}.argmax(1) in its place, whichever contains the class"
            raise wrong(f"one class per image in {name}", f"shape {y.shape}", do)
        notes.append("one-hot labels made numbers")
        y = y.argmax(axis=1)
    received = f"shape {y.shape}, dtype {y.dtype}"
    if y.size == count and y.dtype.kind in "SU":
        y = y.reshape(-1).astype(str)
        return y.astype(int) if np.char.isdecimal(y).all() else y
    if y.size == count and y.dtype.kind in "uifb":
        if (y >= 0).all() and np.isfinite(y).all() and (y == np.rint(y)).all():
            return y.reshape(-1).astype(int)
        received = f"numbers from {y.min():g} to {y.max():g}"
    do = f"keep the images that have one ({name} >= 0), and save {name}.astype(int)"
    raise wrong(f"{count:,} whole numbers or words in {name}", received, do)


def mixed(images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``images`` and ``labels`` in a random but fixed order (SPLIT_SEED): files may be sorted."""
    order = np.random.default_rng(SPLIT_SEED).permutation(len(images))
    return images[order], labels[order]


def _few(labels: np.ndarray) -> str:
    return f"{len(labels)}: {' '.join(map(str, labels[:12]))}{' …' if len(labels) > 12 else ''}"


def _warnings(arrays: dict[str, np.ndarray]) -> list[str]:
    """Sentences about faults of the data that a reader should know of."""
    train, test = ([image.tobytes() for image in arrays[f"x_{part}"]] for part in LEAST)
    known, found = set(train), []
    if len(known) == 1:
        found.append("all images are equal, so there is nothing to learn")
    elif (share := sum(image in known for image in test) / len(test)) >= DUPLICATES:
        found.append(f"{share:.0%} of the test images are also among the training images")
    if not is_light_on_dark(arrays["x_train"]):
        found.append("the images are dark on light, while MNIST is light on dark")
    return found
