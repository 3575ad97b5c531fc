"""Checks of arguments: each raises a one-sentence error instead of a deep traceback.

Each check takes a value and its name for the message. It returns the value, or raises ``LabError``
if the value is not what the first line of the check describes.
"""

from collections.abc import Sized

import numpy as np

from ae_lab.errors import LabError


def check_images(images, name: str = "x", bytes_too: bool = False) -> np.ndarray:
    """Floats of shape (n, height, width, channels) in [0, 1], n at least 1.

    With ``bytes_too``, bytes are also accepted; they stand for bytes / 255.
    """
    images = np.asarray(images)
    if images.ndim != 4 or 0 in images.shape:
        raise LabError(
            f"{name} must be images of shape (n, height, width, channels) with n at least 1, "
            f"received shape {images.shape}: reshape it, for example with x.reshape(-1, 28, 28, 1)."
        )
    if bytes_too and images.dtype == np.uint8:
        return images
    if not np.issubdtype(images.dtype, np.floating):
        raise LabError(
            f"{name} must hold floats in [0, 1], received dtype {images.dtype}: "
            "divide bytes by 255 first."
        )
    low, high = float(images.min()), float(images.max())
    if not (low >= 0.0 and high <= 1.0):  # written so that NaN fails too
        raise LabError(
            f"{name} must lie in [0, 1], received values from {low:g} to {high:g}: "
            "divide bytes by 255, or clip."
        )
    return images


def check_same_shape(first: tuple, second: tuple, first_name: str, second_name: str) -> None:
    """Two equal shapes. Returns nothing."""
    if first != second:
        raise LabError(
            f"{first_name} and {second_name} must have the same shape, received {first} and "
            f"{second}: prepare both in the same way."
        )


def check_same_length(first: Sized, second: Sized, first_name: str, second_name: str) -> None:
    """Two arrays or lists with the same number of rows. Returns nothing."""
    if len(first) != len(second):
        raise LabError(
            f"{first_name} and {second_name} must have the same number of rows, "
            f"received {len(first)} and {len(second)}: pass rows that belong together."
        )


def check_whole(value, name: str, at_least: int = 1) -> int:
    """A whole number of at least ``at_least``; True and False are not numbers here."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < at_least:
        raise LabError(f"{name} must be a whole number of at least {at_least}, received {value!r}.")
    return int(value)


def check_at_most(value, name: str, most: int, what: str) -> int:
    """A whole number from 1 to ``most``; ``what`` describes ``most``, such as "number of units"."""
    if (whole := check_whole(value, name)) > most:
        raise LabError(f"{name} must be at most {most}, the {what}, received {whole}: use fewer.")
    return whole


def check_between(value, name: str, low: float, high: float) -> float:
    """A number in [``low``, ``high``]; NaN, True and False are not numbers here."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise LabError(f"{name} must be a number, received {value!r}.")
    if not low <= value <= high:
        raise LabError(f"{name} must be from {low:g} to {high:g}, received {value:g}.")
    return float(value)


def check_labels(labels, classes: int, name: str = "labels") -> np.ndarray:
    """Whole numbers (n,) from 0 to ``classes`` - 1, n at least 1."""
    labels = np.asarray(labels)
    whole = labels.ndim == 1 and len(labels) and np.issubdtype(labels.dtype, np.integer)
    if not whole or labels.min() < 0 or labels.max() >= classes:
        raise LabError(
            f"{name} must be whole numbers of shape (n,) from 0 to {classes - 1}, received "
            f"{labels.dtype} of shape {labels.shape}"
            + (f" from {labels.min()} to {labels.max()}" if whole else "")
            + ": pass the class of each image."
        )
    return labels


def check_classes(labels, name: str = "labels") -> np.ndarray:
    """Labels (n,) of at least two classes. Returns the classes in increasing order."""
    classes = np.unique(labels)
    if (n := len(classes)) < 2:
        raise LabError(f"{name} must name at least 2 classes, received {n}: add another class.")
    return classes


def check_finite(values, name: str = "x") -> np.ndarray:
    """Finite numbers of any shape. Returns an array."""
    values = np.asarray(values)
    if not (np.issubdtype(values.dtype, np.number) and np.isfinite(values).all()):
        raise LabError(
            f"{name} must be finite numbers, received NaN, infinity or no numbers (dtype "
            f"{values.dtype}): did a training diverge?"
        )
    return values
