"""The notebooks' exercises: what is to be handed in, and what an honest answer looks like.

An answer is measured by the reader, in any profile and on any seed, so no number is known
beforehand. What is known is its form, the range that it can lie in, and which of its numbers
must be larger than which. A hint says which of these is broken, and never what would be right.
"""

import math
import numbers
from dataclasses import dataclass

import numpy as np

from ae_lab.errors import LabError
from ae_lab.lab.exercises.catalogue import EXERCISES

__all__ = ["EXERCISES", "Verdict", "check"]


@dataclass(frozen=True)
class Verdict:
    """Whether an answer passed (None: there was none), and the line that says so."""

    right: bool | None
    words: str


def check(id: str, answer: object = None, dataset=None) -> Verdict:
    """Check an answer to an exercise.

    Parameters
    ----------
    id : "<notebook>.<exercise>", for example "03.2".
    answer : dict {name: number}, or the number itself where only one is asked for.
    dataset : the `data.Dataset` that the notebook loaded; without it, what depends on the images
        is not checked.

    Raises
    ------
    LabError
        If there is no such exercise.
    """
    if id not in EXERCISES:
        raise LabError(
            f"the exercise must be one of {', '.join(EXERCISES)}, received {id!r}: "
            "look it up at the end of its notebook."
        )
    exercise = EXERCISES[id]
    if answer is None:
        return Verdict(None, f"{id}: no answer yet: hand in {exercise.asks}.")
    given, wrong = _read(answer, exercise.names)
    if wrong:
        return Verdict(False, f"{id}: {wrong} Hand in {exercise.asks}.")
    for test, hint in exercise.tests:
        if not test(given, dataset):
            return Verdict(False, f"{id}: not yet: {hint}.")
    return Verdict(True, f"{id}: right.")


def _read(answer, names) -> tuple[dict[str, float], str]:
    """The numbers by name, and what is wrong with their form."""
    if len(names) == 1 and not isinstance(answer, dict):
        answer = {names[0]: answer}
    if not isinstance(answer, dict):
        return {}, f"the answer is of the wrong type, {type(answer).__name__}."
    given = {_as_name(key): value for key, value in answer.items()}
    if missing := [name for name in names if name not in given]:
        return {}, f"there is nothing for {' and '.join(missing)}."
    for name in names:
        value = given[name]
        if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
            return {}, f"“{name}” is of the wrong type, {type(value).__name__}."
        if not math.isfinite(value):
            return {}, f"“{name}” is NaN or infinite: a training that diverged gives such."
    return {name: float(given[name]) for name in names}, ""


def _as_name(key) -> str:
    return f"{key:g}" if isinstance(key, numbers.Real) else str(key)
