"""Random commands and files: each error is one sentence, and never an unexpected exception.

One minute in the slow tests; by hand, ``AE_LAB_FUZZ=100000`` examples take an hour.
"""

import contextlib
import io
import json
import os
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ae_lab import __main__ as command_line
from helpers import CELLS, executed, figure, notebook, project, record, result, with_output

EXAMPLES = int(os.environ.get("AE_LAB_FUZZ", 150))
fuzz = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="AE_LAB_FUZZ" not in os.environ,
    suppress_health_check=list(HealthCheck),
)
words = st.text(st.characters(blacklist_characters="\0"), max_size=8) | st.sampled_from(
    ["smoke", "quick", "0", "-1", "1e9", "a=2", "=", "~nobody/x", "x.npz", ".", "/", "\x1b]0;x\x07"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
PARTS = list(result(8, 0.1))
OPTIONS = {
    "report": ["--profile", "--seed", "--notebook", "--set", "--force"],
    "verify": ["--profile", "--accept"],
    "sweep": ["--profile", "--seeds", "--notebooks", "--backend", "--workers"],
    "data": [],
    "reconstruct": ["--profile", "--out"],
    "encode": ["--profile", "--array"],
    "decode": ["--profile", "--array"],
    "bench": ["--row", "--repeats"],
}
VARIABLES = [f"AE_LAB_{name}" for name in "PROFILE SEED DATA DATASET JOBS OFFLINE SET_A".split()]


def run(arguments, **environment) -> str:
    """Run the command in this process; return its output, one line if it failed."""
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stderr(said):
        for name, value in environment.items():
            with contextlib.suppress(ValueError):  # no system accepts this as a variable
                patch.setenv(name, value)
        try:
            code = command_line.main(arguments)
        except SystemExit as error:  # raised by argparse
            assert error.code in (0, 2)
            return ""
    lines = said.getvalue().splitlines()
    assert code in (0, 1) and "our fault" not in said.getvalue(), said.getvalue()
    if code:
        assert lines[-1].startswith("error: ") and re.search(r"[.\w)]$", lines[-1]), lines
        assert not re.search(r"[\x00-\x1f\x7f]", lines[-1])
    return said.getvalue()


@pytest.fixture
def place(tmp_path, monkeypatch, as_executed):
    """A project of one notebook in this folder; nothing is executed or downloaded in it."""
    monkeypatch.setenv("AE_LAB_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)
    content = with_output(notebook(*CELLS), *figure("A dot."))
    project(tmp_path, **{"01_a": executed(content, record())})
    return tmp_path


@pytest.mark.slow
@fuzz
@given(verb=st.sampled_from(list(OPTIONS)), data=st.data())
def test_a_command_with_any_arguments_and_environment_prints_one_sentence(
    place, monkeypatch, verb, data
):
    def nothing(*_, **__):
        raise command_line.LabError("not in this test.")

    for name in ("build_report", "verify", "sweep", "run_bench"):
        module = {
            "build_report": "ae_lab.report.build",
            "verify": "ae_lab.upkeep.verify",
            "sweep": "ae_lab.upkeep.sweep.sweep",
            "run_bench": "ae_lab.upkeep.bench.bench",
        }[name]
        monkeypatch.setattr(f"{module}.{name}", nothing)
    arguments = [verb]
    for option in data.draw(st.lists(st.sampled_from(OPTIONS[verb] or ["--x"]), max_size=3)):
        arguments += [option] if option in ("--force", "--accept") else [option, data.draw(words)]
    arguments += data.draw(st.lists(words, max_size=2))
    environment = data.draw(st.dictionaries(st.sampled_from(VARIABLES), words, max_size=2))
    run(arguments, **environment)


@pytest.mark.slow
@fuzz
@given(content=values, part=st.sampled_from([None, *PARTS]), text=st.text(max_size=20))
def test_a_report_is_built_whatever_results_and_notes_exist(place, content, part, text):
    folder = place / "reports" / "quick" / "sweep"
    folder.mkdir(parents=True, exist_ok=True)
    whole = content if part is None else result(8, 0.1) | {part: content}
    (folder / "x.json").write_text(json.dumps(whole))
    (folder / "y.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    build = place / "reports" / ".build" / "quick"
    build.mkdir(parents=True, exist_ok=True)
    (build / "published.json").write_text(json.dumps(content))
    assert run(["report"]) == ""
