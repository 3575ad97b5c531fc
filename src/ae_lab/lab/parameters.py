"""The numbers of a notebook as one object: shown as a table, changed from outside by name.

``p = lab.parameters(latent_dim=knob(32, unit="numbers", meaning="size of the code"))``, then
``p.latent_dim``.
"""

import math
from collections import namedtuple
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ae_lab.errors import LabError

UNSET = object()
WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}


@dataclass(frozen=True)
class Knob:
    """One number of a notebook. Made by `knob`.

    Parameters
    ----------
    values : profile to value; all of one type: int, float, bool, str, or a tuple of one of these.
    unit : in words.
    meaning : one line.
    least, most : bounds of the value, or of each in a tuple; None for none.
    """

    values: Mapping[str, Any]
    unit: str
    meaning: str
    least: float | None = None
    most: float | None = None

    def parse(self, name: str, text: str) -> Any:
        """The value that ``text`` stands for, of the type that the knob has; commas part a tuple.

        Parameters
        ----------
        name : of the knob, for the error's sentence.
        text : as given on the command line or in the environment.

        Raises
        ------
        LabError
            If it is of another type or out of bounds.
        """
        example = next(iter(self.values.values()))
        several = isinstance(example, tuple)
        kind = type(example[0] if several else example)
        try:
            found = tuple(_read(kind, part.strip()) for part in text.split(","))
        except ValueError:
            found = ()
        if not found or not (several or len(found) == 1):
            expected = WORDS[kind] + (", or several with commas between" if several else "")
            raise LabError(f"{name} must be {expected}, received {text!r}: {self.meaning}.")
        self.check(name, found)
        return found if several else found[0]

    def check(self, name: str, values: tuple) -> None:
        """Raise a LabError if one of ``values`` of knob ``name`` is out of bounds."""
        least, most = self.least, self.most
        for value in values:
            if (least is not None and value < least) or (most is not None and value > most):
                bounds = [f"at least {least:g}"] if least is not None else []
                bounds += [f"at most {most:g}"] if most is not None else []
                raise LabError(
                    f"{name} must be {' and '.join(bounds)} {self.unit}, received {value!r}: "
                    f"{self.meaning}."
                )


def knob(
    always: Any = UNSET,
    *,
    smoke: Any = UNSET,
    quick: Any = UNSET,
    full: Any = UNSET,
    unit: str,
    meaning: str,
    least: float | None = None,
    most: float | None = None,
) -> Knob:
    """A number of a notebook, by profile.

    Parameters
    ----------
    always : the value in every profile that is not named.
    smoke, quick, full : the value in that profile. Without ``always``, smoke is as quick.
    unit, meaning, least, most : as in `Knob`.

    Raises
    ------
    LabError
        If a profile has no value, or the values differ in type.
    """
    smoke = quick if smoke is UNSET and always is UNSET else smoke
    given = {"smoke": smoke, "quick": quick, "full": full}
    values = {name: always if value is UNSET else value for name, value in given.items()}
    if missing := [name for name, value in values.items() if value is UNSET]:
        raise LabError(f"a knob must have a value for each profile, received none for {missing}.")
    if len({_kind(value) for value in values.values()}) > 1:
        raise LabError(f"a knob's values must be of one type, received {values!r} for {meaning}.")
    return Knob(values, unit, meaning, least, most)


def chosen(
    knobs: Mapping[str, Knob], profile: str, overrides: Mapping[str, str]
) -> tuple[tuple, dict[str, Any]]:
    """The values of a run as a named tuple, and those of them that were changed from outside.

    Parameters
    ----------
    knobs : name to knob.
    profile : of the run.
    overrides : name to text.

    Raises
    ------
    LabError
        If a name is unknown, or a value of the wrong type or out of bounds; the knobs are listed.
    """
    changed = {}
    for name, text in overrides.items():
        if name not in knobs:
            raise LabError(f"there is no knob {name!r}; {_listed(knobs, profile)}.")
        try:
            changed[name] = knobs[name].parse(name, text)
        except LabError as error:
            raise LabError(f"{str(error).rstrip('.')}; {_listed(knobs, profile)}.") from None
    values = {name: one.values[profile] for name, one in knobs.items()} | changed
    for name, value in values.items():
        knobs[name].check(name, value if isinstance(value, tuple) else (value,))
    return namedtuple("Parameters", values)(**values), changed


def as_rows(
    knobs: Mapping[str, Knob], values: tuple, changed: Mapping[str, Any]
) -> list[list[str]]:
    """Rows of a table: name, value, unit and meaning of each knob, changed ones marked.

    Parameters
    ----------
    knobs : name to knob.
    values, changed : as `chosen` returns them.
    """
    return [
        [
            name,
            _words(getattr(values, name)) + (" (changed)" if name in changed else ""),
            one.unit,
            one.meaning,
        ]
        for name, one in knobs.items()
    ]


def _listed(knobs, profile) -> str:
    known = ", ".join(f"{name} ({_words(one.values[profile])})" for name, one in knobs.items())
    return f"the knobs of this notebook are {known}"


def _words(value) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_words, value))
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _kind(value) -> tuple:
    parts = value if isinstance(value, tuple) else (value,)
    return isinstance(value, tuple), *sorted({type(part).__name__ for part in parts})


def _read(kind: type, text: str) -> Any:
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise ValueError(text)
        return text.lower() == "true"
    if kind is float and not math.isfinite(float(text)):
        raise ValueError(text)
    return kind(text.replace("_", "")) if kind is int else kind(text)
