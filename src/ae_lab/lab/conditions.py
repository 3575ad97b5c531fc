"""The conditions of a claim: each says what was measured, what was asked and why that much.

``lab.claim(id, at_least("units near the target", 0.84, 0.90, because="..."))``
"""

import numbers
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ae_lab.errors import LabError
from ae_lab.lab.verdicts import checked_margin, is_met


@dataclass(frozen=True)
class Condition:
    """One condition of a claim. Made by the functions below.

    Parameters
    ----------
    name : what was measured, in words.
    margin : by how much it is met, in ``unit``: positive if it is, negative if not; or a bool.
    measured, asked : in words, with the unit.
    because : why that much is asked, in words.
    control : True for a control, which is shown and has no part in the verdict.
    """

    name: str
    margin: bool | float
    measured: str
    asked: str
    because: str
    control: bool = False

    @property
    def met(self) -> bool:
        """Whether it is met."""
        return is_met(self.margin)

    @property
    def sentence(self) -> str:
        """For example "share of units: 84.0% (asked: at least 90.0%, because ...): not met"."""
        what = f"control, {self.name}" if self.control else self.name
        met = "met" if self.met else "not met"
        return f"{what}: {self.measured} (asked: {self.asked}, because {self.because}): {met}"


def at_least(name: str, value: float, bound: float, unit: str = "", *, because: str) -> Condition:
    """``value`` is at least ``bound``.

    Parameters
    ----------
    name : what was measured, in words.
    value, bound : both in ``unit``.
    unit : in words; "share" is shown in per cent.
    because : why that much, in words: a standard error, a published value, the smallest difference
        that would matter.

    Raises
    ------
    LabError
        If a number is not finite, or no reason is given.
    """
    asked = f"at least {_form(bound, unit)}"
    return _condition(name, value, unit, asked, because, low=bound)


def at_most(name: str, value: float, bound: float, unit: str = "", *, because: str) -> Condition:
    """``value`` is at most ``bound``; ``name``, ``unit`` and ``because`` as in `at_least`."""
    asked = f"at most {_form(bound, unit)}"
    return _condition(name, value, unit, asked, because, high=bound)


def between(
    name: str, value: float, low: float, high: float, unit: str = "", *, because: str
) -> Condition:
    """``value`` is from ``low`` to ``high``; ``name``, ``unit``, ``because`` as in `at_least`."""
    asked = f"{_form(low, unit)} to {_form(high, unit)}"
    return _condition(name, value, unit, asked, because, low=low, high=high)


def better_than(
    name: str,
    value: float,
    rival: Mapping[str, float],
    unit: str = "",
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
    if len(rival) != 1 or better not in ("higher", "lower"):
        raise LabError(
            f"better_than needs one rival, and better must be 'higher' or 'lower', received "
            f"{dict(rival)!r} and {better!r} for {name}: make one condition for each rival."
        )
    ((other, theirs),) = rival.items()
    checked_margin(name, theirs), checked_margin(name, by)
    asked = f"{better} than {other}, {_form(theirs, unit)}"
    asked += f", by {_form(by, unit)}" if by else ""
    bound = {"low": theirs + by} if better == "higher" else {"high": theirs - by}
    return _condition(name, value, unit, asked, because, **bound)


def control(condition: Condition) -> Condition:
    """The same ``condition`` as a control: shown, without a part in the verdict."""
    return replace(condition, control=True)


def _condition(name, value, unit, asked, because, **bounds) -> Condition:
    """A condition that ``value`` lies above ``low`` and below ``high``, whichever is given."""
    for number in (value, *bounds.values()):
        checked_margin(name, number)
    if not because.strip():
        raise LabError(f"{name} must say why that much is asked, received no reason: add because=.")
    margin = min(value - b if side == "low" else b - value for side, b in bounds.items())
    return Condition(name, checked_margin(name, margin), _form(value, unit), asked, because)


def _form(value: float, unit: str) -> str:
    if not isinstance(value, numbers.Real):
        return repr(value)  # refused in a moment
    if unit.startswith("share"):
        return f"{value:.1%}"
    return f"{value:{',d' if isinstance(value, numbers.Integral) else '.4g'}} {unit}".rstrip()
