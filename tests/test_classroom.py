"""The notebooks as a student uses them: run, changed as the text says, and with exercises solved.

All in the profile smoke, in this process: what is tested is that nothing breaks, not what is
learned. A text cell that tells its reader to change a number holds the change in its metadata,
``{"try": ["latent_dim=2"]}``, and is executed here.
"""

import json
import os
import re
import tomllib
from pathlib import Path

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from ae_lab.errors import LabError
from ae_lab.lab.exercises import EXERCISES
from ae_lab.lab.parameters import Knob
from ae_lab.settings import KNOB
from helpers import NOTEBOOKS

SOLUTIONS = Path(__file__).with_name("solutions")
BY_NAME = {path.stem: path for path in NOTEBOOKS}


def instructions():
    """Every change of a number that a text asks for."""
    for path in NOTEBOOKS:
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            for change in cell["metadata"].get("try", []):
                yield pytest.param(path, change, id=f"{path.stem[:2]}-{cell['id']}-{change}")


def solution(path):
    """The sources of a notebook's cells with its exercises solved, by the cell's id."""
    file = SOLUTIONS / f"{path.stem}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Run a notebook in smoke, with knobs changed and cells replaced; return what it recorded."""

    def run(path, changes=(), replaced=None):
        monkeypatch.chdir(path.parent)
        for name in [name for name in os.environ if name.startswith(KNOB)]:
            monkeypatch.delenv(name)
        for name, value in {
            "AE_LAB_PROFILE": "smoke",
            "AE_LAB_OFFLINE": "1",
            "AE_LAB_DATA": "",
            "AE_LAB_RECORDS": str(tmp_path),
        }.items():
            monkeypatch.setenv(name, value)
        for change in changes:
            name, _, value = change.partition("=")
            monkeypatch.setenv(KNOB + name.upper(), value)
        names = {"__name__": "__main__"}
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        for cell in code:
            if "remove-cell" not in cell["metadata"].get("tags", []):
                source = (replaced or {}).get(cell["id"], "".join(cell["source"]))
                source = TransformerManager().transform_cell(source)
                exec(compile(source, f"{path.stem}, cell {cell['id']}", "exec"), names)
        return json.loads((tmp_path / f"{path.stem}.json").read_text(encoding="utf-8"))

    return run


@pytest.mark.parametrize("path", NOTEBOOKS, ids=list(BY_NAME))
def test_it_runs_in_smoke_and_judges_nothing(run, path):
    record = run(path)
    assert {claim["verdict"] for claim in record["claims"]} <= {"not judged in smoke", "untested"}
    assert record["headlines"]
    assert all(answer["right"] is None for answer in record["exercises"].values())


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=list(BY_NAME))
def test_its_exercises_run_as_its_solutions_do_them(run, path):
    record = run(path, replaced=solution(path))
    asked = {id for id in EXERCISES if id[:2] == path.stem[:2]}
    assert set(record["exercises"]) == asked and len(asked) >= 3
    for id, answer in record["exercises"].items():
        assert answer["right"] is None and "no answer yet" not in answer["words"], (id, answer)
    assert sum("choices" not in EXERCISES[id] for id in asked) >= 2


@pytest.mark.slow
@pytest.mark.parametrize(("path", "change"), list(instructions()))
def test_what_a_text_says_to_change_can_be_changed(run, path, change):
    assert change.partition("=")[0] in run(path, [change])["run"]["changed"]


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=list(BY_NAME))
@pytest.mark.parametrize("factor", ["half", "twice", "smallest"])
def test_each_number_can_be_changed_or_is_refused_by_name(run, path, factor):
    """Numbers are changed together, but the smallest sizes, which break most, in dozens."""
    knobs = knobs_of(path)
    changes = {n: f"{n}={value}" for n in knobs if (value := changed(knobs[n], factor)) is not None}
    sizes = [n for n in changes if factor == "smallest" and is_size(knobs[n])]
    dozens = [sizes[start : start + 12] for start in range(0, len(sizes), 12)]
    for group in [*dozens, [n for n in changes if n not in sizes]]:
        try_out(run, path, [changes[n] for n in group])


def try_out(run, path, changes):
    """Run with these changes; where they fail together, in halves, down to single ones.

    What is refused has to be one sentence that names the knob, and is left out then.
    """
    try:
        run(path, changes)
    except Exception as error:
        names = [change.partition("=")[0] for change in changes]
        refused = [name for name in names if re.search(rf"\b{name}\b", str(error))]
        if isinstance(error, LabError) and refused:
            assert "\n" not in str(error)
            halves = [[c for c in changes if c.partition("=")[0] not in refused]]
        elif len(changes) == 1:
            raise
        else:
            halves = [changes[: len(changes) // 2], changes[len(changes) // 2 :]]
        for half in filter(None, halves):
            try_out(run, path, half)


def is_size(knob):
    """Whether a knob's numbers are whole."""
    value = knob.values["smoke"]
    return isinstance(value[0] if isinstance(value, tuple) else value, int)


def knobs_of(path):
    """The knobs of a notebook, as its own cell makes them."""
    names, found = {}, {}
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and "lab.parameters(" in source:

            class Table:
                @staticmethod
                def parameters(**knobs):
                    found.update(knobs)

            exec("from ae_lab.lab import knob", names)
            names["lab"] = Table
            exec(source, names)
    assert found and all(isinstance(knob, Knob) for knob in found.values())
    return found


def changed(knob, factor):
    """Another value of a knob as text, within its bounds; None for what is no number."""
    value = knob.values["smoke"]
    parts = value if isinstance(value, tuple) else (value,)
    if any(isinstance(part, bool | str) for part in parts):
        return None
    if factor == "smallest":
        parts = [type(part)(knob.least) for part in parts]
    else:
        times = 0.5 if factor == "half" else 2
        parts = [type(part)(part * times) for part in parts]
        parts = [max(part, knob.least) for part in parts]
        parts = [part if knob.most is None else min(part, knob.most) for part in parts]
    return ",".join(map(str, parts))
