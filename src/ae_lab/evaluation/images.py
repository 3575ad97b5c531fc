"""How sharp an image is, and which images to show."""

from collections.abc import Sequence

import numpy as np

from ae_lab.errors import LabError
from ae_lab.validation import check_images


def gradient_energy(x: np.ndarray) -> np.ndarray:
    """Sum of squared differences of neighbouring pixels of ``x``, by rows and columns: (n,).

    A blurred image has less of it than the sharp one that it came from.
    """
    x = check_images(x).astype(np.float64)
    down, right = np.diff(x, axis=1), np.diff(x, axis=2)
    return (down**2).sum(axis=(1, 2, 3)) + (right**2).sum(axis=(1, 2, 3))


def first_of_each(labels: Sequence[int], classes: int | None = None) -> list[int]:
    """Index of the first row of each class, to show one of each.

    Parameters
    ----------
    labels : whole numbers (n,).
    classes : how many there must be; None for those that occur.

    Raises
    ------
    LabError
        If a class has no row.
    """
    wanted = range(classes) if classes else np.unique(labels)
    found = [np.flatnonzero(np.asarray(labels) == label) for label in wanted]
    if missing := [label for label, rows in enumerate(found) if not len(rows)]:
        raise LabError(
            f"labels must hold every class below {classes}, received none of {missing}: "
            "pass more rows."
        )
    return [int(rows[0]) for rows in found]
