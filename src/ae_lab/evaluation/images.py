"""How sharp images are, how different two sets of them are, and which to show."""

from collections.abc import Sequence

import numpy as np
from sklearn.decomposition import PCA

from ae_lab.errors import LabError
from ae_lab.validation import check_at_most, check_images


def gradient_energy(x: np.ndarray) -> np.ndarray:
    """Sum of squared differences between neighbouring pixels of ``x``, by row and column: (n,).

    It is smaller for a blurred image than for the sharp original.
    """
    x = check_images(x).astype(np.float64)
    down, right = np.diff(x, axis=1), np.diff(x, axis=2)
    return (down**2).sum(axis=(1, 2, 3)) + (right**2).sum(axis=(1, 2, 3))


def frechet_distance(x_real: np.ndarray, x_made: np.ndarray, components: int = 50) -> float:
    """Squared Fréchet distance between two sets of images, each described as a Gaussian.

    ``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))`` (Dowson & Landau, 1982) of the scores on the
    first ``components`` principal components of ``x_real``, in squared pixel units. The Fréchet
    inception distance (Heusel et al., 2017) has the same formula, with features of a network in
    place of pixels. ``x_real`` and ``x_made`` are images (n, ...) with the same number of pixels.
    """
    most = min(len(x_real), x_real[0].size)
    check_at_most(components, "components", most, "number of real images or pixels")
    pca = PCA(components, svd_solver="full").fit(x_real.reshape(len(x_real), -1))
    real, made = (pca.transform(x.reshape(len(x), -1)).astype(np.float64) for x in (x_real, x_made))
    first, second = np.cov(real, rowvar=False), np.cov(made, rowvar=False)
    # the eigenvalues of C1 C2 are those of C1^(1/2) C2 C1^(1/2), so they are real and not negative
    eigenvalues = np.linalg.eigvals(first @ second).real
    root = np.sqrt(np.maximum(eigenvalues, 0)).sum()
    between = np.sum((real.mean(axis=0) - made.mean(axis=0)) ** 2)
    return float(between + np.trace(first) + np.trace(second) - 2 * root)


def first_of_each(labels: Sequence[int], classes: int | None = None) -> list[int]:
    """Index of the first row of each class, for figures that show one image per class.

    ``labels`` are whole numbers (n,). ``classes`` is the number of classes that must occur, or
    None for all classes in ``labels``; a `LabError` names the classes without a row.
    """
    wanted = range(classes) if classes else np.unique(labels)
    found = [np.flatnonzero(np.asarray(labels) == label) for label in wanted]
    if missing := [label for label, rows in enumerate(found) if not len(rows)]:
        raise LabError(
            f"labels must contain every class below {classes}, received none of {missing}: "
            "pass more rows."
        )
    return [int(rows[0]) for rows in found]
