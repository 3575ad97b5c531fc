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


def instructions(path):
    """The changes of knobs that a notebook's text suggests, in groups with each knob once."""
    groups = [{}]
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        for change in cell["metadata"].get("try", []):
            name = change.partition("=")[0]
            if change not in [group.get(name) for group in groups]:
                if all(name in group for group in groups):
                    groups.append({})
                next(group for group in groups if name not in group)[name] = change
    return groups


def solution(path):
    """The sources of a notebook's cells by id, with its exercises solved."""
    file = SOLUTIONS / f"{path.stem}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def test_the_first_runs_in_smoke_without_verdicts(run):
    check_smoke(run(NOTEBOOKS[0]))


def check_smoke(record):
    """No claim is judged in smoke, but all is computed."""
    assert {claim["verdict"] for claim in record["claims"]} <= {"not judged in smoke", "untested"}
    assert record["headlines"]


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=list(BY_NAME))
def test_its_exercises_run_with_the_solutions(run, path):
    record = run(path, replaced=solution(path))
    check_smoke(record)
    asked = {id for id in EXERCISES if id[:2] == path.stem[:2]}
    assert set(record["exercises"]) == asked and len(asked) >= 3
    for id, answer in record["exercises"].items():
        assert answer["right"] is None and "no answer yet" not in answer["words"], (id, answer)
    assert sum("choices" not in EXERCISES[id] for id in asked) >= 2


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=list(BY_NAME))
def test_changes_suggested_by_a_text_work(run, path):
    for group in instructions(path):
        assert group, "at least one change is suggested"
        try:
            assert set(group) <= set(run(path, group.values())["run"]["changed"])
        except Exception:  # not possible together, so one at a time, as a reader does
            for name, change in group.items():
                assert name in run(path, [change])["run"]["changed"]
