"""PCA, the baseline of every code."""

import numpy as np
import scipy.linalg

from ae_lab.checks import check_whole
from ae_lab.errors import LabError


def pca_reconstruction(x_train, x_test, components: int) -> np.ndarray:
    """``x_test`` through the first principal components of ``x_train`` and back."""
    mean, basis = principal_subspace(x_train, components)
    flat = x_test.reshape(len(x_test), -1) - mean
    return (flat @ basis @ basis.T + mean).reshape(x_test.shape)


def principal_subspace(x_train, components: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean (pixels,) and orthonormal basis (pixels, components) of the first components.

    Raises
    ------
    LabError
        If ``components`` is below 1 or above the number of pixels.
    """
    flat = x_train.reshape(len(x_train), -1).astype(np.float64)
    check_whole(components, "components")
    if components > flat.shape[1]:
        raise LabError(
            f"components must be at most {flat.shape[1]}, the number of pixels, "
            f"received {components}: choose fewer."
        )
    mean = flat.mean(axis=0)
    _, vectors = np.linalg.eigh(np.cov(flat, rowvar=False))
    return mean, vectors[:, ::-1][:, :components]


def subspace_angles(first, second) -> np.ndarray:
    """Principal angles in degrees, largest first, between the spans of two column sets."""
    return np.degrees(scipy.linalg.subspace_angles(first, second))
