"""Checks of all sorts of answers to exercises; every exercise is well-formed."""

import json
import re
from itertools import pairwise

import keras
import numpy as np
import pytest

from ae_lab import evaluation, models
from ae_lab.data import Dataset
from ae_lab.errors import LabError
from ae_lab.lab import measures, start_lab
from ae_lab.lab.exercises import COMPARISONS, EXERCISES, FEWEST_WORDS, LETTERS, Desk, check
from ae_lab.settings import Settings
from helpers import NOTEBOOKS, PROJECT, halves

SENTENCE = "The pixels at the edge of a stroke are grey, so that no copy of them scores one."
TRAINED = {"measure": "sse", "at_most": {"measure": "mean_image_sse", "times": 0.95}}
OURS = {  # exercises for the tests: with a model, with a model and an array, and in words
    "99.1": {
        "asks": "the model with a code of 2",
        "objects": {"model": "model"},
        "predict": "what becomes of the error",
        "choices": ["it halves", "it falls", "it rises"],
        "by": "ratio",
        "edges": [0.5, 1],
        "value": {"measure": "sse"},
        "against": {"own": "dense.test_sse"},
        "checks": [
            {"measure": "code_size", "equals": 2, "hint": "its code has {value:.0f} numbers"},
            TRAINED | {"hint": "its error is {value:.1f}, was it trained?"},
        ],
        "explains": "It leaves {value:.2f},\nthe lab {against:.2f}, {ratio:.3f} times. So. There.",
    },
    "99.2": {
        "asks": 'a dict {"model": …, "codes": …}',
        "objects": {"model": "model", "codes": "array"},
        "predict": "the size",
        "choices": ["small", "large"],
        "by": "value",
        "edges": [100],
        "value": {"measure": "code_size", "of": "model"},
        "against": {"measure": "sse", "of": "model"},
        "checks": [{"measure": "sse", "of": "model", "at_least": 0, "hint": "never said"}],
        "explains": "{value:.0f} numbers. And. So.",
    },
    "99.3": {"asks": "why that is, in a few sentences"},
}


@pytest.fixture(scope="module")
def dataset():
    """Images of 4x4 pixels that are bright on the left or on the right."""
    parts = [part for n in (0, 1, 2) for part in (halves(20, n), np.arange(20) % 2)]
    return Dataset(*parts, source="halves", comparable=False, sha256="none")


@pytest.fixture(autouse=True)
def ours(monkeypatch):
    for id, exercise in OURS.items():
        monkeypatch.setitem(EXERCISES, id, exercise)


@pytest.fixture
def desk(dataset):
    return Desk(dataset=dataset, figures={"dense.test_sse": 1.0})


def build(dataset, size=2, trained=True):
    """A linear autoencoder equal to PCA, the best possible; with random weights if untrained."""
    linear = {"code_activation": "linear", "output_activation": "linear"}
    model = models.undercomplete(latent_dim=size, image_shape=(4, 4, 1), **linear)
    if trained:
        mean, components = evaluation.principal_subspace(dataset.x_train, size)
        mean = np.ravel(mean)
        model.get_layer("encoder").set_weights([components, -mean @ components])
        model.get_layer("decoder").set_weights([components.T, mean])
    return model


def figure(words):
    """The first number in words after the id."""
    return float(re.findall(r"\d+\.\d+", words.partition(": ")[2])[0])


# No answer yet, and invalid answers


@pytest.mark.parametrize("id", ["99.4", "99", ""])
def test_an_unknown_exercise_is_an_error(desk, id):
    with pytest.raises(LabError, match=f"one of 0.*received '{id}'"):
        check(id, None, None, desk)


@pytest.mark.parametrize("given", ["nothing", "no answer", "no prediction"])
def test_without_answer_or_prediction_the_task_is_shown(dataset, desk, given):
    answer = build(dataset) if given == "no prediction" else None
    outcome = check("99.1", answer, "a" if given == "no answer" else None, desk)
    assert outcome.right is None and "\n" not in outcome.words
    exercise = OURS["99.1"]
    for part in (exercise["asks"], exercise["predict"], "a: it halves", "c: it rises"):
        assert part in outcome.words
    assert desk.models == {}


@pytest.mark.parametrize("prediction", ["d", "", "ab", "A", 1])
def test_a_prediction_must_be_one_of_the_letters(dataset, desk, prediction):
    outcome = check("99.1", build(dataset), prediction, desk)
    assert outcome.right is False and "prediction" in outcome.words and "a, b, c" in outcome.words


@pytest.mark.parametrize("answer", [3.5, "c", np.zeros((2, 3)), [1], True, keras.layers.Dense(2)])
def test_another_type_instead_of_a_model_is_named(desk, answer):
    outcome = check("99.1", answer, "a", desk)
    assert outcome.right is False and type(answer).__name__ in outcome.words
    assert "model" in outcome.words and OURS["99.1"]["asks"] in outcome.words


def test_another_type_instead_of_an_array_is_named(dataset, desk):
    outcome = check("99.2", {"model": build(dataset), "codes": 3.5}, "a", desk)
    assert outcome.right is False and "codes" in outcome.words and "float" in outcome.words


@pytest.mark.parametrize("names", [[], ["model"], ["codes", "net"], ["model", "codes", "more"]])
def test_a_dict_must_have_the_required_names(desk, names):
    for answer in (dict.fromkeys(names, 1), names):
        outcome = check("99.2", answer, "a", desk)
        assert outcome.right is False and "model, codes" in outcome.words


def test_one_object_may_be_handed_in_by_its_name(dataset, desk):
    assert check("99.1", {"model": build(dataset)}, "a", desk).right
    assert check("99.1", {"net": build(dataset)}, "a", desk).right is False


# Models that are not the student's own


def test_the_notebooks_own_model_and_its_copies_are_refused(dataset, shown):
    lab = start_lab("01_dense_autoencoder", Settings(offline=True))
    lab._desk.dataset = dataset
    lab.record("dense.test_sse", 1.0, "per image")
    own = build(dataset)
    lab.keep_model(own, "undercomplete")
    copy = keras.models.clone_model(own)
    copy.set_weights(own.get_weights())
    for model in (own, copy):
        lab.check_exercise("99.1", model, prediction="a")
        assert "own model, unchanged" in shown[-1][0]["text/plain"]
    copy.set_weights([weight * 1.001 for weight in own.get_weights()])
    lab.check_exercise("99.1", copy, prediction="a")
    assert ": correct" in shown[-1][0]["text/plain"]


def test_the_model_of_another_exercise_is_refused(dataset, desk):
    model = build(dataset)
    assert check("99.1", model, "a", desk).right
    second = check("99.2", {"model": model, "codes": np.zeros(3)}, "a", desk)
    assert second.right is False and "model is what you handed in for 99.1" in second.words
    assert check("99.1", model, "a", desk).right  # the cell may be run again


def test_a_wrong_answer_is_not_stored(dataset, desk):
    model = build(dataset, size=3)
    assert check("99.1", model, "a", desk).right is False
    assert check("99.2", {"model": model, "codes": np.zeros(3)}, "a", desk).right


# What the checks measure


def test_a_failed_check_shows_its_hint_with_the_measured_value(dataset, desk):
    outcome = check("99.1", build(dataset, size=3), "a", desk)
    assert outcome.right is False and outcome.words.endswith("its code has 3 numbers")


def test_a_model_of_another_structure_is_refused_in_one_sentence(dataset, desk):
    """A classifier has no code to measure."""
    layers = [keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(3)]
    outcome = check("99.1", keras.Sequential(layers), "a", desk)
    assert outcome.right is False and "\n" not in outcome.words
    assert "cannot be measured" in outcome.words and OURS["99.1"]["asks"] in outcome.words
    described = measures.code_size.__doc__.rstrip(".")
    assert described in outcome.words and "code_size" not in outcome.words


def test_an_untrained_model_is_recognised(dataset, desk):
    outcome = check("99.1", build(dataset, trained=False), "a", desk)
    assert outcome.right is False and "was it trained" in outcome.words
    assert figure(outcome.words) > measures.mean_image_sse(None, dataset)


@pytest.mark.parametrize(
    ("bound", "right"),
    [
        ({"at_most": 2}, True),
        ({"at_most": 1.9}, False),
        ({"at_least": 2}, True),
        ({"at_least": 2.1}, False),
        ({"equals": {"own": "dense.test_sse", "times": 4, "plus": -2}}, True),
        ({"equals": {"measure": "code_size", "times": 2}}, False),
        ({"at_least": {"measure": "code_size", "plus": 1}}, False),
    ],
)
def test_a_bound_may_be_a_number_a_figure_or_a_measure(dataset, desk, monkeypatch, bound, right):
    tested = [{"measure": "code_size", "hint": "no"} | bound]
    monkeypatch.setitem(EXERCISES, "99.1", OURS["99.1"] | {"checks": tested})
    assert check("99.1", build(dataset), "a", desk).right is right


@pytest.mark.parametrize("prediction", ["a", "b", "c"])
@pytest.mark.parametrize(("own", "came_out"), [(4.0, "a"), (1.5, "b"), (1.0, "c"), (0.5, "c")])
def test_a_correct_answer_is_explained(dataset, desk, own, came_out, prediction):
    model = build(dataset)
    sse = measures.sse(model, dataset)
    desk.figures["dense.test_sse"] = sse * own
    outcome = check("99.1", model, prediction, desk)
    choice = OURS["99.1"]["choices"][LETTERS.index(came_out)]
    assert outcome.right and f"{came_out} ({choice})" in outcome.words
    assert ("not what you predicted" in outcome.words) is (prediction != came_out)
    explained = f"It leaves {sse:.2f}, the lab {sse * own:.2f}, {1 / own:.3f} times. So. There."
    assert outcome.words.endswith(explained)


@pytest.mark.parametrize(
    ("by", "outcome"), [("value", 2), ("against", 4), ("ratio", 0.5), ("difference", -2)]
)
def test_one_number_decides_the_result(dataset, desk, monkeypatch, by, outcome):
    size = {"measure": "code_size"}
    for edge, letter in ((outcome + 0.1, "a"), (outcome - 0.1, "b"), (outcome, "b")):
        sides = {"value": size, "against": size | {"times": 2}, "by": by, "edges": [edge]}
        changed = OURS["99.1"] | sides | {"choices": ["below", "above"]}
        monkeypatch.setitem(EXERCISES, "99.1", changed)
        words = check("99.1", build(dataset), "a", desk).words
        assert f"{letter} ({'below' if letter == 'a' else 'above'})" in words


def test_in_smoke_only_the_form_is_checked(dataset, desk):
    desk.judged = False
    for model in (build(dataset, trained=False), build(dataset, size=3)):
        outcome = check("99.1", model, "a", desk)
        assert outcome.right is None and "smoke" in outcome.words
        assert "correct." not in outcome.words and "no answer yet" not in outcome.words
    assert check("99.1", 3.5, "a", desk).right is False


# Answers in words


@pytest.mark.parametrize(
    "answer", ["", "Because.", "a " * (FEWEST_WORDS - 1), 81, ["many"] * 20, {"a": SENTENCE}]
)
def test_an_answer_of_too_few_words_is_refused(desk, answer):
    outcome = check("99.3", answer, None, desk)
    assert outcome.right is False and str(FEWEST_WORDS) in outcome.words
    assert OURS["99.3"]["asks"] in outcome.words


def test_words_are_shown_and_not_judged(desk):
    outcome = check("99.3", SENTENCE.replace(", ", ",\n   "), None, desk)
    assert outcome.right is None and outcome.words.endswith(SENTENCE)
    assert check("99.3", "a " * FEWEST_WORDS, None, desk).right is None
    nothing = check("99.3", None, None, desk)
    assert nothing.right is None and OURS["99.3"]["asks"] in nothing.words


def test_the_log_stores_the_last_answer_to_each_exercise(dataset, shown, tmp_path):
    lab = start_lab("01_dense_autoencoder", Settings(record_folder=tmp_path))
    lab._desk.dataset = dataset
    lab.record("dense.test_sse", 1.0, "per image")
    lab.check_exercise("99.1")
    lab.check_exercise("99.1", build(dataset), prediction="a")
    lab.check_exercise("99.3", SENTENCE)
    kept = json.loads((tmp_path / "01_dense_autoencoder.json").read_text())["exercises"]
    assert {id: answer["right"] for id, answer in kept.items()} == {"99.1": True, "99.3": None}
    assert [thing["text/plain"][:4] for thing, _ in shown[1:]] == ["99.1", "99.1", "99.3"]
    assert 'class="answer right"' in shown[2][0]["text/html"]


# The catalogue of exercises

IDS = [id for id in EXERCISES if id not in OURS]
MEASURED = [id for id in IDS if "choices" in EXERCISES[id]]
KEYS = {"asks", "objects", "predict", "choices", "by", "edges", "value", "against", "checks"}
KEYS |= {"explains"}
SIDE = {"measure", "own", "of", "times", "plus"}
REFERENCE = json.loads((PROJECT / "reports" / "reference.json").read_text(encoding="utf-8"))
RECORDED = {name for figures in REFERENCE.values() for name in figures}
WORDS = dict.fromkeys(("value", "against", "ratio", "difference"), 1.5)


def sources(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def sides(exercise):
    """All numbers that an exercise compares."""
    yield from (exercise["value"], exercise["against"])
    for test in exercise["checks"]:
        yield {name: test[name] for name in test.keys() & SIDE}
        yield next(test[name] for name in COMPARISONS if name in test)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_a_notebook_asks_for_its_own_exercises_in_order(path):
    asked = re.findall(r'lab\.check_exercise\(\s*"([^"]+)"', sources(path))
    assert asked == sorted(id for id in IDS if id[:2] == path.stem[:2]) and len(asked) >= 4
    assert sum(id in MEASURED for id in asked) >= 2
    assert sum(id not in MEASURED for id in asked) >= 2


def test_each_exercise_has_a_notebook():
    assert {id[:2] for id in IDS} <= {path.stem[:2] for path in NOTEBOOKS}
    assert all(re.fullmatch(r"\d\d\.\d", id) for id in IDS)


@pytest.mark.parametrize("id", IDS)
def test_its_entry_is_complete(id):
    exercise = EXERCISES[id]
    assert exercise.keys() == (KEYS if id in MEASURED else {"asks"})
    for words in (exercise["asks"], exercise.get("predict", "")):
        assert words == words.strip() and "\n" not in words and not words.endswith(".")


@pytest.mark.parametrize("id", MEASURED)
def test_its_choices_are_separated_by_increasing_edges(id):
    exercise = EXERCISES[id]
    assert 2 <= len(exercise["choices"]) <= len(LETTERS)
    assert len(exercise["edges"]) == len(exercise["choices"]) - 1
    assert all(low < high for low, high in pairwise(exercise["edges"]))
    assert exercise["by"] in WORDS
    assert set(exercise["objects"].values()) <= {"model", "array"} and exercise["objects"]
    if len(exercise["objects"]) > 1:
        assert all(f'"{name}":' in exercise["asks"] for name in exercise["objects"])


@pytest.mark.parametrize("id", MEASURED)
def test_its_numbers_can_be_found(id):
    exercise = EXERCISES[id]
    (path,) = (path for path in NOTEBOOKS if path.stem[:2] == id[:2])
    recorded = RECORDED | set(re.findall(r'"(\w+\.\w+)"', sources(path)))
    for side in sides(exercise):
        if isinstance(side, dict):
            assert side.keys() <= SIDE and len(side.keys() & {"measure", "own"}) == 1
            of = side.get("of", next(iter(exercise["objects"])))
            assert ({of} if isinstance(of, str) else set(of)) <= exercise["objects"].keys()
            assert "own" not in side or side["own"] in recorded
            assert "measure" not in side or callable(getattr(measures, side["measure"]))
        else:
            assert isinstance(side, int | float)
    for test in exercise["checks"]:
        assert len(test.keys() & COMPARISONS.keys()) == 1 and "measure" in test
        assert test.keys() <= SIDE | COMPARISONS.keys() | {"hint"}


@pytest.mark.parametrize("id", MEASURED)
def test_its_explanation_can_be_formatted(id):
    exercise = EXERCISES[id]
    for test in exercise["checks"]:
        hint = test["hint"].format(value=1.5, bound=1.5)
        assert len(hint.split()) >= 5 and "\n" not in hint
    explained = exercise["explains"].format(**WORDS)
    assert "{value" in exercise["explains"]
    assert len(re.findall(r"[.!?](?:\s|$)", explained)) >= 3
