"""How far generated images are from real ones, as two clouds of points."""

import numpy as np
from sklearn.decomposition import PCA

from ae_lab.errors import LabError
from ae_lab.validation import check_whole


def frechet_distance(x_real: np.ndarray, x_made: np.ndarray, components: int = 50) -> float:
    """Squared Fréchet distance of two sets of images, each described as a Gaussian.

    ``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))`` (Dowson & Landau, 1982) of the scores on the
    first ``components`` principal components of ``x_real``, in squared pixel units; the same
    formula as the Fréchet inception distance (Heusel et al., 2017), with pixels in place of a
    network's features.

    Parameters
    ----------
    x_real, x_made : real and generated images (n, ...), as many pixels each.
    components : number of principal components.
    """
    if (most := min(len(x_real), x_real[0].size)) < check_whole(components, "components"):
        raise LabError(
            f"components must be at most {most}, the number of real images or pixels, received "
            f"{components}: choose fewer, or add images."
        )
    pca = PCA(components, svd_solver="full").fit(x_real.reshape(len(x_real), -1))
    real, made = (pca.transform(x.reshape(len(x), -1)).astype(np.float64) for x in (x_real, x_made))
    first, second = np.cov(real, rowvar=False), np.cov(made, rowvar=False)
    # the eigenvalues of C1 C2 are those of C1^(1/2) C2 C1^(1/2): real and not negative
    eigenvalues = np.linalg.eigvals(first @ second).real
    root = np.sqrt(np.maximum(eigenvalues, 0)).sum()
    between = np.sum((real.mean(axis=0) - made.mean(axis=0)) ** 2)
    return float(between + np.trace(first) + np.trace(second) - 2 * root)
