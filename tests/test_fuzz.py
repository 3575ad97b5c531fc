"""Random commands and files: each error is one sentence, and no exception is unexpected.

This takes one minute in the slow tests. With ``AE_LAB_FUZZ=100000`` examples it takes an hour.
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
from ae_lab.lab.records import DECODER, POSITIONS
from ae_lab.report.render.exporter import ReportExporter
from ae_lab.report.render.outputs import WIDGET, WIDGET_STATE
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
PIECES = [
    *(
        "$",
        "$$",
        "\\begin{align}",
        "\\end{align}",
        "\\sqrt{",
        "{",
        "}",
        "^",
        "_",
        "&",
        "\\\\",
        "\\(",
    ),
    *("\\left(", "\\right)", "\\eqref{a}", "\\label{a}", "\\newcommand{\\a}[1]{#1#1}", "\\a", "x"),
    *("&#xfdd0;", "0", "&#xfdd1;", "\ufdd0", "\ufdd2", "`", "```", "~~~", "\n\n", "# ", "- ", "> "),
    *("|", "[", "](", "](<", ")", "![", "attachment:a", "<", ">", '"', "'", "=", "/", "&lt;", " "),
    *(
        "<details open ",
        "title=",
        "onclick=",
        "href=",
        "src=",
        "style=",
        "id=claim-a",
        "data-draw=",
    ),
    *("<svg>", "</svg>", "<math>", "<mtext>", "<mglyph>", "<style>", "</style>", "<script>"),
    *(
        "</script>",
        "<table>",
        "<td>",
        "<!--",
        "-->",
        "<![CDATA[",
        "<iframe ",
        "<img ",
        "<a ",
        "<h1>",
    ),
    *("</h1>", "<p>", "</p>", "<pre>", "<noscript>", "<template>", "<title>", "<div class=living "),
    *("javascript:", "data:image/png;base64,AA", "data:text/html,", "//x.org/", "http://x.org/"),
]
texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=25).map("".join)
KINDS = ["text/html", "text/markdown", "text/latex", "text/plain", "image/svg+xml", "image/png"]
KINDS += ["application/json", DECODER, POSITIONS, WIDGET]
outputs = st.fixed_dictionaries(
    {
        "output_type": st.sampled_from(["display_data", "stream", "error", "execute_result"]),
        "data": st.dictionaries(st.sampled_from(KINDS), texts | values, max_size=3),
        "text": texts,
        "metadata": values,
    }
)
cells = st.fixed_dictionaries(
    {"cell_type": st.sampled_from(["markdown", "code", "raw"]), "source": texts},
    optional={"metadata": values, "outputs": st.lists(outputs, max_size=2), "id": values},
)
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
    """Run the command in this process; return its error output, checked if the command failed."""
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
    """A project with one notebook in this folder; nothing is executed or downloaded."""
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
def test_a_report_is_built_with_any_stored_results_and_notes(place, content, part, text):
    folder = place / "reports" / "quick" / "sweep"
    folder.mkdir(parents=True, exist_ok=True)
    whole = content if part is None else result(8, 0.1) | {part: content}
    (folder / "x.json").write_text(json.dumps(whole))
    (folder / "y.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    build = place / "reports" / ".build" / "quick"
    build.mkdir(parents=True, exist_ok=True)
    (build / "published.json").write_text(json.dumps(content))
    assert run(["report"]) == ""


@pytest.mark.slow
@fuzz
@given(found=st.lists(cells | values, max_size=4) | values, more=values, state=values)
def test_any_notebook_becomes_a_page_with_allowed_content_only(found, more, state):
    whole = {"cells": found, "metadata": {"widgets": {WIDGET_STATE: {"state": state}}, "a": more}}
    exporter = ReportExporter()
    page, _ = exporter.from_file(io.StringIO(json.dumps(whole)))
    assert page.rstrip().endswith("</html>") and "is in the page" not in page


@pytest.mark.slow
@fuzz
@given(recorded=values, part=st.sampled_from(["", *record()]), other=values)
def test_no_record_and_no_file_in_a_report_folder_affects_other_pages(place, recorded, part, other):
    odd = recorded if not part else record() | {part: recorded}
    content = notebook("# Odd", "%%show()")
    project(place, **{"02_odd": executed(content, odd if isinstance(odd, dict) else None)})
    (place / "reports").mkdir(exist_ok=True)
    for name in ("reference.json", "quick/before.json", "quick/claims.json"):
        if (path := place / "reports" / name).parent.is_dir():
            path.write_text(json.dumps(other))
    said = run(["report"])
    assert said == "" or "RecordError" in said
    assert "dense.test_bce" in (place / "reports" / "quick" / "index.html").read_text()
