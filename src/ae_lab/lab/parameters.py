"""The knobs of a notebook: shown as a table, and set by name from outside.

``p = lab.parameters(latent_dim=knob("numbers", "size of the code", 32))``, then ``p.latent_dim``.
"""

import math
from collections import namedtuple
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ae_lab.errors import LabError

UNSET = object()
WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}
LEAST = {int: 1, float: 1e-6}  # lower bound of a knob without its own


@dataclass(frozen=True)
class Knob:
    """One knob of a notebook, created by `knob`.

    Parameters
    ----------
    unit : name of the unit.
    meaning : one line of text.
    values : profile to value, and "few" for data with few images. All have one type: int, float,
        bool, str, or a tuple of one of these.
    least, most : bounds of the value, or of each element of a tuple; None for no bound.
    """

    unit: str
    meaning: str
    values: Mapping[str, Any]
    least: float | None = None
    most: float | None = None

    def value(self, profile: str, few: bool) -> Any:
        """The value in this ``profile``; ``few`` is True for data with few images."""
        if few and profile != "smoke" and "few" in self.values:
            return self.values["few"]
        return self.values[profile]

    def parse(self, name: str, text: str) -> Any:
        """The value of the ``text`` for the knob ``name``, of the knob's type.

        Commas separate the elements of a tuple. A LabError is raised for another type.
        """
        example = self.values["quick"]
        several = isinstance(example, tuple)
        kind = type(example[0] if several else example)
        try:
            found = tuple(_read(kind, part.strip()) for part in text.split(","))
        except ValueError:
            found = ()
        if not found or not (several or len(found) == 1):
            expected = WORDS[kind] + (", or several separated by commas" if several else "")
            raise LabError(f"{name} ({self.meaning}) must be {expected}, received {text!r}")
        return found if several else found[0]

    def check(self, name: str, value: Any) -> None:
        """Raise a LabError if the ``value`` of knob ``name``, or an element, is out of bounds."""
        low = -math.inf if self.least is None else self.least
        high = math.inf if self.most is None else self.most
        for part in value if isinstance(value, tuple) else (value,):
            if not isinstance(part, str) and not low <= part <= high:
                bounds = [f"at least {low:g}"] * (low > -math.inf)
                bounds += [f"at most {high:g}"] * (high < math.inf)
                raise LabError(
                    f"{name} ({self.meaning}) must be {' and '.join(bounds)} {self.unit}, "
                    f"received {part!r}"
                )


def knob(
    unit: str,
    meaning: str,
    always: Any = UNSET,
    *,
    smoke: Any = UNSET,
    quick: Any = UNSET,
    full: Any = UNSET,
    few: Any = UNSET,
    least: float | None = None,
    most: float | None = None,
) -> Knob:
    """A knob of a notebook, with a value for each profile.

    Parameters
    ----------
    unit : name of the unit, for example "epochs" or "nats per image".
    meaning : one line of text: what the knob determines.
    always : value in every profile that has no other.
    smoke, quick, full : value in that profile. By default, smoke uses 1 for a number of epochs,
        and otherwise the value of quick.
    few : value in quick and full for data with few images, which need smaller batches and more
        epochs for the same number of steps. By default, the value of the profile.
    least, most : bounds. By default, ``least`` is 1 for whole numbers and 1e-6 for others.

    Raises
    ------
    LabError
        If a profile has no value, or if the values have different types.
    """
    quick, full = (always if value is UNSET else value for value in (quick, full))
    if smoke is UNSET:
        smoke = 1 if unit == "epochs" and isinstance(quick, int) else quick
    values = {"smoke": smoke, "quick": quick, "full": full}
    if missing := [name for name, value in values.items() if value is UNSET]:
        raise LabError(f"a knob must have a value for each profile, received none for {missing}.")
    if few is not UNSET:
        values["few"] = few
    kinds = {_kind(value) for value in values.values()}
    if len(kinds) > 1:
        raise LabError(f"a knob's values must be of one type, received {values!r} for {meaning}.")
    if least is None:
        least = LEAST.get(next(iter(kinds))[1])
    return Knob(unit, meaning, values, least, most)


def chosen(
    knobs: Mapping[str, Knob], profile: str, few: bool, overrides: Mapping[str, str]
) -> tuple[tuple, dict[str, Any]]:
    """The values of a run as a named tuple, and those that were set from outside.

    Parameters
    ----------
    knobs : name to knob.
    profile : profile of the run.
    few : True for data with few images.
    overrides : name to value as text, for the knobs that are set from outside.

    Raises
    ------
    LabError
        If a name is unknown, or a value of the wrong type or out of bounds; it lists the knobs.
    """
    values = {name: one.value(profile, few) for name, one in knobs.items()}
    listed = ", ".join(f"{name} ({in_words(value)})" for name, value in values.items())
    changed = {}
    try:
        for name, text in overrides.items():
            if name not in knobs:
                raise LabError(f"there is no knob {name!r}")
            changed[name] = knobs[name].parse(name, text)
            knobs[name].check(name, changed[name])
    except LabError as error:
        raise LabError(f"{error}; the knobs of this notebook are {listed}.") from None
    values |= changed
    for name, value in values.items():
        knobs[name].check(name, value)
    return namedtuple("Parameters", values)(**values), changed


def in_words(value: Any) -> str:
    """A ``value`` as shown in a table: "1,000" or "2, 8, 128"."""
    if isinstance(value, tuple):
        return ", ".join(map(in_words, value))
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if type(value) is int else str(value)


def _kind(value: Any) -> tuple[bool, type]:
    several = isinstance(value, tuple)
    return several, type(value[0] if several else value)


def _read(kind: type, text: str) -> Any:
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise ValueError(text)
        return text.lower() == "true"
    if kind is float and not math.isfinite(float(text)):
        raise ValueError(text)
    return kind(text.replace("_", "")) if kind is int else kind(text)
