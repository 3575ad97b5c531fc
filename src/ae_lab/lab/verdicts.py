"""The handout's claims, and how a verdict is computed from the conditions of a test."""

import math
import numbers
import tomllib
from pathlib import Path

import numpy as np

from ae_lab.errors import LabError

BY_KIND = tomllib.loads(Path(__file__).with_name("claims.toml").read_text(encoding="utf-8"))
NOT_JUDGED = "not judged in smoke"  # a verdict of the profile in which nothing has learned
CLAIMS = {  # id to sentence, in the ledger's order
    f"{kind}.{name}": sentence
    for kind, sentences in BY_KIND.items()
    for name, sentence in sentences.items()
}


def checked_margin(id: str, value: object) -> bool | float:
    """``value`` as a bool or a rounded float; a LabError that names ``id`` if it is neither."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if not isinstance(value, numbers.Real) or not math.isfinite(value):
        raise LabError(
            f"a condition of {id} must be a finite number or a bool, received {value!r}: pass the "
            "margin, positive if the claim holds and negative if not."
        )
    return float(f"{value:.6g}")


def is_met(condition: bool | float) -> bool:
    """Whether a condition, a margin or a bool, is met: a margin is if it is above 0."""
    return condition > 0


def verdict(conditions: dict[str, bool | float]) -> str:
    """ "holds" if all ``conditions`` are met, "does not hold" if none is, otherwise "depends"."""
    met = {is_met(value) for value in conditions.values()}
    if len(met) == 2:
        return "depends"
    return "holds" if met == {True} else "does not hold"
