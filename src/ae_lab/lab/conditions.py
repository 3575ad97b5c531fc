"""The conditions of a claim: each has what was measured, what was asked, and why that much.

``lab.claim(id, at_least("units near the target", 0.84, 0.90, "share", because="..."))``

The value, the bound and the margin of a condition have the same unit. Counts stay whole numbers.
"""

import math
import numbers
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np

from ae_lab.errors import LabError
from ae_lab.lab.statistics import STANDARD_ERRORS, paired_gain

EXACT = 1e-9  # relative difference of two numbers below which they count as equal


@dataclass(frozen=True)
class Condition:
    """One condition of a claim, created by the functions below.

    Parameters
    ----------
    name : description of what was measured.
    value : the measured value, in ``unit``.
    unit : name of the unit.
    asked : description of the bound, with its unit.
    because : reason for the bound.
    low, high : bounds in ``unit``: ``value`` must be above ``low`` and below ``high``; None for no
        bound.
    control : True for a control, which is shown but does not count for the verdict.
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
        """Margin in ``unit``: positive if the condition is met; a whole number for a count."""
        below = [] if self.low is None else [_less(self.value, self.low)]
        return min(below + ([] if self.high is None else [_less(self.high, self.value)]))

    @property
    def met(self) -> bool:
        """Whether the condition is met."""
        return self.margin > 0

    @property
    def measured(self) -> str:
        """The measured value with its unit."""
        return _form(self.value, self.unit)

    @property
    def sentence(self) -> str:
        """For example "share of units: 84.0% (asked: above 90.0%, because ...): not met"."""
        what = f"control, {self.name}" if self.control else self.name
        met = "met" if self.met else "not met"
        return f"{what}: {self.measured} (asked: {self.asked}, because {self.because}): {met}"

    def to_json(self) -> dict:
        """The fields by name, the measured value with its unit, and the margin, for JSON."""
        return asdict(self) | {"measured": self.measured, "margin": self.margin}


def at_least(name: str, value: float, bound: float, unit: str, *, because: str) -> Condition:
    """Condition that ``value`` is above ``bound``; a value equal to the bound does not meet it.

    Parameters
    ----------
    name : description of what was measured.
    value, bound : both in ``unit``; two whole numbers for a count.
    unit : name of the unit; "ratio" if there is none. A "share" is shown in per cent.
    because : reason for the bound: a standard error, a published value, or the smallest relevant
        difference.

    Raises
    ------
    LabError
        If a number is not finite, or if the unit or the reason is empty.
    """
    asked = f"above {_form(bound, unit)}"
    return _condition(name, value, unit, asked, because, low=bound)


def at_most(name: str, value: float, bound: float, unit: str, *, because: str) -> Condition:
    """Condition that ``value`` is below ``bound``; ``name``, ``unit``, ``because`` as above."""
    asked = f"below {_form(bound, unit)}"
    return _condition(name, value, unit, asked, because, high=bound)


def between(
    name: str, value: float, low: float, high: float, unit: str, *, because: str
) -> Condition:
    """Condition that ``low`` < ``value`` < ``high``; ``name``, ``unit``, ``because`` as above."""
    asked = f"between {_form(low, unit)} and {_form(high, unit)}"
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
    """Condition that ``value`` is better than that of one rival, by more than ``by``.

    Parameters
    ----------
    name, value, unit : as in `at_least`.
    rival : one name and its value in ``unit``, for example ``{"PCA, 32 components": 13.2}``.
    by : smallest relevant difference, in ``unit``, at least 0.
    because : reason for ``by``.
    better : "higher" or "lower".

    Raises
    ------
    LabError
        If there is not exactly one rival, if ``better`` is invalid, or as in `at_least`.
    """
    if better not in ("higher", "lower"):
        raise LabError(f"better must be 'higher' or 'lower', received {better!r} for {name}.")
    other, theirs = _only(name, rival)
    _number(name, theirs), _number(name, by)
    asked = f"{better} than {other}, {_form(theirs, unit)}"
    asked += f", by more than {_form(by, unit)}" if by else ""
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
    """Condition that a classifier is correct on more of the same images than one rival.

    The gain must exceed two standard errors of the paired difference, and ``by``.

    Parameters
    ----------
    name : description of what was measured.
    correct : bool (n,), whether each image is classified correctly.
    rival : one name and the array of the rival, of the same form as ``correct``.
    by : smallest relevant gain, in images.
    because : reason for the bound.
    """
    other, theirs = _only(name, rival)
    paired = paired_gain(correct, theirs)
    bound = max(by, paired.limit)
    asked = (
        f"a gain over {other} of more than {bound:.4g} images; "
        f"{STANDARD_ERRORS} standard errors are {paired.limit:.3g} images"
    )
    return _condition(name, paired.gain, f"images of {paired.images:,}", asked, because, low=bound)


def control(condition: Condition) -> Condition:
    """The same ``condition`` as a control: it is shown but does not count for the verdict."""
    return replace(condition, control=True)


def _only(name: str, rival: Mapping) -> tuple:
    if len(rival) != 1:
        raise LabError(
            f"{name} needs one rival, received {list(rival)}: use one condition per rival."
        )
    return next(iter(rival.items()))


def _condition(name, value, unit, asked, because, **bounds) -> Condition:
    """A condition that ``value`` is above ``low`` and below ``high``, if given."""
    value, *checked = (_number(name, number) for number in (value, *bounds.values()))
    for what, given in {"its unit": unit, "the reason for the bound": because}.items():
        if not given.strip():
            raise LabError(f"{name} must state {what}, received nothing: add it.")
    bounds = dict(zip(bounds, checked, strict=True))
    return Condition(name, value, unit, asked, because, **bounds)


def _number(name: str, value: object) -> float:
    """``value`` as a number, whole if it is a count; else a LabError that names the condition."""
    if not isinstance(value, numbers.Real) or isinstance(value, bool) or not math.isfinite(value):
        raise LabError(
            f"{name} must compare finite numbers, received {value!r}: "
            "pass the measured value and the bound in the same unit."
        )
    return int(value) if isinstance(value, numbers.Integral) else float(value)


def _less(large: float, small: float) -> float:
    """``large - small``: exact for counts, otherwise rounded to six digits."""
    if isinstance(large, int) and isinstance(small, int):
        return large - small
    difference = large - small
    tiny = EXACT * max(abs(large), abs(small))
    return 0.0 if abs(difference) <= tiny else float(f"{difference:.6g}")


def _form(value: float, unit: str) -> str:
    if not isinstance(value, numbers.Real):
        return repr(value)  # `_condition` raises an error for it
    if unit.startswith("share"):
        return f"{value:.1%}"
    return f"{value:{',d' if isinstance(value, numbers.Integral) else '.4g'}} {unit}".rstrip()
