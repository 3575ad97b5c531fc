"""Noise with a fixed seed, for evaluation: what the layers of `layers.corruption` draw afresh.

The Gaussian one is ``data.add_gaussian_noise``. All leave ``x`` alone.
"""

import numpy as np

from ae_lab.validation import check_between, check_images, check_whole


def add_masking_noise(x: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """Return ``x`` with each pixel set to 0 with probability ``fraction``.

    Parameters
    ----------
    x : float images (n, height, width, channels) in [0, 1].
    fraction : from 0 to 1.
    seed : whole number; the same seed gives the same noise.

    Raises
    ------
    LabError
        If ``x`` is no such array or ``fraction`` is out of range.
    """
    return np.where(_drawn(x, fraction, seed) < fraction, x.dtype.type(0), x)


def add_salt_and_pepper_noise(x: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """Return ``x`` with each pixel set to 0 or to 1, each with probability ``fraction / 2``.

    Parameters and errors as in ``add_masking_noise``.
    """
    drawn, one = _drawn(x, fraction, seed), x.dtype.type(1)
    return np.where(drawn < fraction / 2, 0 * one, np.where(drawn < fraction, one, x))


def add_square_hole(x: np.ndarray, side: int, seed: int) -> np.ndarray:
    """Return ``x`` with a square of ``side`` pixels set to 0 at a random place in each image.

    Raises
    ------
    LabError
        If ``x`` is no array of images, or ``side`` not a whole number from 1 to their sides.
    """
    height, width = check_images(x).shape[1:3]
    check_between(check_whole(side, "side"), "side", 1, min(height, width))
    rng = np.random.default_rng(seed)
    top, left = (rng.integers(0, size - side + 1, (len(x), 1)) for size in (height, width))
    rows = (np.arange(height) >= top) & (np.arange(height) < top + side)
    columns = (np.arange(width) >= left) & (np.arange(width) < left + side)
    hole = rows[:, :, None, None] & columns[:, None, :, None]
    return np.where(hole, x.dtype.type(0), x)


def _drawn(x, fraction, seed):
    check_between(fraction, "fraction", 0, 1)
    return np.random.default_rng(seed).random(check_images(x).shape, dtype=np.float32)
