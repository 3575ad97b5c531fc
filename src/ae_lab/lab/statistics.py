"""Intervals and tests that say how far a figure can be trusted, and how a page writes them."""

from typing import NamedTuple

import numpy as np
from scipy import stats

from ae_lab.validation import check_between, check_same_length, check_whole

CONFIDENCE = 0.95
STANDARD_ERRORS = 2  # of a difference that is not chance


class Mean(NamedTuple):
    """Mean, standard deviation (n - 1) and bounds of the mean's interval; NaN from one value."""

    mean: float
    deviation: float
    low: float
    high: float


def mean_interval(values: list[float]) -> Mean:
    """The mean of ``values``, one for each seed, and its 95 % interval (Student, 1908)."""
    count, mean = len(values), float(np.mean(values))
    if count < 2:
        return Mean(mean, np.nan, np.nan, np.nan)
    deviation = float(np.std(values, ddof=1))
    # stats.t.interval gives NaN where all values are equal
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, count - 1)) * deviation / count**0.5
    return Mean(mean, deviation, mean - half, mean + half)


def wilson_interval(share: float, count: int) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson, 1927), as two shares.

    Parameters
    ----------
    share : of the cases, from 0 to 1; a LabError refuses others.
    count : number of cases, at least 1; a LabError refuses fewer.
    """
    check_between(share, "share", 0, 1)
    check_whole(count, "count")
    found = stats.binomtest(round(share * count), count).proportion_ci(CONFIDENCE, "wilson")
    return float(found.low), float(found.high)


class Paired(NamedTuple):
    """How many more images one is right about than the other, its standard error, and of how many.

    ``gain`` is a whole number of ``images``, negative where the other leads, as is ``error``.
    """

    gain: int
    error: float
    images: int

    @property
    def limit(self) -> float:
        """Two standard errors: a gain of fewer images could be chance in their choice."""
        return STANDARD_ERRORS * self.error

    @property
    def clear(self) -> bool:
        """Whether either is right about more images than chance explains."""
        return abs(self.gain) > self.limit


def paired_gain(correct_a: np.ndarray, correct_b: np.ndarray) -> Paired:
    """How far two classifiers differ on the same images, with the error of the paired difference.

    The error covers the choice of the images, not that of the seeds. Only images on which the two
    disagree play a part, so that it is smaller than that of two shares of different images.

    Parameters
    ----------
    correct_a, correct_b : as in `mcnemar`.
    """
    only_a, only_b, images = _disagree(correct_a, correct_b)
    gain = only_a - only_b
    return Paired(gain, (only_a + only_b - gain**2 / images) ** 0.5, images)


def mcnemar(correct_a: np.ndarray, correct_b: np.ndarray) -> tuple[int, int, float]:
    """Exact McNemar test of two classifiers on the same images (McNemar, 1947).

    It is about these two networks and images like these. Of the two methods it says nothing:
    the same methods, trained again, give two other networks.

    Parameters
    ----------
    correct_a, correct_b : bool (n,): which images either classifier gets right; a LabError if
        they differ in length.

    Returns
    -------
    (only a right, only b right, p): two counts of images, and the probability of a split at least
    as uneven if both classifiers were equally good.
    """
    only_a, only_b, _ = _disagree(correct_a, correct_b)
    if only_a + only_b == 0:
        return 0, 0, 1.0
    return only_a, only_b, float(stats.binomtest(only_a, only_a + only_b).pvalue)


def _disagree(correct_a, correct_b) -> tuple[int, int, int]:
    """The images that only a, and only b, gets right, and all of them."""
    check_same_length(correct_a, correct_b, "correct_a", "correct_b")
    a, b = (np.asarray(one, bool) for one in (correct_a, correct_b))
    return int(np.sum(a & ~b)), int(np.sum(b & ~a)), len(a)


def format_interval(share: float, count: int) -> str:
    """A ``share`` of ``count`` cases in per cent, with its interval from `wilson_interval`."""
    low, high = wilson_interval(share, count)
    return f"{share:.2%} [{low:.2%}, {high:.2%}]"


def format_chance(p: float) -> str:
    """A probability ``p`` under the null hypothesis, as a table writes it; from 0 to 1."""
    check_between(p, "p", 0, 1)
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
