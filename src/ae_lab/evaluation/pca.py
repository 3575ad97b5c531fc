"""Principal components, the baseline of every code."""

import math

import numpy as np
import scipy.linalg

from ae_lab.errors import LabError
from ae_lab.validation import check_whole


def pca_reconstruction(x_train: np.ndarray, x_test: np.ndarray, components: int) -> np.ndarray:
    """``x_test`` through the first principal ``components`` of ``x_train`` and back."""
    return through_subspace(x_test, *principal_subspace(x_train, components))


def through_subspace(x: np.ndarray, mean: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """``x`` projected onto ``mean`` (pixels,) and orthonormal ``basis`` (pixels, components)."""
    flat = x.reshape(len(x), -1) - mean
    return (flat @ basis @ basis.T + mean).reshape(x.shape)


def principal_subspace(x_train: np.ndarray, components: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean (pixels,) and orthonormal basis (pixels, components) of the first components.

    ``components`` of the images ``x_train`` are at most as many as their pixels.
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
    """Mean and covariance, some rows at a time to spare memory: they are in double precision."""
    total, products = 0, 0
    for start in range(0, len(x), at_once):
        some = x[start : start + at_once]
        rows = some.reshape(len(some), -1).astype(np.float64)
        total, products = total + rows.sum(axis=0), products + rows.T @ rows
    mean = total / len(x)
    return mean, (products - len(x) * np.outer(mean, mean)) / (len(x) - 1)


def subspace_angles(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Principal angles in degrees, largest first, between the spans of ``first`` and ``second``."""
    return np.degrees(scipy.linalg.subspace_angles(first, second))
