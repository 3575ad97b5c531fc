"""The layout of a notebook's page, also on a phone, with a keyboard, and on paper."""

import io
import json
from base64 import b64encode

import pytest
from PIL import Image

from ae_lab.report.build import render_report
from ae_lab.report.distributed import HASHES, cell_hash, differences, hashes_of, in_words
from ae_lab.report.render.outputs import labelled
from helpers import NOTEBOOKS, PROJECT, executed, figure, notebook, render, with_output


def picture(width: int, ink: float) -> tuple[dict, dict]:
    """A figure of this width with a share ``ink`` of black pixels."""
    image = Image.new("L", (100, 100), 255)
    image.paste(0, (0, 0, 100, round(100 * ink)))
    packed = io.BytesIO()
    image.save(packed, format="png")
    data, metadata = figure("A figure of black and white.")
    metadata["image/png"]["width"] = width
    return data | {"image/png": b64encode(packed.getvalue()).decode()}, metadata


def test_a_figure_comes_before_its_folded_code():
    page = render(
        executed(with_output(notebook("# A", "%%draw()"), *figure("A dot that is seen.")))
    )
    cell = page.split('id="cell-1"')[1].split("</div>\n</main>")[0]
    assert cell.index("<img") < cell.index('<details class="fold"><summary>Code')
    assert "script-src &#39;sha256-" in page and "localStorage" in page
    assert "<script" not in render(executed(notebook("# A")))


def test_failed_code_is_not_folded():
    error = {"id": "c1", "cell": 1, "name": "E", "message": "m", "heading": "", "notebook": "n"}
    page = render(executed(notebook("# A", "%%first()"), error=error))
    assert '<details class="fold failed" open>' in page


def test_the_title_comes_before_the_contents():
    page = render(executed(notebook("# A title\n\nWords.", "## One", "%%x", "## Two")))
    places = [page.index(text) for text in ("<h1", "Words.", 'class="contents"', '<h2 id="one"')]
    assert places == sorted(places)
    assert page.index("<main") < places[0]


def test_pages_link_to_the_previous_and_the_next(tmp_path):
    paths = {}
    for name in ("01_a", "02_b", "03_c"):
        paths[name] = tmp_path / f"{name}.ipynb"
        paths[name].write_text(json.dumps(executed(notebook("# T"))))
    render_report(tmp_path / "new", paths, tmp_path, "quick", "", [])
    first, middle, last = ((tmp_path / "new" / f"{name}.html").read_text() for name in paths)
    assert (
        middle.count('rel="prev" href="01_a.html"')
        == 2
        == middle.count('rel="next" href="03_c.html"')
    )
    assert 'rel="prev"' not in first and 'rel="next"' not in last


def test_the_cells_of_a_simple_table_name_their_columns():
    table = (
        '<table><thead><tr><th scope="col">a &amp; b</th><th>c</th></tr></thead><tbody>'
        '<tr><th scope="row">1</th><td>2</td></tr></tbody></table>'
    )
    shown = labelled(table)
    assert '<th data-label="a &amp; b" scope="row">1</th><td data-label="c">2</td>' in shown
    for other in (
        table.replace("<td>", '<td colspan="2">'),
        table.replace("<td>2</td>", ""),
        "<table><tr><td>1</td></tr></table>",
    ):
        assert labelled(other) == other
    page = render(executed(with_output(notebook("# A", "%%x"), {"text/html": table})))
    assert 'data-label="c"' in page


@pytest.mark.parametrize(
    ("width", "ink", "css"),
    [
        (771, 0.05, 'class="wide chart"'),
        (771, 0.4, 'class="wide"'),
        (300, 0.05, 'class="chart"'),
        (300, 0.4, "<figure><img"),
    ],
)
def test_the_style_of_a_figure_depends_on_size_and_darkness(width, ink, css):
    page = render(executed(with_output(notebook("# A", "%%x"), *picture(width, ink))))
    assert css in page


def test_the_hashes_of_the_distributed_cells_are_current():
    kept = HASHES.read_text(encoding="utf-8")
    assert kept == hashes_of(PROJECT / "notebooks"), "run make cells"
    for path in NOTEBOOKS:
        assert not differences(path.stem, json.loads(path.read_text(encoding="utf-8"))["cells"])


def test_cells_that_differ_are_marked_on_the_page():
    name, path = NOTEBOOKS[0].stem, NOTEBOOKS[0]
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = next(cell for cell in cells if cell["cell_type"] == "code")
    text = next(cell for cell in cells[1:] if cell["cell_type"] == "markdown")
    same = dict(code, source=["".join(code["source"]).replace("\n", "  \n") + "\n"])
    assert cell_hash(same) == cell_hash(code), "blanks at the end of a line change nothing"
    changed = notebook("# T", "Mine.", "%%mine()")
    changed.cells[0].update(id=cells[0]["id"], source="".join(cells[0]["source"]))
    changed.cells[1].id, changed.cells[2].id = text["id"], "mine"
    found = differences(name, changed.cells)
    assert found[text["id"]] == "changed" and found["mine"] == "added"
    assert in_words(found.values()) == f"1 changed, 1 added, {len(cells) - 2} removed"
    page = render(executed(changed), name)
    assert page.count("from the distributed notebook") == 2
    assert '<div class="cell differs"' in page
    assert "distributed" not in render(executed(changed), "own_notebook")


def test_only_outputs_of_the_lab_are_reformatted():
    html = '<p class="reading">It lost -2.5% of 3.1 nats/pixel.</p>'
    page = render(executed(with_output(notebook("# A", "%%x"), {"text/html": html})))
    assert "It lost \u22122.5\u00a0% of 3.1 nats per pixel." in page
    page = render(executed(with_output(notebook("# A", "%%x"), {"text/html": "<b>-2.5%</b>"})))
    assert "<b>-2.5%</b>" in page
    page = render(executed(notebook("# A"), record={"headlines": ["Up by 3%."]}))
    assert "Up by 3\u00a0%." in page
