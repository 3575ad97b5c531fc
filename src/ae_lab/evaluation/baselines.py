"""Baselines for autoencoders: principal components, denoising filters, image formats."""

import io
import math
from collections.abc import Callable, Sequence

import numpy as np
import scipy.linalg
import scipy.ndimage
from PIL import Image
from skimage import restoration

from ae_lab.errors import LabError
from ae_lab.evaluation.reconstruction import psnr, sse_per_image
from ae_lab.validation import check_at_most, check_between, check_images, check_whole


def pca_reconstruction(x_train: np.ndarray, x_test: np.ndarray, components: int) -> np.ndarray:
    """Reconstruct ``x_test`` from the first ``components`` principal components of ``x_train``."""
    return through_subspace(x_test, *principal_subspace(x_train, components))


def through_subspace(x: np.ndarray, mean: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """The images ``x`` projected onto a subspace, as returned by `principal_subspace`.

    ``mean`` (pixels,) is a point of the subspace; ``basis`` (pixels, components) is orthonormal.
    """
    flat = x.reshape(len(x), -1) - mean
    return (flat @ basis @ basis.T + mean).reshape(x.shape)


def principal_subspace(x_train: np.ndarray, components: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean (pixels,) and orthonormal basis (pixels, components) of the first components.

    ``components`` is their number, at most the number of pixels; ``x_train`` are the images.
    """
    check_at_most(components, "components", math.prod(x_train.shape[1:]), "number of pixels")
    n, total, products = len(x_train), 0, 0
    for start in range(0, n, 5_000):  # all rows in double precision would need much memory
        some = x_train[start : start + 5_000]
        rows = some.reshape(len(some), -1).astype(np.float64)
        total, products = total + rows.sum(axis=0), products + rows.T @ rows
    mean = total / n
    covariance = (products - n * np.outer(mean, mean)) / (n - 1)
    _, vectors = np.linalg.eigh(covariance)
    return mean, vectors[:, ::-1][:, :components]


def subspace_angles(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Principal angles in degrees, largest first, between the spans of ``first`` and ``second``."""
    return np.degrees(scipy.linalg.subspace_angles(first, second))


def median_filter(x: np.ndarray, size: int) -> np.ndarray:
    """``x`` with each pixel replaced by the median of the ``size`` x ``size`` pixels around it."""
    check_whole(size, "size")
    return scipy.ndimage.median_filter(check_images(x), size=(1, size, size, 1))


def non_local_means(x: np.ndarray, strength: float) -> np.ndarray:
    """Average of similar patches of 5x5 pixels of ``x`` (Buades et al., 2005).

    ``strength`` is scikit-image's ``h``, in units of the pixel range: the difference up to which
    two patches are averaged.
    """
    options = {"patch_size": 5, "patch_distance": 6, "h": strength, "fast_mode": True}
    return _each(x, strength, lambda image: restoration.denoise_nl_means(image, **options))


def wavelets(x: np.ndarray, strength: float) -> np.ndarray:
    """``x`` with its wavelet coefficients shrunk by BayesShrink (Chang et al., 2000).

    ``strength`` is the standard deviation of the noise that the method assumes, in units of the
    pixel range.
    """
    options = {"sigma": strength, "method": "BayesShrink", "rescale_sigma": True}
    return _each(x, strength, lambda image: restoration.denoise_wavelet(image, **options))


# Each filter with its possible strengths; the validation images select the best one.
FILTERS = {
    "median filter": (median_filter, (1, 3, 5)),
    "non-local means": (non_local_means, (0.02, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4)),
    "wavelets": (wavelets, (0.02, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4)),
}


def best_strength(
    apply: Callable, strengths: Sequence[float], x: np.ndarray, x_noisy: np.ndarray
) -> float:
    """The value in ``strengths`` for which ``apply(x_noisy, strength)`` has the highest PSNR.

    ``apply`` and ``strengths`` are those of a filter in ``FILTERS``. ``x`` are clean images
    (n, height, width, channels), ``x_noisy`` the same images with noise.
    """
    return max(strengths, key=lambda strength: psnr(x, apply(x_noisy, strength)))


def _each(x, strength, apply) -> np.ndarray:
    """Apply a filter for one (height, width) image to each channel of each image."""
    check_between(strength, "strength", 0, 100)
    x = check_images(x)
    planes = np.moveaxis(x, -1, 1).reshape(-1, *x.shape[1:3])
    filtered = np.stack([apply(plane) for plane in planes]).reshape(-1, x.shape[3], *x.shape[1:3])
    return np.clip(np.moveaxis(filtered, 1, -1), 0, 1).astype(x.dtype)


def bytes_and_error(
    x: np.ndarray, file_format: str, quality: int, columns: int = 20
) -> tuple[float, float]:
    """(bytes per image, squared error per image) of grey images stored as one mosaic.

    All images are in one file, so they share the few hundred bytes of its header. This favours
    formats for large pictures as much as possible.

    Parameters
    ----------
    x : float images (n, height, width, 1) in [0, 1].
    file_format : one of Pillow's names, for example "JPEG" or "WEBP"; "PNG" is lossless.
    quality : from 1 to 100; "PNG" ignores it.
    columns : images per row of the mosaic; n must be a multiple of it.
    """
    x, columns = check_images(x), check_whole(columns, "columns")
    height, width, channels = x.shape[1:]
    if channels != 1 or len(x) % columns:
        raise LabError(
            f"x must hold grey images, a multiple of {columns} of them, received {x.shape}: "
            "pass fewer."
        )
    tiles = np.uint8(np.round(255 * x)).reshape(-1, columns, height, width)
    mosaic, packed = tiles.swapaxes(1, 2).reshape(-1, columns * width), io.BytesIO()
    Image.fromarray(mosaic).save(packed, format=file_format, quality=quality, optimize=True)
    again = np.asarray(Image.open(packed).convert("L"), np.float32) / 255
    tiles = again.reshape(-1, height, columns, width).swapaxes(1, 2)
    return len(packed.getvalue()) / len(x), sse_per_image(x, tiles.reshape(x.shape))
