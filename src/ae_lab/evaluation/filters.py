"""The classical filters that a denoiser must beat, and what its repeated application does."""

import numpy as np
import scipy.ndimage
from skimage import restoration

from ae_lab.evaluation.reconstruction import psnr, reconstruct
from ae_lab.validation import check_between, check_images, check_whole


def median_filter(x, size) -> np.ndarray:
    """Each pixel of the images ``x`` becomes the median of ``size`` by ``size`` around it."""
    check_whole(size, "size")
    return scipy.ndimage.median_filter(check_images(x), size=(1, size, size, 1))


def non_local_means(x, strength) -> np.ndarray:
    """Average of the places that look alike (Buades et al., 2005), patches of 5x5.

    ``strength`` is scikit-image's ``h``, in units of the pixel range: how unlike two patches
    may be and still be averaged.
    """
    check_between(strength, "strength", 0, 100)
    options = {"patch_size": 5, "patch_distance": 6, "h": strength, "fast_mode": True}
    return _each(x, lambda image: restoration.denoise_nl_means(image, **options))


def wavelets(x, strength) -> np.ndarray:
    """Wavelet coefficients shrunk by BayesShrink (Chang et al., 2000).

    ``strength`` is the deviation of the noise that the method is told, in units of the pixel
    range.
    """
    check_between(strength, "strength", 0, 100)
    options = {"sigma": strength, "method": "BayesShrink", "rescale_sigma": True}
    return _each(x, lambda image: restoration.denoise_wavelet(image, **options))


# Each filter with the strengths among which validation images choose.
FILTERS = {
    "median filter": (median_filter, (1, 3, 5)),
    "non-local means": (non_local_means, (0.02, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4)),
    "wavelets": (wavelets, (0.02, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4)),
}


def best_strength(apply, strengths, x, x_noisy):
    """The one of ``strengths`` at which ``apply(x_noisy, strength)`` has the highest PSNR."""
    return max(strengths, key=lambda strength: psnr(x, apply(x_noisy, strength)))


def repeated(model, x, times) -> list[np.ndarray]:
    """``[x, r(x), r(r(x)), ...]``: the autoencoder applied ``times`` times to its own output.

    Raises
    ------
    LabError
        If ``x`` is no array of images or ``times`` not a whole number of at least 1.
    """
    steps = [check_images(x)]
    for _ in range(check_whole(times, "times")):
        steps.append(reconstruct(model, steps[-1]))
    return steps


def _each(x, apply) -> np.ndarray:
    """A filter for one (height, width) image, applied to each channel of each image."""
    x = check_images(x)
    planes = np.moveaxis(x, -1, 1).reshape(-1, *x.shape[1:3])
    filtered = np.stack([apply(plane) for plane in planes]).reshape(-1, x.shape[3], *x.shape[1:3])
    return np.clip(np.moveaxis(filtered, 1, -1), 0, 1).astype(x.dtype)
