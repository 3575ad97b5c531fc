"""Every exercise can be solved by doing it, and what is wrong is told without the answer."""

import json
import re
from functools import cache

import numpy as np
import pytest

from ae_lab.errors import LabError
from ae_lab.lab import start_lab
from ae_lab.lab.exercises import EXERCISES, check
from ae_lab.lab.feedback import Yardsticks
from ae_lab.settings import Settings
from exercise_key import KEY, WRONG, mnist
from helpers import NOTEBOOKS

IDS = list(EXERCISES)


@cache
def solved(id):
    return KEY[id]()


@cache
def yardsticks():
    return Yardsticks(mnist())


def judged(id, answer):
    return check(id, answer, yardsticks())


def numbers_in(text):
    return re.findall(r"\d+(?:\.\d+)?", text)


def test_every_notebook_has_its_three_and_each_is_asked_for():
    sources = {path.stem[:2]: path.read_text(encoding="utf-8") for path in NOTEBOOKS}
    wanted = [f"{number}.{n}" for number in sources for n in (1, 2, 3)]
    assert wanted == IDS == list(KEY) == list(WRONG)
    for number, source in sources.items():
        checked = re.findall(r'lab\.check_exercise\(\\"([\d.]+)\\"\)', source)
        assert checked == [f"{number}.{n}" for n in (1, 2, 3)]


def test_the_checks_stand_right_below_the_exercises():
    for path in NOTEBOOKS:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        place = [cell["id"] for cell in cells].index("exercises")
        above = "".join(cells[place - 1]["source"])
        assert re.findall(r"^(\d)\. ", above.split("## Exercises")[1], re.M) == ["1", "2", "3"]


@pytest.mark.slow
@pytest.mark.parametrize("id", IDS)
def test_doing_it_gives_an_answer_that_passes(id):
    verdict = judged(id, solved(id))
    assert verdict.right, (solved(id), verdict.words)
    assert verdict.words == f"{id}: right."


@pytest.mark.slow
@pytest.mark.parametrize("id", IDS)
def test_a_wrong_answer_is_refused_with_a_hint_that_is_not_the_answer(id):
    names = numbers_in(id + " ".join(EXERCISES[id].names) + EXERCISES[id].asks)
    for spoil in WRONG[id]:
        wrong = spoil(solved(id))
        verdict = judged(id, wrong)
        assert verdict.right is False, wrong
        hint = verdict.words.removeprefix(f"{id}: not yet: ")
        assert len(hint.split()) >= 5
        assert [number for number in numbers_in(hint) if number not in names] == []


@pytest.mark.parametrize("id", IDS)
@pytest.mark.parametrize(
    ("value", "said"), [(float("nan"), "NaN"), ("0.5", "type, str"), (True, "type, bool")]
)
def test_each_number_must_be_one(id, value, said):
    right = dict.fromkeys(EXERCISES[id].names, 0.5)
    for name in right:
        verdict = judged(id, right | {name: value})
        assert verdict.right is False and said in verdict.words and f"“{name}”" in verdict.words


@pytest.mark.parametrize("id", IDS)
def test_no_answer_is_an_invitation(id):
    verdict = judged(id, None)
    assert verdict.right is None
    assert verdict.words == f"{id}: no answer yet: hand in {EXERCISES[id].asks}."
    assert "\n" not in verdict.words
    assert all(name == "share" or name in EXERCISES[id].asks for name in EXERCISES[id].names)


def test_the_form_is_forgiving_where_nothing_is_lost():
    assert judged("09.3", {8: np.float32(13), 4: 14}).right
    assert judged("03.3", {0.16: np.float64(0.12), 0.02: 0.1}).right
    assert judged("08.2", 0.5).right


@pytest.mark.parametrize("answer", ["both", [1, 2], (3, 4), 5.0])
def test_what_is_no_dict_is_told_so(answer):
    verdict = judged("01.1", answer)
    assert verdict.right is False
    assert f"wrong type, {type(answer).__name__}" in verdict.words
    assert verdict.words.endswith(EXERCISES["01.1"].asks + ".")


def test_what_is_missing_is_named():
    assert "nothing for 32" in judged("01.1", {"2": 40}).words


def test_an_unknown_exercise_is_an_error():
    with pytest.raises(LabError, match="one of 01.1, .*received '10.1'"):
        check("10.1")


def test_without_data_the_checks_still_work():
    assert check("08.1", {"active": 0, "bce": 0.26}).right
    assert check("08.1", {"active": 0, "bce": 0.12}).right is False


def test_a_notebook_prints_the_verdict(capsys):
    lab = start_lab("03_denoising", Settings(offline=True))
    lab.check_exercise("03.3")
    lab.check_exercise("03.3", {"0.16": 0.09, "0.02": 0.12})
    lab.check_exercise("03.3", {"0.16": 0.12, "0.02": 0.09})
    _, none, wrong, right = capsys.readouterr().out.splitlines()
    assert none.startswith("03.3: no answer yet: hand in a dict with the mean length")
    assert wrong.startswith("03.3: not yet: the order of 0.16 and 0.02")
    assert right == "03.3: right."
