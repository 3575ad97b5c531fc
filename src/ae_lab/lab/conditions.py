"""The conditions of a claim: each says what was measured, what was asked and why that much.

``lab.claim(id, at_least("units near the target", 0.84, 0.90, "share", because="..."))``

A condition has one unit, and its margin is in it. Counts stay whole numbers.
"""

import math
import numbers
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np

from ae_lab.errors import LabError
from ae_lab.lab.statistics import STANDARD_ERRORS, paired_gain

EXACT = 1e-9  # share of two numbers within which their difference is a mere rounding error


@dataclass(frozen=True)
class Condition:
    """One condition of a claim. Made by the functions below.

    Parameters
    ----------
    name : what was measured, in words.
    value : what came out, in ``unit``.
    unit : in words.
    asked : the bar in words, with the unit.
    because : why that much is asked, in words.
    low, high : the bar, in ``unit``: ``value`` is to lie above ``low`` and below ``high``; None
        for a side without one.
    control : True for a control, which is shown and has no part in the verdict.
    """

    name: str
    value: float
    unit: str
    asked: str
    because: str
    low: float | None = None
    high: float | None = None
    control: bool = False

    @property
    def margin(self) -> float:
        """By how much it is met, in ``unit``: positive if it is; whole for a count."""
        below = [] if self.low is None else [_less(self.value, self.low)]
        return min(below + ([] if self.high is None else [_less(self.high, self.value)]))

    @property
    def met(self) -> bool:
        """Whether it is met."""
        return self.margin > 0

    @property
    def measured(self) -> str:
        """What came out, in words."""
        return _form(self.value, self.unit)

    @property
    def sentence(self) -> str:
        """For example "share of units: 84.0% (asked: at least 90.0%, because ...): not met"."""
        what = f"control, {self.name}" if self.control else self.name
        met = "met" if self.met else "not met"
        return f"{what}: {self.measured} (asked: {self.asked}, because {self.because}): {met}"

    def to_json(self) -> dict:
        """The fields by name, what was measured in words, and the margin; for ``json.dump``."""
        return asdict(self) | {"measured": self.measured, "margin": self.margin}


def at_least(name: str, value: float, bound: float, unit: str, *, because: str) -> Condition:
    """``value`` is at least ``bound``.

    Parameters
    ----------
    name : what was measured, in words.
    value, bound : both in ``unit``; two whole numbers for a count.
    unit : in words, "ratio" for a number without one; "share" is shown in per cent.
    because : why that much, in words: a standard error, a published value, the smallest difference
        that would matter.

    Raises
    ------
    LabError
        If a number is not finite, or no unit or no reason is given.
    """
    asked = f"at least {_form(bound, unit)}"
    return _condition(name, value, unit, asked, because, low=bound)


def at_most(name: str, value: float, bound: float, unit: str, *, because: str) -> Condition:
    """``value`` is at most ``bound``; ``name``, ``unit`` and ``because`` as in `at_least`."""
    asked = f"at most {_form(bound, unit)}"
    return _condition(name, value, unit, asked, because, high=bound)


def between(
    name: str, value: float, low: float, high: float, unit: str, *, because: str
) -> Condition:
    """``value`` is from ``low`` to ``high``; ``name``, ``unit``, ``because`` as in `at_least`."""
    asked = f"{_form(low, unit)} to {_form(high, unit)}"
    return _condition(name, value, unit, asked, because, low=low, high=high)


def better_than(
    name: str,
    value: float,
    rival: Mapping[str, float],
    unit: str,
    *,
    by: float,
    because: str,
    better: str = "higher",
) -> Condition:
    """``value`` is better than that of one rival, by at least so much.

    Parameters
    ----------
    name, value, unit : as in `at_least`.
    rival : one name and its value in ``unit``, for example ``{"PCA, 32 components": 13.2}``.
    by : smallest difference that counts, in ``unit``, 0 or above.
    because : why that much, in words.
    better : "higher" or "lower".

    Raises
    ------
    LabError
        If there is not one rival, ``better`` is another word, or as in `at_least`.
    """
    if better not in ("higher", "lower"):
        raise LabError(f"better must be 'higher' or 'lower', received {better!r} for {name}.")
    other, theirs = _only(name, rival)
    _number(name, theirs), _number(name, by)
    asked = f"{better} than {other}, {_form(theirs, unit)}"
    asked += f", by {_form(by, unit)}" if by else ""
    bound = {"low": theirs + by} if better == "higher" else {"high": theirs - by}
    return _condition(name, value, unit, asked, because, **bound)


def more_correct(
    name: str,
    correct: np.ndarray,
    rival: Mapping[str, np.ndarray],
    *,
    by: int = 0,
    because: str = "a smaller gain could be chance in the choice of the test images",
) -> Condition:
    """``correct`` is right about more images than one rival, counted on the same images.

    The gain must be beyond two standard errors of the paired difference, and beyond ``by``.

    Parameters
    ----------
    name : what was measured, in words.
    correct : bool (n,), which images are classified correctly.
    rival : one name and the same of its own.
    by : smallest gain that counts, in images.
    because : why so much is asked, in words.
    """
    other, theirs = _only(name, rival)
    paired = paired_gain(correct, theirs)
    bound = max(by, paired.limit)
    asked = (
        f"{bound:.4g} more than {other}; {STANDARD_ERRORS} standard errors are {paired.limit:.3g}"
    )
    return _condition(name, paired.gain, f"images of {paired.images:,}", asked, because, low=bound)


def control(condition: Condition) -> Condition:
    """The same ``condition`` as a control: shown, without a part in the verdict."""
    return replace(condition, control=True)


def _only(name: str, rival: Mapping) -> tuple:
    if len(rival) != 1:
        raise LabError(
            f"{name} needs one rival, received {list(rival)}: make one condition for each."
        )
    return next(iter(rival.items()))


def _condition(name, value, unit, asked, because, **bounds) -> Condition:
    """A condition that ``value`` lies above ``low`` and below ``high``, whichever is given."""
    value, *checked = (_number(name, number) for number in (value, *bounds.values()))
    for what, given in {"its unit": unit, "why that much is asked": because}.items():
        if not given.strip():
            raise LabError(f"{name} must say {what}, received nothing: add it.")
    bounds = dict(zip(bounds, checked, strict=True))
    return Condition(name, value, unit, asked, because, **bounds)


def _number(name: str, value: object) -> float:
    """``value``, whole if it is a count; a LabError that names the condition otherwise."""
    if not isinstance(value, numbers.Real) or isinstance(value, bool) or not math.isfinite(value):
        raise LabError(
            f"what {name} compares must be finite numbers, received {value!r}: "
            "pass what was measured and what is asked, in one unit."
        )
    return int(value) if isinstance(value, numbers.Integral) else float(value)


def _less(large: float, small: float) -> float:
    """``large - small``: exact for counts, otherwise to six digits and without rounding errors."""
    if isinstance(large, int) and isinstance(small, int):
        return large - small
    difference = large - small
    tiny = EXACT * max(abs(large), abs(small))
    return 0.0 if abs(difference) <= tiny else float(f"{difference:.6g}")


def _form(value: float, unit: str) -> str:
    if not isinstance(value, numbers.Real):
        return repr(value)  # refused in a moment
    if unit.startswith("share"):
        return f"{value:.1%}"
    return f"{value:{',d' if isinstance(value, numbers.Integral) else '.4g'}} {unit}".rstrip()
