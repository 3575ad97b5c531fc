"""Every knob of every notebook, changed: it works, or one sentence names the knob."""

import json
import re

import pytest

from ae_lab.errors import LabError
from ae_lab.lab.parameters import Knob
from helpers import NOTEBOOKS


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
@pytest.mark.parametrize("how", ["half or twice", "smallest"])
def test_each_knob_can_be_changed_or_is_refused_by_name(run, path, how):
    """Half of the knobs are halved and the others doubled, together; small ones are set to 12."""
    knobs = knobs_of(path)
    factors = {n: how if how == "smallest" else 0.5 + 1.5 * (i % 2) for i, n in enumerate(knobs)}
    changes = {
        n: f"{n}={value}" for n in knobs if (value := changed(knobs[n], factors[n])) is not None
    }
    sizes = [n for n in changes if how == "smallest" and is_size(knobs[n])]
    dozens = [sizes[start : start + 12] for start in range(0, len(sizes), 12)]
    for group in [*dozens, [n for n in changes if n not in sizes]]:
        try_out(run, path, [changes[n] for n in group])


def try_out(run, path, changes):
    """Run with these changes; if the run fails, try each half of them, down to single ones.

    A refusal must be one sentence that names the knob, which is then omitted.
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
    """Whether a knob's values are whole numbers."""
    value = knob.values["smoke"]
    return isinstance(value[0] if isinstance(value, tuple) else value, int)


def knobs_of(path):
    """The knobs of a notebook, created by its own cell."""
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
    """Another value of a knob as text, within its bounds; None if it is not a number."""
    value = knob.values["smoke"]
    parts = value if isinstance(value, tuple) else (value,)
    if any(isinstance(part, bool | str) for part in parts):
        return None
    if factor == "smallest":
        parts = [type(part)(knob.least) for part in parts]
    else:
        parts = [type(part)(part * factor) for part in parts]
        parts = [max(part, knob.least) for part in parts]
        parts = [part if knob.most is None else min(part, knob.most) for part in parts]
    return ",".join(map(str, parts))
