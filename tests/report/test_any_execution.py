"""A report computes the same as the notebook and loses nothing that it prints."""

import json
import re
import subprocess
import sys
from html import unescape

import pytest

from ae_lab.errors import LabError
from ae_lab.report import build as build_module
from ae_lab.report.execute import run
from ae_lab.report.execute.environment import process_environment
from helpers import PATIENCE, build, environment, main_of, notebook, project

PRINTS = 4_000
EXPORTER = "ae_lab.report.render.exporter.ReportExporter"


@pytest.fixture(autouse=True)
def data_at_hand(monkeypatch):
    data = run.DataAtHand("MNIST, told by the run", "fingerprint")
    monkeypatch.setattr(build_module, "prepare_data", lambda settings, say: data)
    monkeypatch.setattr(run, "build_font_cache", lambda place: None)


def outputs_of(settings, name: str = "one") -> dict[int, str]:
    """Number of a cell → visible part of its outputs."""
    page = main_of((settings.profile_folder / f"{name}.html").read_text())
    cells = re.split(r'id="cell-(\d+)"', page)
    return {
        int(number): unescape(cell.partition('class="outputs"')[2])
        for number, cell in zip(cells[1::2], cells[2::2], strict=True)
    }


def test_the_environment_does_not_change_the_behaviour_of_libraries(monkeypatch):
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    changed = process_environment()
    assert not {"TQDM_DISABLE", "SOURCE_DATE_EPOCH", "PYTHONWARNINGS"} & changed.keys()


@pytest.mark.kernel
@pytest.mark.filterwarnings("default")
def test_all_that_a_program_prints_is_on_its_page(tmp_path):
    cells = [
        f"for i in range({PRINTS}): print('row', i, flush=True)",
        "import os, subprocess, sys\nprint('first', flush=True)\nstatus = os.system('echo child')\n"
        "done = subprocess.run([sys.executable, '-c', \"import sys; print('out'); "
        "sys.stderr.write('err')\"])\nprint('last')",
        "subprocess.run(['seq', '50000']).returncode",
        "print('x' * 1_000_000)",
        "for i in range(100_000): print(i)",
    ]
    settings = project(tmp_path, one=notebook("# One", *(f"%%{cell}" for cell in cells)))
    build(settings)
    seen = outputs_of(settings)
    assert re.findall(r"row (\d+)", seen[1]) == [str(i) for i in range(PRINTS)]
    for word in ("first", "child", "out", "err", "last"):
        assert word in seen[2], word
    assert len(re.findall(r"^\d+$", seen[3], re.MULTILINE)) >= 49_998
    assert "x" * 1_000_000 in seen[4] and "\n99999" in seen[5]


@pytest.mark.kernel
def test_widgets_and_bars_are_shown_in_their_last_state(tmp_path):
    cells = [
        "import ipywidgets as w\nw.interact(lambda x: print('twice', 2 * x), x=3)",
        "out = w.Output()\ndisplay(out)\nwith out:\n    print('inside')\n"
        "    display({'text/plain': 'rich'}, raw=True)",
        "from tqdm import tqdm\nb = tqdm(total=3)\nb.update(2)\nprint('n =', b.n)\nb.close()",
        "from tqdm.auto import tqdm\nfor i in tqdm(range(3)): pass",
        "print(5)",
        "from IPython.display import IFrame, JSON\n"
        "display(IFrame('https://x.org', 9, 9), JSON({'a': 1}))",
        "slider = w.IntSlider(value=1, description='rate')\ndisplay(slider)",
        "slider.value = 77",
    ]
    settings = project(tmp_path, one=notebook("# One", *(f"%%{cell}" for cell in cells)))
    said = build(settings)
    seen = outputs_of(settings)
    assert "twice 6" in seen[1] and "x: 3" in seen[1]
    assert "inside" in seen[2] and "rich" in seen[2]
    assert "n = 2" in seen[3] and "2/3" in seen[3]
    assert "100%" in seen[4] and "3/3" in seen[4] and "it/s" not in seen[3] + seen[4]
    assert "5" in seen[5] and "https://x.org" in seen[6] and '"a": 1' in seen[6]
    assert "rate: 77" in seen[7]
    assert ": 1 in one" in said
    first = (settings.profile_folder / "one.html").read_bytes()
    build(settings, force=True)
    assert (settings.profile_folder / "one.html").read_bytes() == first


@pytest.mark.kernel
def test_a_failed_notebook_does_not_affect_other_pages(tmp_path, monkeypatch):
    settings = project(tmp_path, good=notebook("# Good", "%%print('well')"))
    old = notebook("# Old", "%%print(1)", "%%1/0", "then", "%%print(2)")
    content = json.loads(json.dumps(old))
    content["nbformat_minor"] = 4
    for cell in content["cells"]:
        del cell["id"]
    (tmp_path / "notebooks" / "old.ipynb").write_text(json.dumps(content))
    (tmp_path / "notebooks" / "torn.ipynb").write_text("{")
    with pytest.raises(LabError, match=r"old, cell 2 \(Old\).*and 1 more failed"):
        build(settings)
    pages = {p.stem: p.read_text() for p in settings.profile_folder.glob("*.html")}
    assert "well" in pages["good"]
    assert "remaining code cell was not run" in pages["old"] and "Code [3]" not in pages["old"]
    assert "must be a notebook" in pages["torn"] and "must be a notebook" in pages["index"]

    from ae_lab.report.execute import notebook as execution

    def breaks(*arguments, **options):
        raise KeyError("comm id")

    monkeypatch.setattr(execution, "NotebookClient", breaks)
    with pytest.raises(LabError, match="KeyError"):
        build(settings, "good", force=True)


def convert(folder, *switches: str, name: str = "one") -> tuple[str, str]:
    """The log of nbconvert, and the page that it wrote."""
    done = subprocess.run(
        [sys.executable, "-m", "nbconvert", "--to", EXPORTER, *switches, f"{name}.ipynb"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.stderr, (folder / f"{name}.html").read_text()


@pytest.mark.kernel
def test_nbconvert_gives_the_same_page_and_the_same_sentences(tmp_path):
    content = notebook("# One", "%%print('before')", "%%1 / 0", "%%2")
    content.cells[0].source += "\n\n<iframe src='https://x.org'></iframe> $\\foo$"
    settings = project(tmp_path, one=content)
    with pytest.raises(LabError) as caught:
        build(settings)
    said, page = convert(tmp_path / "notebooks", "--execute")
    sentence = "one, cell 2 (One) failed with ZeroDivisionError: division by zero"
    assert sentence in str(caught.value) and sentence in said and "“\\foo”" in said
    theirs = (settings.profile_folder / "one.html").read_text()
    assert main_of(page) == main_of(theirs) and "before" in page
    said, page = convert(tmp_path / "notebooks", "--no-input")
    assert "before" not in main_of(page) and "print" not in main_of(page) and "“\\foo”" in said


@pytest.mark.kernel
def test_nbconvert_s_switches_work(tmp_path):
    content = notebook("# One", "words", "%%secret_code()")
    content.cells[2].metadata["tags"] = ["quiet"]
    folder = project(tmp_path, one=content).project_folder / "notebooks"
    assert "secret_code" in convert(folder)[1]
    for switch in (
        "--no-input",
        "--TagRemovePreprocessor.remove_input_tags=quiet",
        "--TagRemovePreprocessor.remove_cell_tags=quiet",
        "--ReportExporter.exclude_code_cell=True",
    ):
        assert "secret_code" not in convert(folder, switch)[1], switch
    assert "words" not in main_of(convert(folder, "--ReportExporter.exclude_markdown=True")[1])
    (folder / "torn.ipynb").write_text("{")
    said, page = convert(folder, name="torn")
    assert "must be a notebook" in said and "must be a notebook" in page
