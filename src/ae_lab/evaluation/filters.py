"""The classical filters that a denoiser must beat."""

from collections.abc import Callable, Sequence

import numpy as np
import scipy.ndimage
from skimage import restoration

from ae_lab.evaluation.reconstruction import psnr
from ae_lab.validation import check_between, check_images, check_whole


def median_filter(x: np.ndarray, size: int) -> np.ndarray:
    """Each pixel of ``x`` becomes the median of the ``size`` by ``size`` pixels around it."""
    check_whole(size, "size")
    return scipy.ndimage.median_filter(check_images(x), size=(1, size, size, 1))


def non_local_means(x: np.ndarray, strength: float) -> np.ndarray:
    """Average of the places that look alike (Buades et al., 2005), patches of 5x5 of ``x``.

    ``strength`` is scikit-image's ``h``, in units of the pixel range: how different two patches
    may be and still be averaged.
    """
    check_between(strength, "strength", 0, 100)
    options = {"patch_size": 5, "patch_distance": 6, "h": strength, "fast_mode": True}
    return _each(x, lambda image: restoration.denoise_nl_means(image, **options))


def wavelets(x: np.ndarray, strength: float) -> np.ndarray:
    """Wavelet coefficients of ``x`` shrunk by BayesShrink (Chang et al., 2000).

    ``strength`` is the standard deviation of the noise that the method assumes, in units of the
    pixel range.
    """
    check_between(strength, "strength", 0, 100)
    options = {"sigma": strength, "method": "BayesShrink", "rescale_sigma": True}
    return _each(x, lambda image: restoration.denoise_wavelet(image, **options))


# Each filter with its strengths; validation images choose among them.
FILTERS = {
    "median filter": (median_filter, (1, 3, 5)),
    "non-local means": (non_local_means, (0.02, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4)),
    "wavelets": (wavelets, (0.02, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4)),
}


def best_strength(
    apply: Callable, strengths: Sequence[float], x: np.ndarray, x_noisy: np.ndarray
) -> float:
    """The one of ``strengths`` at which ``apply(x_noisy, strength)`` has the highest PSNR.

    Parameters
    ----------
    apply, strengths : a filter and its strengths, as in ``FILTERS``.
    x, x_noisy : the clean images (n, height, width, channels), and the same with noise.
    """
    return max(strengths, key=lambda strength: psnr(x, apply(x_noisy, strength)))


def _each(x, apply) -> np.ndarray:
    """A filter for one (height, width) image, applied to each channel of each image."""
    x = check_images(x)
    planes = np.moveaxis(x, -1, 1).reshape(-1, *x.shape[1:3])
    filtered = np.stack([apply(plane) for plane in planes]).reshape(-1, x.shape[3], *x.shape[1:3])
    return np.clip(np.moveaxis(filtered, 1, -1), 0, 1).astype(x.dtype)
