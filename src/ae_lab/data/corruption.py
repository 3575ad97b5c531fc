"""Corruption with a fixed seed, for evaluation. For training see `layers.corruption`.

Each function takes float images ``x`` (n, height, width, channels) in [0, 1] and a strength. It
returns a new array of the same shape and dtype. The same ``seed``, a whole number, gives the same
corruption. A ``LabError`` names an argument that is not as described.
"""

import numpy as np

from ae_lab.validation import check_between, check_images, check_whole


def add_gaussian_noise(x: np.ndarray, stddev: float, seed: int) -> np.ndarray:
    """Return ``x`` plus Gaussian noise, clipped to [0, 1].

    ``stddev`` is the standard deviation in units of the pixel range, from 0 to 100.
    """
    x = check_images(x)
    check_between(stddev, "stddev", 0, 100)
    noise = np.random.default_rng(seed).standard_normal(x.shape, dtype=np.float32)
    return np.clip(x + np.float32(stddev) * noise, 0, 1).astype(x.dtype)


def add_masking_noise(x: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """Return ``x`` with random pixels set to 0, each with probability ``fraction``."""
    return np.where(_drawn(x, fraction, seed) < fraction, x.dtype.type(0), x)


def add_salt_and_pepper_noise(x: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """Return ``x`` with random pixels set to 0 or 1.

    Each pixel becomes 0 with probability ``fraction / 2``, and 1 with the same probability.
    """
    drawn, one = _drawn(x, fraction, seed), x.dtype.type(1)
    return np.where(drawn < fraction / 2, 0 * one, np.where(drawn < fraction, one, x))


def add_square_hole(x: np.ndarray, side: int, seed: int) -> np.ndarray:
    """Return ``x`` with a square at a random position set to 0 in each image.

    ``side`` is the side of the square in pixels, from 1 to the shorter side of the images.
    """
    height, width = check_images(x).shape[1:3]
    check_between(check_whole(side, "side"), "side", 1, min(height, width))
    rng = np.random.default_rng(seed)
    top, left = (rng.integers(0, size - side + 1, (len(x), 1)) for size in (height, width))
    rows = (np.arange(height) >= top) & (np.arange(height) < top + side)
    columns = (np.arange(width) >= left) & (np.arange(width) < left + side)
    hole = rows[:, :, None, None] & columns[:, None, :, None]
    return np.where(hole, x.dtype.type(0), x)


def _drawn(x: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    check_between(fraction, "fraction", 0, 1)
    return np.random.default_rng(seed).random(check_images(x).shape, dtype=np.float32)
