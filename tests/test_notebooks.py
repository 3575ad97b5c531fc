"""The notebooks as stored: their structure, their links, and the claims that they test."""

import ast
import json
import re
import sys
from statistics import median

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from ae_lab.lab.verdicts import CLAIMS
from ae_lab.models import AUTOENCODERS
from ae_lab.report.render.page import LEFT_OUT
from helpers import NOTEBOOKS

HARMLESS = {0, 1, 2, 10, 28, 90, 100, 255, 784}  # degrees, pixels, digits, per cent
IN_PRINT = ("published", "at_most", "at_least")  # published values and goals of lab.record
LOOKS = re.compile(
    r"plotting\.|axe?s?\b.*\.|fig\.|lab\.(show|table|timer|epochs|parameters)|.*\.reshape|np\.indices"
)
SECTIONS = ["Idea", "Setup", "Prediction", "Limits", "Exercises", "Next"]


def cells(path, kind=None):
    stored = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in stored if kind in (None, cell["cell_type"])]


def text(path, kind):
    return "\n\n".join("".join(cell["source"]) for cell in cells(path, kind))


@pytest.fixture(params=NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def path(request):
    return request.param


def test_there_are_eleven_in_order():
    assert [path.stem[:2] for path in NOTEBOOKS] == [f"{i:02}" for i in range(11)]


def test_it_is_stored_without_outputs(path):
    assert not any(cell["outputs"] or cell["execution_count"] for cell in cells(path, "code"))


def test_its_cells_have_unique_readable_names(path):
    names = [cell["id"] for cell in cells(path)]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z][a-z0-9-]*", name) for name in names)


def test_it_follows_the_skeleton(path):
    headings = re.findall(r"^(#+) (.+)$", text(path, "markdown"), re.M)
    assert [level for level, _ in headings].count("#") == 1 and headings[0][0] == "#"
    names = [name for _, name in headings]
    assert len(set(names)) == len(names)
    assert [name for name in names if name in SECTIONS][: len(SECTIONS) - 1] == SECTIONS[:-1]
    assert "**Question.**" in text(path, "markdown")


def test_its_code_is_in_short_cells_with_text_between_them(path):
    row, lengths = 0, []
    for cell in cells(path):
        row = row + 1 if cell["cell_type"] == "code" else 0
        assert row <= 2, cell["id"]
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and "lab.parameters(" not in source:  # one line per knob
            lengths.append(len(source.splitlines()))
            assert lengths[-1] <= 20, cell["id"]
    assert median(lengths) <= 10


def test_every_number_is_a_knob(path):
    """All rates, widths, numbers of epochs or images, and margins are in the table of knobs."""
    for cell in cells(path, "code")[1:]:
        if "as-printed" in cell["metadata"].get("tags", []):
            continue  # a program that is quoted
        for number in numbers_in(ast.parse("".join(cell["source"]))):
            assert number.value in HARMLESS, f"{cell['id']}: {ast.unparse(number)}"


def numbers_in(node):
    """The numbers below a node, except those that only affect how something looks."""
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield node
    if isinstance(node, ast.Subscript | ast.FormattedValue):
        return
    if isinstance(node, ast.BinOp) and ast.unparse(node).endswith("** 0.5"):  # a square root
        node = node.left
    if isinstance(node, ast.Call):
        function = ast.unparse(node.func)
        if LOOKS.match(function):
            return
        if function in ("lab.record", "dict"):  # published values are not ours to change
            node.keywords = [k for k in node.keywords if k.arg not in IN_PRINT]
    for child in ast.iter_child_nodes(node):
        yield from numbers_in(child)


def test_it_starts_the_lab_with_its_own_name(path):
    assert f'start_lab("{path.stem}")' in text(path, "code")


def test_its_first_cell_is_the_same_and_not_on_the_page(path):
    first = cells(path, "code")[0]
    assert first["source"] == cells(NOTEBOOKS[0], "code")[0]["source"]
    assert first["metadata"] == {"tags": [LEFT_OUT]}


@pytest.mark.parametrize("installed", [True, False])
def test_the_first_cell_installs_the_package_if_it_is_missing(monkeypatch, installed):
    assert run_first_cell(monkeypatch, installed, NOTEBOOKS[0].parent) == (
        [] if installed else [("pip", "install -q ..")]
    )


def test_a_notebook_without_the_project_says_where_to_get_it(monkeypatch, tmp_path):
    with pytest.raises(SystemExit, match="README.md.*notebooks/.*src/") as caught:
        run_first_cell(monkeypatch, False, tmp_path)
    assert "\n" not in str(caught.value)


def run_first_cell(monkeypatch, installed, folder):
    """Run the cell in this folder; return the magics that it called."""
    called = []

    class Shell:
        def run_line_magic(self, *arguments):
            called.append(arguments)

    if not installed:
        monkeypatch.setitem(sys.modules, "ae_lab", None)
    monkeypatch.chdir(folder)
    source = "".join(cells(NOTEBOOKS[0], "code")[0]["source"])
    exec(TransformerManager().transform_cell(source), {"get_ipython": Shell})
    return called


def test_each_kind_and_the_classifier_save_their_models():
    source = "\n".join(text(path, "code") for path in NOTEBOOKS)
    kept = re.findall(r'lab\.keep_model\([^\n]+, "(\w+)"\)', source)
    assert sorted(kept) == sorted([*AUTOENCODERS, "classifier"])


def test_it_treats_every_kind_in_the_same_way(path):
    """The meaning of "code" is the same for all kinds: no cell tests the kind."""
    for cell in cells(path, "code")[1:]:  # the first one contains IPython's %pip
        for node in ast.walk(ast.parse("".join(cell["source"]))):
            compared = [node.left, *node.comparators] if isinstance(node, ast.Compare) else []
            names = {c.value for c in compared if isinstance(c, ast.Constant)}
            assert not names & set(AUTOENCODERS), cell["id"]


def test_its_links_lead_to_notebooks(path):
    links = re.findall(r"\]\(([^)]+\.ipynb)\)", text(path, "markdown"))
    assert links and all((path.parent / link).exists() for link in links)


def test_its_links_to_headings_work_in_jupyter(path):
    """JupyterLab's address of a heading is its text with hyphens instead of spaces."""
    for name, wanted in re.findall(r"\]\(([^)#]*\.ipynb)?#([^)]+)\)", text(path, "markdown")):
        other = path.parent / name if name else path
        headings = re.findall(r"^#+ (.+)$", text(other, "markdown"), re.M)
        assert wanted in [heading.replace(" ", "-") for heading in headings], (name, wanted)


def test_every_claim_of_the_handout_is_tested_or_listed_as_untested():
    source = "\n".join(text(path, "code") for path in NOTEBOOKS)
    assert [id for id in CLAIMS if f'"{id}"' not in source] == []


def test_every_value_is_recorded_with_a_comparison(path):
    given = {"baselines", "best", None}  # None: passed as **options
    for cell in cells(path, "code"):
        source = "".join(cell["source"])
        if "lab.record(" not in source:
            continue
        for call in ast.walk(ast.parse(source)):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "lab.record":
                assert {word.arg for word in call.keywords} & given, ast.unparse(call)
