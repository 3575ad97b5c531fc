"""How sharp images are, how far two sets of them are apart, and which of them to show."""

from collections.abc import Sequence

import numpy as np
from sklearn.decomposition import PCA

from ae_lab.errors import LabError
from ae_lab.validation import check_at_most, check_images


def gradient_energy(x: np.ndarray) -> np.ndarray:
    """Sum of squared differences of neighbouring pixels of ``x``, by rows and columns: (n,).

    A blurred image has less of it than the sharp one that it came from.
    """
    x = check_images(x).astype(np.float64)
    down, right = np.diff(x, axis=1), np.diff(x, axis=2)
    return (down**2).sum(axis=(1, 2, 3)) + (right**2).sum(axis=(1, 2, 3))


def frechet_distance(x_real: np.ndarray, x_made: np.ndarray, components: int = 50) -> float:
    """Squared Fréchet distance of two sets of images, each described as a Gaussian.

    ``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))`` (Dowson & Landau, 1982) of the scores on the
    first ``components`` principal components of ``x_real``, in squared pixel units; the same
    formula as the Fréchet inception distance (Heusel et al., 2017), with pixels in place of a
    network's features. ``x_real`` and ``x_made`` are images (n, ...), as many pixels each.
    """
    most = min(len(x_real), x_real[0].size)
    check_at_most(components, "components", most, "number of real images or pixels")
    pca = PCA(components, svd_solver="full").fit(x_real.reshape(len(x_real), -1))
    real, made = (pca.transform(x.reshape(len(x), -1)).astype(np.float64) for x in (x_real, x_made))
    first, second = np.cov(real, rowvar=False), np.cov(made, rowvar=False)
    # the eigenvalues of C1 C2 are those of C1^(1/2) C2 C1^(1/2): real and not negative
    eigenvalues = np.linalg.eigvals(first @ second).real
    root = np.sqrt(np.maximum(eigenvalues, 0)).sum()
    between = np.sum((real.mean(axis=0) - made.mean(axis=0)) ** 2)
    return float(between + np.trace(first) + np.trace(second) - 2 * root)


def first_of_each(labels: Sequence[int], classes: int | None = None) -> list[int]:
    """Index of the first row of each class, to show one of each.

    ``labels`` are whole numbers (n,). ``classes`` is how many there must be, or None for those
    that occur; a `LabError` names those without a row.
    """
    wanted = range(classes) if classes else np.unique(labels)
    found = [np.flatnonzero(np.asarray(labels) == label) for label in wanted]
    if missing := [label for label, rows in enumerate(found) if not len(rows)]:
        raise LabError(
            f"labels must hold every class below {classes}, received none of {missing}: "
            "pass more rows."
        )
    return [int(rows[0]) for rows in found]
