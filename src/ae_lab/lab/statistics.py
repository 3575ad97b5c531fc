"""Shares, intervals and chances, as a page says them."""

import math

from ae_lab.validation import check_between, check_whole


def format_interval(share: float, count: int) -> str:
    """A share of ``count`` cases in per cent with its 95 % Wilson interval."""
    low, high = wilson_interval(share, count)
    return f"{share:.2%} [{low:.2%}, {high:.2%}]"


def format_chance(p: float) -> str:
    """A probability ``p`` under the null hypothesis, in words that fit a table's cell."""
    check_between(p, "p", 0, 1)
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def wilson_interval(share: float, count: int) -> tuple[float, float]:
    """The 95 % score interval of a share of ``count`` cases (Wilson, 1927)."""
    check_between(share, "share", 0, 1)
    check_whole(count, "count")
    z = 1.959964
    centre = share + z**2 / (2 * count)
    half = z * math.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    scale = 1 + z**2 / count
    return (centre - half) / scale, (centre + half) / scale
