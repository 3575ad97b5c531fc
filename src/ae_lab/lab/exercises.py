"""The notebooks' exercises: predict the result, run an experiment, hand in an object.

A check does not compare an answer with a stored number. It measures the object that was handed in,
a model or an array, on the notebook's own images. The exercises are in ``exercises.toml``, whose
head explains the entries; the measures are in `measures`.
"""

import hashlib
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ae_lab.errors import LabError

if TYPE_CHECKING:
    from ae_lab.data import Dataset

EXERCISES = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
FEWEST_WORDS = 12  # of an answer in words
LETTERS = "abcdefgh"
COMPARISONS = {
    "equals": lambda value, bound: value == bound,
    "at_least": lambda value, bound: value >= bound,
    "at_most": lambda value, bound: value <= bound,
}


class Outcome(NamedTuple):
    """The result of checking an answer.

    ``right`` is None if nothing was judged: no answer yet, an answer in words, or a smoke run.
    ``given`` is True if an answer was given.
    """

    right: bool | None
    words: str
    given: bool = True

    @property
    def state(self) -> str:
        """One word: "solved", "tried", "answered" (nothing to judge) or "open"."""
        if self.right is None:
            return "answered" if self.given else "open"
        return "solved" if self.right else "tried"


@dataclass
class Desk:
    """The data that the checks of one notebook use.

    Parameters
    ----------
    dataset : the images that the notebook loaded, or None.
    figures : name to value of each metric that the notebook recorded.
    models : weight hash to (exercise, description) of the models that were handed in. The
        notebook's own models, which are not valid answers, have "" for the exercise.
    judged : False in the smoke profile, whose models have hardly learned.
    """

    dataset: "Dataset | None" = None
    figures: Mapping[str, float] = field(default_factory=dict)
    models: dict[str, tuple[str, str]] = field(default_factory=dict)
    judged: bool = True


def check(id: str, answer: object, prediction: str | None, desk: Desk) -> Outcome:
    """Check an answer to an exercise.

    Parameters
    ----------
    id : "<notebook>.<exercise>", for example "03.2"; a LabError if there is no such exercise.
    answer : the object, or a dict {name: object} if several are asked for; a text if the exercise
        asks for words; None for no answer.
    prediction : letter of the predicted choice, or None.
    desk : data of the notebook.
    """
    if id not in EXERCISES:
        raise LabError(
            f"the exercise must be one of {', '.join(EXERCISES)}, received {id!r}: "
            "look it up at the end of its notebook."
        )
    exercise = EXERCISES[id]
    if "choices" not in exercise:
        return _words(id, exercise, answer)
    letters = LETTERS[: len(exercise["choices"])]
    if prediction is None or answer is None:
        choices = "; ".join(
            f"{a}: {text}" for a, text in zip(letters, exercise["choices"], strict=True)
        )
        return Outcome(
            None,
            f"{id}: no answer yet. Predict {exercise['predict']} ({choices}). Then hand in "
            f"{exercise['asks']}.",
            given=False,
        )
    if prediction not in tuple(letters):
        return Outcome(False, f"{id}: prediction must be one of {', '.join(letters)}.")
    objects, wrong = _objects(id, exercise, answer, desk)
    if wrong:
        return Outcome(False, f"{id}: {wrong} Hand in {exercise['asks']}.")
    for test in exercise["checks"]:
        comparison = next(name for name in COMPARISONS if name in test)
        try:
            value, bound = (_number(side, objects, desk) for side in (test, test[comparison]))
        except (AttributeError, LabError, TypeError, ValueError) as error:  # for example, no layer
            said = str(error).splitlines()[0].rstrip(".")
            words = f"this cannot be measured: {_in_words(test['measure'])} ({said})"
            return Outcome(False, f"{id}: {words}. Hand in {exercise['asks']}.")
        if not COMPARISONS[comparison](value, bound) and desk.judged:
            return Outcome(False, f"{id}: not yet: {test['hint'].format(value=value, bound=bound)}")
    for name, thing in objects.items():
        if _is_model(thing):
            role = f" as {name}" if len(objects) > 1 else ""
            desk.models[digest(thing)] = id, f"what you handed in for {id}{role}"
    return _explained(id, exercise, objects, letters.index(prediction), desk)


def digest(model: Any) -> str:
    """SHA-256 of the weights of a Keras ``model``: equal for a model and its copies."""
    return hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest()


def _words(id: str, exercise: dict, answer: object) -> Outcome:
    """Outcome of an answer in words, which is shown on the page and not judged."""
    if answer is None:
        return Outcome(None, f"{id}: no answer yet. Write {exercise['asks']}.", given=False)
    if not isinstance(answer, str) or len(answer.split()) < FEWEST_WORDS:
        return Outcome(
            False,
            f"{id}: the answer must be a text of at least {FEWEST_WORDS} words, received "
            f"{answer!r}. Write {exercise['asks']}.",
        )
    return Outcome(None, f"{id}, for the reader of this page: {' '.join(answer.split())}")


def _objects(id: str, exercise: dict, answer: object, desk: Desk) -> tuple[dict[str, Any], str]:
    """The objects by name, and an error message or ""."""
    asked = exercise["objects"]
    if len(asked) == 1 and not isinstance(answer, dict):
        answer = {next(iter(asked)): answer}
    if not isinstance(answer, dict) or answer.keys() != asked.keys():
        return {}, f"the answer must be a dict with the names {', '.join(asked)}."
    for name, kind in asked.items():
        thing = answer[name]
        if kind == "model" and not _is_model(thing):
            return {}, f"{name} must be a Keras model, received {type(thing).__name__}."
        if kind == "array" and not isinstance(thing, np.ndarray):
            return {}, f"{name} must be a NumPy array, received {type(thing).__name__}."
        owner, whose = desk.models.get(digest(thing), (id, "")) if kind == "model" else (id, "")
        if owner != id:
            return {}, f"{name} is {whose}, unchanged."
    return answer, ""


def _number(side: object, objects: dict[str, Any], desk: Desk) -> float:
    """The value of one side of a comparison: a number, a recorded value, or a measure."""
    if not isinstance(side, dict):
        return side
    if "own" in side:
        value = desk.figures[side["own"]]
    else:
        from ae_lab.lab import measures  # imports Keras, which this module must not import

        names = side.get("of", next(iter(objects)))
        things = [objects[name] for name in ([names] if isinstance(names, str) else names)]
        value = getattr(measures, side["measure"])(*things, desk.dataset)
    return float(value) * side.get("times", 1) + side.get("plus", 0)


def _in_words(measure: str) -> str:
    """The description of a measure, from its docstring, which ``python -OO`` removes."""
    from ae_lab.lab import measures

    described = getattr(measures, measure).__doc__ or measure
    return described.splitlines()[0].rstrip(".")


def _explained(id: str, exercise: dict, objects: dict, predicted: int, desk: Desk) -> Outcome:
    """Outcome of a correct answer: the explanation, and whether the prediction was correct."""
    value, own = (_number(exercise[side], objects, desk) for side in ("value", "against"))
    words = {"value": value, "against": own, "difference": value - own, "ratio": value / own}
    outcome = words[exercise["by"]]
    came_out = sum(outcome >= edge for edge in exercise["edges"])
    if not desk.judged:
        return Outcome(None, f"{id}: not judged in the smoke profile.")
    right = "as you predicted" if came_out == predicted else "not what you predicted"
    return Outcome(
        True,
        f"{id}: correct. The result is {LETTERS[came_out]} ({exercise['choices'][came_out]}), "
        f"{right}. {' '.join(exercise['explains'].format(**words).split())}",
    )


def _is_model(thing: object) -> bool:
    keras = sys.modules.get("keras")
    return keras is not None and isinstance(thing, keras.Model)
