"""The notebooks as a student uses them: run, changed as the text suggests, with solved exercises.

All in the smoke profile and in this process: the tests check that nothing fails, not what is
learned. If a text cell suggests a change of knobs, its metadata contain the change,
``{"try": ["latent_dim=2"]}``, which is executed here.
"""

import json
import tomllib
from pathlib import Path

import pytest

from ae_lab.lab.exercises import EXERCISES
from helpers import NOTEBOOKS

SOLUTIONS = Path(__file__).with_name("solutions")
BY_NAME = {path.stem: path for path in NOTEBOOKS}


def instructions():
    """All changes of knobs that a text suggests."""
    for path in NOTEBOOKS:
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            for change in cell["metadata"].get("try", []):
                yield pytest.param(path, change, id=f"{path.stem[:2]}-{cell['id']}-{change}")


def solution(path):
    """The sources of a notebook's cells by id, with its exercises solved."""
    file = SOLUTIONS / f"{path.stem}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "path",
    [pytest.param(p, marks=[pytest.mark.slow] * (p != NOTEBOOKS[0])) for p in NOTEBOOKS],
    ids=list(BY_NAME),
)
def test_it_runs_in_smoke_without_verdicts(run, path):
    record = run(path)
    assert {claim["verdict"] for claim in record["claims"]} <= {"not judged in smoke", "untested"}
    assert record["headlines"]
    assert all(answer["right"] is None for answer in record["exercises"].values())


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=list(BY_NAME))
def test_its_exercises_run_with_the_solutions(run, path):
    record = run(path, replaced=solution(path))
    asked = {id for id in EXERCISES if id[:2] == path.stem[:2]}
    assert set(record["exercises"]) == asked and len(asked) >= 3
    for id, answer in record["exercises"].items():
        assert answer["right"] is None and "no answer yet" not in answer["words"], (id, answer)
    assert sum("choices" not in EXERCISES[id] for id in asked) >= 2


@pytest.mark.slow
@pytest.mark.parametrize(("path", "change"), list(instructions()))
def test_changes_suggested_by_a_text_work(run, path, change):
    assert change.partition("=")[0] in run(path, [change])["run"]["changed"]
