"""How much a code changes when the image changes slightly, and which codes are neighbours."""

from collections.abc import Sequence

import keras
import numpy as np
from sklearn.neighbors import NearestNeighbors

from ae_lab.errors import LabError
from ae_lab.evaluation.reconstruction import code_model, encode
from ae_lab.validation import check_images, check_same_length, check_whole

STEP = 1e-2  # in units of the pixel range: larger steps are less exact, smaller ones round more


def encoder_jacobian(model: keras.Model, x: np.ndarray, step: float = STEP) -> np.ndarray:
    """The Jacobians dz/dx (n, latent_dim, pixels) at the images ``x``, by central differences.

    ``model`` has a flat code; ``step`` is the change of one pixel, in units of the pixel range.
    Use only a few images: for each, two images per pixel are encoded.
    """
    return np.stack(list(_jacobians(model, x, step)))


def jacobian_norm(model: keras.Model, x: np.ndarray, step: float = STEP) -> float:
    """Squared Frobenius norm of the Jacobian, mean over ``x``; ``model``, ``step`` as above."""
    return float(np.mean([np.sum(jacobian**2) for jacobian in _jacobians(model, x, step)]))


def jacobian_spectrum(model: keras.Model, x: np.ndarray, step: float = STEP) -> np.ndarray:
    """Singular values of the Jacobian, largest first, each the mean over ``x``.

    The code follows directions of the input with a large singular value and ignores those with a
    small one (Rifai et al., 2011, section 5.3). ``model`` and ``step`` are as above.
    """
    jacobians = _jacobians(model, x, step)
    return np.mean([np.linalg.svd(jacobian, compute_uv=False) for jacobian in jacobians], axis=0)


def contraction(model: keras.Model, x: np.ndarray, x_moved: np.ndarray) -> float:
    """Mean of ``||f(x_moved) - f(x)|| / ||x_moved - x||``; below 1 the encoder contracts.

    f is ``encode`` with ``model``. ``x_moved`` has a slightly changed copy of each image in ``x``.
    """
    return _contraction(model, x, x_moved)[0]


def relative_contraction(model: keras.Model, x: np.ndarray, x_moved: np.ndarray) -> float:
    """``contraction`` with distances in units of the spread of each space.

    It does not change if all codes are multiplied by a number. Values below 1 mean that a
    neighbourhood shrinks more than the distances between different images. ``model``, ``x`` and
    ``x_moved`` are as in ``contraction``.
    """
    contracted, z = _contraction(model, x, x_moved)
    return contracted * spread(x) / spread(z)


def _contraction(model, x, x_moved) -> tuple[float, np.ndarray]:
    """`contraction`, and the codes of ``x``."""
    check_same_length(x, x_moved, "x", "x_moved")
    distances = _lengths(x_moved - x)
    if not distances.all():
        raise LabError("x_moved must differ from x in every image, received an equal one.")
    z = encode(model, x)
    return float(np.mean(_lengths(encode(model, x_moved) - z) / distances)), z


def spread(points: np.ndarray) -> float:
    """Root mean square distance between two different rows of ``points`` (n, ...)."""
    flat = np.asarray(points, np.float64).reshape(len(points), -1)
    return float(np.sqrt(2 * flat.var(axis=0, ddof=1).sum()))


def neighbour_overlap(first: np.ndarray, second: np.ndarray, k: int = 10) -> float:
    """Fraction of the ``k`` nearest neighbours that are the same in both spaces, mean over rows.

    ``first`` and ``second`` are (n, ...): the same n objects in two spaces.
    """
    check_same_length(first, second, "first", "second")
    pairs = zip(_nearest(first, k), _nearest(second, k), strict=True)
    return float(np.mean([len(np.intersect1d(a, b)) / k for a, b in pairs]))


def neighbour_agreement(points: np.ndarray, labels: Sequence[int], k: int = 10) -> float:
    """Fraction of the ``k`` nearest neighbours with the same label as the row, mean over rows.

    ``points`` are (n, ...), ``labels`` whole numbers (n,).
    """
    check_same_length(points, labels, "points", "labels")
    labels = np.asarray(labels)
    return float(np.mean(labels[_nearest(points, k)] == labels[:, None]))


def _jacobians(model, x, step):
    coder = code_model(model)
    for image in check_images(x):
        moves = step * np.eye(image.size, dtype="float32").reshape(-1, *image.shape)
        up, down = (coder(image + sign * moves, training=False) for sign in (1, -1))
        yield keras.ops.convert_to_numpy(up - down).T.astype(np.float64) / (2 * step)


def _lengths(rows):
    return np.linalg.norm(rows.reshape(len(rows), -1), axis=1)


def _nearest(points, k):
    flat = np.asarray(points).reshape(len(points), -1)
    search = NearestNeighbors(n_neighbors=check_whole(k, "k")).fit(flat)
    return search.kneighbors(return_distance=False)  # without the point itself
