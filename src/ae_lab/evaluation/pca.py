"""PCA, the baseline of every code."""

import math

import numpy as np
import scipy.linalg

from ae_lab.errors import LabError
from ae_lab.validation import check_whole


def pca_reconstruction(x_train, x_test, components: int) -> np.ndarray:
    """``x_test`` through the first principal components of ``x_train`` and back."""
    return through_subspace(x_test, *principal_subspace(x_train, components))


def through_subspace(x, mean, basis) -> np.ndarray:
    """Images ``x`` projected onto a mean (pixels,) and an orthonormal basis (pixels, numbers)."""
    flat = x.reshape(len(x), -1) - mean
    return (flat @ basis @ basis.T + mean).reshape(x.shape)


def principal_subspace(x_train, components: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean (pixels,) and orthonormal basis (pixels, components) of the first components.

    Raises
    ------
    LabError
        If ``components`` is below 1 or above the number of pixels.
    """
    pixels = math.prod(x_train.shape[1:])
    check_whole(components, "components")
    if components > pixels:
        raise LabError(
            f"components must be at most {pixels}, the number of pixels, "
            f"received {components}: choose fewer."
        )
    mean, covariance = _moments(x_train)
    _, vectors = np.linalg.eigh(covariance)
    return mean, vectors[:, ::-1][:, :components]


def _moments(x, at_once: int = 5_000) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance, a few rows at once: all of them in double precision fill a laptop."""
    total, products = 0, 0
    for start in range(0, len(x), at_once):
        some = x[start : start + at_once]
        rows = some.reshape(len(some), -1).astype(np.float64)
        total, products = total + rows.sum(axis=0), products + rows.T @ rows
    mean = total / len(x)
    return mean, (products - len(x) * np.outer(mean, mean)) / (len(x) - 1)


def subspace_angles(first, second) -> np.ndarray:
    """Principal angles in degrees, largest first, between the spans of two column sets."""
    return np.degrees(scipy.linalg.subspace_angles(first, second))
