"""The notebooks' exercises: what is to be handed in, and what an honest answer looks like.

An answer is measured by the reader, in any profile and with any seed, so no number is known
beforehand. What is known is its form, the range that it can lie in, and which of its numbers
must be larger than which. A hint says which of these is broken, and never what would be right.

The exercises are data, in ``exercises.toml``; the checks that they name are functions here. Each
returns a test, a function of (answer {name: number}, dataset or None) that is true for a correct
answer, and a hint.
"""

import math
import numbers
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ae_lab.errors import LabError

if TYPE_CHECKING:
    from ae_lab.data import Dataset

SHARE = "a share, not per cent"
EXERCISES = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
MNIST_MEAN_BCE = 0.2626  # nats/pixel of the mean image, where no data were loaded

Check = tuple[Callable[[dict, object], bool], str]


@dataclass(frozen=True)
class Outcome:
    """Whether an answer is correct (None: there was none), and the line that says so."""

    right: bool | None
    words: str


def check(id: str, answer: object = None, dataset: "Dataset | None" = None) -> Outcome:
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
        return Outcome(None, f"{id}: no answer yet: hand in {exercise['asks']}.")
    given, wrong = _read(answer, exercise["names"])
    if wrong:
        return Outcome(False, f"{id}: {wrong} Hand in {exercise['asks']}.")
    for test, hint in checks_of(id):
        if not test(given, dataset):
            return Outcome(False, f"{id}: not yet: {hint}.")
    return Outcome(True, f"{id}: right.")


def checks_of(id: str) -> list[Check]:
    """The tests of exercise ``id``, each with its hint, in the order in which they are made."""
    found = []
    for options in EXERCISES[id]["checks"]:
        options = dict(options)
        function, hint = CHECKS[options.pop("check")], options.pop("hint", "")
        test, own_hint = function(**options)
        found.append((test, hint or own_hint))
    return found


def _read(answer: object, names: Sequence[str]) -> tuple[dict[str, float], str]:
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


def _as_name(key: object) -> str:
    return f"{key:g}" if isinstance(key, numbers.Real) else str(key)


def within(low: float, high: float, names: Sequence[str] = (), of: str = "") -> Check:
    """The ``names`` (all, without any) lie from ``low`` to ``high``, as ``of`` can, in words."""

    def test(answer, _):
        return all(low <= answer[name] <= high for name in names or answer)

    which = " and ".join(names) if names else "a number"
    return test, f"{which} is out of the range that is possible for {of}; check unit and sign"


def shares(names: Sequence[str] = (), low: float = 0.15) -> Check:
    """The ``names`` (all, without any) are accuracies from ``low``, better than guessing, to 1."""
    return within(low, 1, names, f"an accuracy ({SHARE}) of something that learned at all")


def squared_errors(names: Sequence[str] = ()) -> Check:
    """The ``names`` (all, without any) are squared errors per image."""
    return within(0.5, 200, names, "a squared error summed over the pixels of an image")


def cross_entropies(names: Sequence[str] = ()) -> Check:
    """The ``names`` (all, without any) are cross-entropies in nats per pixel."""
    return within(0.03, 0.69, names, "nats per pixel of a network that learned anything")


def nats(names: Sequence[str] = ()) -> Check:
    """The ``names`` (all, without any) are losses in nats per image."""
    return within(20, 540, names, "nats per image, summed over pixels, that learned anything")


def larger(more: str, less: str, why: str = "", factor: float = 1.0, by: float = 0.0) -> Check:
    """``more`` exceeds ``factor`` times ``less`` plus ``by``; ``why`` is the reason, in words."""

    def test(answer, _):
        return answer[more] > factor * answer[less] + by

    return test, f"the order of {more} and {less} is not that of a trained network: {why}"


def close(by: float) -> Check:
    """All numbers lie within ``by`` of each other."""
    return lambda answer, _: max(answer.values()) - min(answer.values()) < by, ""


def differ() -> Check:
    """Not all numbers are equal."""
    return lambda answer, _: len(set(answer.values())) > 1, ""


def whole(names: Sequence[str]) -> Check:
    """The ``names`` are whole numbers."""

    def test(answer, _):
        return all(answer[name] == int(answer[name]) for name in names)

    return test, f"{' and '.join(names)} must be a whole number"


def look_alike() -> Check:
    """Two digits that are often taken for each other."""
    pairs = [{4, 9}, {7, 9}, {4, 7}, {3, 5}, {3, 8}, {5, 8}]
    return lambda answer, _: set(answer.values()) in pairs, ""


def near_mean_image(name: str) -> Check:
    """``name`` is the cross-entropy of the mean training image as every output."""

    def test(answer, dataset):
        if dataset is None:
            return abs(answer[name] / MNIST_MEAN_BCE - 1) < 0.08
        from ae_lab import evaluation  # imports Keras, which this module must not

        mean = np.broadcast_to(dataset.x_train.mean(axis=0), dataset.x_test.shape)
        return abs(answer[name] / evaluation.bce_per_pixel(dataset.x_test, mean) - 1) < 0.08

    return test, (
        f"{name} is not the value of an output that is the same for every input; see that the "
        "code is dead, and that the biases had enough steps to settle"
    )


def is_pca() -> Check:
    """``PCA`` is the squared error of ``size`` principal components, where the images are known."""

    def test(answer, dataset):
        if dataset is None:
            return True
        from ae_lab import evaluation

        size = int(answer["size"])
        x_hat = evaluation.pca_reconstruction(dataset.x_train, dataset.x_test, size)
        error = evaluation.sse_per_image(dataset.x_test, x_hat)
        return math.isclose(error, answer["PCA"], rel_tol=0.03)

    return test, ""


CHECKS = {
    function.__name__: function
    for function in (within, shares, squared_errors, cross_entropies, nats, larger)
    + (close, differ, whole, look_alike, near_mean_image, is_pca)
}
