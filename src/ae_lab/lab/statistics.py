"""Intervals and tests that say how far a figure can be trusted, and how a page writes them."""

from typing import NamedTuple

import numpy as np
from scipy import stats

from ae_lab.validation import check_between, check_same_length, check_whole

CONFIDENCE = 0.95


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


def mcnemar(correct_a: np.ndarray, correct_b: np.ndarray) -> tuple[int, int, float]:
    """Exact McNemar test of two classifiers on the same images (McNemar, 1947).

    Parameters
    ----------
    correct_a, correct_b : bool (n,): which images either classifier gets right; a LabError if
        they differ in length.

    Returns
    -------
    (only a right, only b right, p): two counts of images, and the probability of a split at least
    as uneven if both classifiers were equally good.
    """
    check_same_length(correct_a, correct_b, "correct_a", "correct_b")
    only_a = int(np.sum(correct_a & ~correct_b))
    only_b = int(np.sum(correct_b & ~correct_a))
    if only_a + only_b == 0:
        return 0, 0, 1.0
    return only_a, only_b, float(stats.binomtest(only_a, only_a + only_b).pvalue)


def paired_error(correct_a: np.ndarray, correct_b: np.ndarray) -> float:
    """Standard error of the difference of two shares of the same images.

    Parameters
    ----------
    correct_a, correct_b : bool (n,): which images either classifier gets right; a LabError if
        they differ in length.
    """
    check_same_length(correct_a, correct_b, "correct_a", "correct_b")
    difference = np.asarray(correct_a, float) - np.asarray(correct_b, float)
    return float(difference.std() / len(difference) ** 0.5)


def format_interval(share: float, count: int) -> str:
    """A ``share`` of ``count`` cases in per cent, with its interval from `wilson_interval`."""
    low, high = wilson_interval(share, count)
    return f"{share:.2%} [{low:.2%}, {high:.2%}]"


def format_chance(p: float) -> str:
    """A probability ``p`` under the null hypothesis, as a table writes it; from 0 to 1."""
    check_between(p, "p", 0, 1)
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
