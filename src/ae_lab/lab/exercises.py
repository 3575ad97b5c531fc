"""The notebooks' exercises: what is to be handed in, and what an honest answer looks like.

An answer is measured by the reader, in any profile and with any seed, so no number is known
beforehand. What is known is its form, the range that it can lie in, and which of its numbers
must be larger than which. A hint says which of these is broken, and never what would be right.

The exercises are data, in ``exercises.toml``, and so are the checks; what each means stands in
`_is_met`.
"""

import math
import numbers
import tomllib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ae_lab.errors import LabError

if TYPE_CHECKING:
    from ae_lab.data import Dataset

EXERCISES = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
MNIST_MEAN_BCE = 0.2626  # nats/pixel of the mean image, where no data were loaded
LOOK_ALIKE = [{4, 9}, {7, 9}, {4, 7}, {3, 5}, {3, 8}, {5, 8}]  # digits taken for each other
RANGES = {  # ranges with names of their own: least, greatest, and of what
    "shares": (0.15, 1, "an accuracy (a share, not per cent) of something that learned at all"),
    "squared_errors": (0.5, 200, "a squared error summed over the pixels of an image"),
    "cross_entropies": (0.03, 0.69, "nats per pixel of a network that learned anything"),
    "nats": (20, 540, "nats per image, summed over pixels, that learned anything"),
}
HINTS = {  # where the exercise itself gives none
    "within": "{which} is out of the range that is possible for {of}; check unit and sign",
    "larger": "the order of {more} and {less} is not that of a trained network: {why}",
    "whole": "{which} must be a whole number",
    "near_mean_image": "{name} is not the value of an output that is the same for every input; see "
    "that the code is dead, and that the biases had enough steps to settle",
}


class Outcome(NamedTuple):
    """Whether an answer is correct (None: there was none), and the line that says so."""

    right: bool | None
    words: str


def check(id: str, answer: object = None, dataset: "Dataset | None" = None) -> Outcome:
    """Check an answer to an exercise; a LabError if there is no such exercise.

    Parameters
    ----------
    id : "<notebook>.<exercise>", for example "03.2".
    answer : dict {name: number}, or the number itself where only one is asked for.
    dataset : the `data.Dataset` that the notebook loaded; without it, what depends on the images
        is not checked.
    """
    if id not in EXERCISES:
        raise LabError(
            f"the exercise must be one of {', '.join(EXERCISES)}, received {id!r}: "
            "look it up at the end of its notebook."
        )
    exercise = EXERCISES[id]
    if answer is None:
        return Outcome(None, f"{id}: no answer yet: hand in {exercise['asks']}.")
    given, wrong = _read(answer, exercise["names"])
    if wrong:
        return Outcome(False, f"{id}: {wrong} Hand in {exercise['asks']}.")
    for test, hint in checks_of(id):
        if not test(given, dataset):
            return Outcome(False, f"{id}: not yet: {hint}.")
    return Outcome(True, f"{id}: right.")


def checks_of(id: str) -> list[tuple[Callable[[dict, object], bool], str]]:
    """The tests of exercise ``id``, each with its hint, in the order in which they are made.

    A test takes (answer {name: number}, dataset or None) and is true for a correct answer.
    """
    found = []
    for options in EXERCISES[id]["checks"]:
        if options["check"] in RANGES:
            low, high, of = RANGES[options["check"]]
            options = {"low": low, "high": high, "of": of} | options | {"check": "within"}
        which = " and ".join(options.get("names", ())) or "a number"
        hint = options.get("hint") or HINTS[options["check"]].format(which=which, **options)
        found.append((partial(_is_met, options), hint))
    return found


def _read(answer: object, names: Sequence[str]) -> tuple[dict[str, float], str]:
    """The numbers by name, and what is wrong with their form."""
    if len(names) == 1 and not isinstance(answer, dict):
        answer = {names[0]: answer}
    if not isinstance(answer, dict):
        return {}, f"the answer is of the wrong type, {type(answer).__name__}."
    given = {f"{k:g}" if isinstance(k, numbers.Real) else str(k): v for k, v in answer.items()}
    if missing := [name for name in names if name not in given]:
        return {}, f"there is nothing for {' and '.join(missing)}."
    for name in names:
        value = given[name]
        if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
            return {}, f"“{name}” is of the wrong type, {type(value).__name__}."
        if not math.isfinite(value):
            return {}, f"“{name}” is NaN or infinite: a training that diverged gives such."
    return {name: float(given[name]) for name in names}, ""


def _is_met(options: dict, answer: dict[str, float], dataset: "Dataset | None") -> bool:
    """Whether a check, with its ``options`` from the file, finds nothing wrong."""
    values, names = answer.values(), options.get("names", answer)
    match options["check"]:
        case "within":
            return all(options["low"] <= answer[name] <= options["high"] for name in names)
        case "larger":
            least = options.get("factor", 1) * answer[options["less"]] + options.get("by", 0)
            return answer[options["more"]] > least
        case "close":
            return max(values) - min(values) < options["by"]
        case "differ":
            return len(set(values)) > 1
        case "whole":
            return all(answer[name] == int(answer[name]) for name in names)
        case "look_alike":
            return set(values) in LOOK_ALIKE
        case "near_mean_image":
            return abs(answer[options["name"]] / _mean_image_bce(dataset) - 1) < 0.08
        case "is_pca":
            return dataset is None or _is_pca(answer, dataset)
    raise ValueError(options)


def _mean_image_bce(dataset: "Dataset | None") -> float:
    """The cross-entropy of the mean training image as every output."""
    if dataset is None:
        return MNIST_MEAN_BCE
    from ae_lab import evaluation  # imports Keras, which this module must not

    mean = np.broadcast_to(dataset.x_train.mean(axis=0), dataset.x_test.shape)
    return evaluation.bce_per_pixel(dataset.x_test, mean)


def _is_pca(answer: dict[str, float], dataset: "Dataset") -> bool:
    """Whether ``PCA`` is the squared error of ``size`` principal components."""
    from ae_lab import evaluation

    x_hat = evaluation.pca_reconstruction(dataset.x_train, dataset.x_test, int(answer["size"]))
    error = evaluation.sse_per_image(dataset.x_test, x_hat)
    return math.isclose(error, answer["PCA"], rel_tol=0.03)
