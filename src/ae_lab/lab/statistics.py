"""Confidence intervals and tests, and their format on pages."""

from typing import NamedTuple

import numpy as np
from scipy import stats

from ae_lab.validation import check_between, check_same_length, check_whole

CONFIDENCE = 0.95
STANDARD_ERRORS = 2  # a difference must exceed this many to count as more than chance


class Mean(NamedTuple):
    """Mean, standard deviation (n - 1), and bounds of the mean's interval.

    For a single value, all but the mean are NaN.
    """

    mean: float
    deviation: float
    low: float
    high: float


def mean_interval(values: list[float]) -> Mean:
    """The mean of ``values``, one per seed, with its 95 % interval (Student, 1908)."""
    count, mean = len(values), float(np.mean(values))
    if count < 2:
        return Mean(mean, np.nan, np.nan, np.nan)
    deviation = float(np.std(values, ddof=1))
    # stats.t.interval returns NaN if all values are equal
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, count - 1)) * deviation / count**0.5
    return Mean(mean, deviation, mean - half, mean + half)


def wilson_interval(share: float, count: int) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson, 1927), as two shares.

    Parameters
    ----------
    share : share of the cases, from 0 to 1; else a LabError.
    count : number of cases, at least 1; else a LabError.
    """
    check_between(share, "share", 0, 1)
    check_whole(count, "count")
    found = stats.binomtest(round(share * count), count).proportion_ci(CONFIDENCE, "wilson")
    return float(found.low), float(found.high)


class Paired(NamedTuple):
    """On how many more images one classifier is correct than another, on the same images.

    ``gain`` is this number; it is negative if the other classifier is better. ``error`` is its
    standard error, and ``images`` is the number of all images.
    """

    gain: int
    error: float
    images: int

    @property
    def limit(self) -> float:
        """Two standard errors: a smaller gain could be chance in the choice of the images."""
        return STANDARD_ERRORS * self.error

    @property
    def clear(self) -> bool:
        """Whether the difference is larger than two standard errors."""
        return abs(self.gain) > self.limit


def paired_gain(correct_a: np.ndarray, correct_b: np.ndarray) -> Paired:
    """Difference of two classifiers on the same images, with the standard error.

    The error covers the choice of the images, not that of the seeds. Only images on which the
    classifiers disagree count, so the error is smaller than for two independent sets of images.

    Parameters
    ----------
    correct_a, correct_b : as in `mcnemar`.
    """
    only_a, only_b, images = _disagree(correct_a, correct_b)
    gain = only_a - only_b
    return Paired(gain, (only_a + only_b - gain**2 / images) ** 0.5, images)


def mcnemar(correct_a: np.ndarray, correct_b: np.ndarray) -> tuple[int, int, float]:
    """Exact McNemar test of two classifiers on the same images (McNemar, 1947).

    It compares these two networks on images like these. It does not compare the two methods:
    another training gives two other networks.

    Parameters
    ----------
    correct_a, correct_b : bool (n,), whether each image is classified correctly; a LabError if
        the lengths differ.

    Returns
    -------
    (only a correct, only b correct, p): two counts of images, and the probability of a split at
    least as uneven if both classifiers were equally good.
    """
    only_a, only_b, _ = _disagree(correct_a, correct_b)
    if only_a + only_b == 0:
        return 0, 0, 1.0
    return only_a, only_b, float(stats.binomtest(only_a, only_a + only_b).pvalue)


def _disagree(correct_a, correct_b) -> tuple[int, int, int]:
    """Number of images that only a, and only b, classifies correctly, and of all images."""
    check_same_length(correct_a, correct_b, "correct_a", "correct_b")
    a, b = (np.asarray(one, bool) for one in (correct_a, correct_b))
    return int(np.sum(a & ~b)), int(np.sum(b & ~a)), len(a)


def format_interval(share: float, count: int) -> str:
    """A ``share`` of ``count`` cases in per cent, with its `wilson_interval`."""
    low, high = wilson_interval(share, count)
    return f"{share:.2%} [{low:.2%}, {high:.2%}]"


def format_chance(p: float) -> str:
    """A probability ``p`` under the null hypothesis, from 0 to 1, as text for a table."""
    check_between(p, "p", 0, 1)
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
