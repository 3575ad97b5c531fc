"""Any notebook becomes a page: its content is shown, or a note says what is missing. No kernels."""

import json
import os
import re
import time
from pathlib import Path

import pytest
from nbformat import v4

from ae_lab.errors import LabError
from ae_lab.report.notebook_file import language_of, parse_notebook, read_notebook
from ae_lab.report.render.cleaning import clean_outputs
from ae_lab.report.render.outputs import WIDGET, WIDGET_STATE
from ae_lab.report.render.sanitise import sanitise
from ae_lab.report.workplace import page_file
from helpers import (
    PIXEL,
    build,
    contents,
    executed,
    main_of,
    notebook,
    problems,
    project,
    rendered,
    with_output,
)

SVG = '<svg width="90" height="40"><title>A bar</title><rect width="90" height="40"/></svg>'
SVG_FILE = SVG.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"')


def text_page(*sources: str, folder="", **attached):
    """The visible part of a page of texts, and its details; attachments belong to the first."""
    content = notebook("# T", *sources)
    if attached:
        content.cells[1]["attachments"] = {
            name.replace("__", " "): {"image/png": PIXEL} for name in attached
        }
    page, details = rendered(content, folder=folder)
    return main_of(page), details


def output_page(data: dict, metadata: dict | None = None, **more):
    """The visible part of a page with one output, and its details."""
    content = with_output(notebook("# T", "%%show()"), data, metadata)
    content.metadata.update(more)
    page, details = rendered(content)
    return main_of(page), details


# HTML over several Markdown tokens


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Water is H<sub>2</sub>O.", "H<sub>2</sub>O"),
        ("10<sup>-3</sup> m, <kbd>Ctrl</kbd>", "10<sup>-3</sup> m, <kbd>Ctrl</kbd>"),
        ('<a href="https://x.org">a link</a>', '<a href="https://x.org">a link</a>'),
        ("<i>see [there](https://x.org)</i>", '<i>see <a href="https://x.org">there</a></i>'),
        ("<ruby>漢<rt>kan</rt></ruby>", "<ruby>漢<rt>kan</rt></ruby>"),
        ("<center>\n\n**mid**\n\n</center>", "<p><strong>mid</strong></p>\n</center>"),
    ],
)
def test_html_elements_contain_their_markdown(source, expected):
    assert expected in text_page(source)[0]


def test_a_fold_contains_its_markdown():
    page, _ = text_page(
        "<details>\n<summary>S</summary>\n\nThe **answer**.\n\n</details>\n\nAfter."
    )
    fold = page.split("<details>")[1].split("</details>")[0]
    assert "<strong>answer</strong>" in fold and "After" not in fold


# Formulas


def test_a_macro_is_defined_for_all_later_cells():
    page, details = text_page(
        "$$\\newcommand{\\norm}[1]{\\lVert #1 \\rVert}$$",
        "$\\norm{x}$ and again $\\newcommand{\\norm}[1]{|#1|} \\norm{y}$",
        "$$\\DeclareMathOperator{\\KL}{KL} \\KL(q, p)$$",
    )
    assert not details.problems and page.count("<math") == 3


def test_equation_numbers_and_references_span_the_whole_page():
    page, details = text_page(
        "see $\\eqref{b}$, \\eqref{a} and \\ref{b}",
        "\\begin{equation}a\\label{a}\\end{equation}",
        "$$c \\tag{7}$$\n\n\\begin{align}b\\label{b}\\end{align}",
    )
    assert not details.problems
    links = re.findall(r'<a href="#(equation-\w)">([^<]*)</a>', page)
    assert links == [("equation-b", "(2)"), ("equation-a", "(1)"), ("equation-b", "2")]
    assert all(f'id="{name}"' in page for name, _ in links) and "(7)" in page
    assert not re.search(r"<math(?:(?!</math>).)*<a ", page), "links in formulas do not work"


def test_formulas_that_cannot_be_rendered_are_named_with_their_source():
    wrong = [f"\\unknown{letter}" for letter in "abcdefghij"]
    page, details = text_page(*(f"Text ${tex}$ goes on, ${tex[-1]}^2$." for tex in wrong))
    assert len(details.problems) == 10 and page.count("<math") == 10
    for tex in wrong:
        assert f"<code>{tex}</code>" in page
        assert sum(f"“{tex}”" in problem["message"] for problem in details.problems) == 1


def test_a_reference_without_an_equation_is_a_problem():
    assert "“\\eqref{zz}”" in problems(notebook("# T", "see \\eqref{zz}"))[0]


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("| a | b |\n|---|---|\n| $|x|$ | $P(A|B)$ |", 2),
        ("<table><tr><td>$x^2$</td></tr></table>", 1),
        ("<details><summary>s</summary>$x^2$</details>", 1),
        ("a $x$, \\\\(y\\\\), \\\\[z\\\\] and $$w$$", 4),
        ("`$a$` ``b ` $c$`` and\n\n```\n$d$\n```\n\n~~~\n$e$\n~~~\n\n    $f$", 0),
        ("```\n$never closed$", 0),
        ("It cost $5 and then $10, \\$x\\$.", 0),
        ("$\\mbox{ab} \\large x$ $$\\begin{eqnarray}a&=&b\\end{eqnarray}$$", 2),
        ("[a $x$ b](https://x.org/$1$) ![$y$ axis](gone.png)", 1),
    ],
)
def test_formulas_are_found_where_jupyter_finds_them(source, count):
    page, details = text_page(source)
    assert page.count("<math") == count
    assert not any("rendered" in problem["message"] for problem in details.problems)
    assert "\ufdd0" not in page and ("<table" in page) == (source.startswith(("|", "<table")))


def test_formulas_in_html_from_a_kernel_are_rendered():
    html = "<table><tr><th>$\\alpha$</th></tr></table><code>$no$</code> $5 to $6"
    page, _ = output_page({"text/html": html})
    assert page.count("<math") == 1 and "<code>$no$</code> $5 to $6" in page


# Images


@pytest.mark.parametrize("address", ["my image.png", "my%20image.png"])
@pytest.mark.parametrize("form", ["![alt](<attachment:{}>)", '<img src="attachment:{}" alt="alt">'])
def test_an_attached_image_is_shown(address, form):
    page, details = text_page(form.format(address), my__image__png="")
    assert details.problems, "an attachment of another name"
    content = notebook("# T ![logo](attachment:one.png)", form.format(address))
    for cell in content.cells:
        cell["attachments"] = {name: {"image/png": PIXEL} for name in ("my image.png", "one.png")}
    page, details = rendered(content)
    assert not details.problems and page.count(f"data:image/png;base64,{PIXEL}") == 2


@pytest.mark.parametrize(
    "form", ["![a]({})", '<img src="{}" alt="a" width="30">', "![a][1]\n\n[1]: <{}>"]
)
def test_an_image_file_is_shown_whatever_its_name(tmp_path, form):
    (tmp_path / "img").mkdir()
    (tmp_path / "img" / "my pic.svg").write_text(SVG_FILE)
    page, details = text_page(form.format("img/my%20pic.svg"), folder=tmp_path)
    assert not details.problems and "data:image/svg+xml;base64" in page


@pytest.mark.parametrize(
    "source",
    [
        "![a](attachment:none.png)",
        '<img src="https://x.org/a.png" alt="a">',
        '<img src="gone.png">',
        "<img>",
        "![a](../secret.png)",
        "![a](link.png)",
        "![a](pipe.png)",
        "![a](loop.png)",
        "![a](t.tiff)",
        f"![a]({'long' * 100}.png)",
        "![a](a%00b.png)",
    ],
)
def test_a_missing_image_is_a_problem_in_its_place(tmp_path, source):
    (tmp_path / "notebooks").mkdir()
    for name in ("secret.png", "notebooks/t.tiff"):
        (tmp_path / name).write_bytes(b"not shown")
    if os.name == "posix":
        (tmp_path / "notebooks" / "link.png").symlink_to(tmp_path / "secret.png")
        os.mkfifo(tmp_path / "notebooks" / "pipe.png")
        (tmp_path / "notebooks" / "loop.png").symlink_to("loop.png")
    page, details = text_page(f"Before {source} after.", folder=tmp_path / "notebooks")
    assert len(details.problems) == 1 and "<img" not in page
    assert page.index("Before") < page.index("not a file in the notebook") < page.index("after.")
    assert ("without a source" in page) == (source == "<img>")


@pytest.mark.parametrize(
    "source", [f'<img src="data:image/png;base64,{PIXEL}">', f"![]({'a.svg'})"]
)
def test_every_image_has_an_alt_text(tmp_path, source):
    (tmp_path / "a.svg").write_text(SVG_FILE)
    page, details = text_page(source, folder=tmp_path)
    assert "no alt text" in details.problems[0]["message"] and 'alt=""' in page
    page, details = output_page({"text/html": f'<img src="data:image/png;base64,{PIXEL}">'})
    assert "no alt text" in details.problems[0]["message"]


# Content that a page cannot show


@pytest.mark.parametrize(
    ("html", "word"),
    [
        ('<iframe src="https://www.youtube.com/embed/abc">old browser</iframe>', "another site"),
        ("<video controls>Your browser does not support video.</video>", "a video"),
        (
            '<audio><source src="data:audio/wav;base64,AA==">Your browser does not</audio>',
            "a sound",
        ),
        ("<canvas>Your browser does not draw</canvas>", "a drawing"),
        ('<object data="x.swf">Your browser does not</object>', "embedded"),
        ("<button>Press your browser</button>", "a button"),
        ("<select><option>your browser</option></select>", "field"),
        ("<textarea>your browser</textarea>", "field"),
        ('<input type="range">', "field"),
        ("<script>document.write('your browser')</script>", "a script"),
        ("<math><mi>your browser</mi></math>", "MathML"),
        ("<svg><rect></svg>", "SVG"),
    ],
)
def test_a_removed_element_is_named_without_its_fallback(html, word):
    for page, details in (text_page(f"Before {html} after."), output_page({"text/html": html})):
        assert word in page and "rowser" not in page.split("</code></pre>")[-1]
        assert len(details.gaps) + len(details.problems) == 1
    page, _ = text_page(f"Before {html} after.")
    assert page.index("Before") < page.index(word) < page.index("after.")


@pytest.mark.parametrize(
    ("html", "still"),
    [
        ('<progress value="3" max="10"></progress>', "3 of 10"),
        ('<meter value="0.5">half</meter>', "0.5 of 1"),
        ('<input type="checkbox" checked> done', "☑ done"),
        ("<noscript>Switch scripts on.</noscript>text", "text"),
        (SVG, 'alt="A bar"'),
        (
            '<picture><source srcset="x"><img alt="a" src="data:image/png;base64,AA=="></picture>',
            "<img",
        ),
        ("<p hidden>fallback</p><b>shown</b>", "<p hidden"),
        ('<b style="display: none">fallback</b>', "display:none"),
        ("- [x] done", "☑"),
    ],
)
def test_a_static_form_is_shown_and_is_not_a_gap(html, still):
    page, details = text_page(html)
    assert still in page and not details.gaps and not details.problems
    assert "Switch" not in page


PLOTLY = "application/vnd.plotly.v1+json"


@pytest.mark.parametrize(
    ("data", "seen", "gaps"),
    [
        ({PLOTLY: {"data": []}}, PLOTLY, 1),
        ({PLOTLY: {}, "text/html": "<div id=x></div><script>1</script>"}, "a script", 1),
        ({"application/vnd.vegalite.v5+json": {}, "text/plain": "alt.Chart(...)"}, "alt.Chart", 1),
        ({PLOTLY: {}, "text/html": "<script>1</script>", "image/png": PIXEL}, PIXEL, 0),
        ({"text/html": "<table><tr><td>7</td></tr></table><script>1</script>"}, "<td>7</td>", 1),
        ({"text/html": SVG, "text/plain": "<IPython.core.display.HTML object>"}, "A bar", 0),
        ({"image/webp": PIXEL}, "data:image/webp", 0),
        ({"image/tiff": "AA=="}, "image/tiff", 1),
        ({"application/json": {"a": [1]}, "text/plain": "<…JSON object>"}, "&quot;a&quot;: [", 0),
        ({"application/javascript": "1", "text/plain": "<x.Javascript object>"}, "a script", 1),
        ({"video/mp4": "AA=="}, "a video", 1),
        ({"application/pdf": "AA=="}, "a PDF", 1),
        ({"text/plain": "5"}, "5", 0),
        ({"image/svg+xml": "<svg"}, "SVG", 0),
        ({"text/latex": "\\begin{align}a&=b\\end{align}", "text/plain": "x"}, "<math", 0),
    ],
)
def test_an_output_is_shown_in_its_richest_static_form_or_named(data, seen, gaps):
    alt = {kind: {"alt": "A dot."} for kind in data}
    page, details = output_page(data, alt)
    assert seen in page and len(details.gaps) == gaps
    assert "object>" not in page and "object&gt;" not in page


def test_html_with_hidden_parts_is_replaced_by_text():
    html = "<style>#x {display: none}</style><div id=x>please rerun this cell</div>"
    page, details = output_page({"text/html": html, "text/plain": "LogisticRegression()"})
    assert "LogisticRegression()" in page and "rerun" not in page and not details.gaps


def test_a_styled_table_keeps_its_colours_but_not_its_random_ids():
    html = (
        "<style>#T_ab1_row0_col0, #T_ab1_row1_col0 {background-color: yellow; color: white}</style>"
        '<table id="T_ab1"><tr><th>&nbsp;</th><th>a</th></tr>'
        '<tr><td id="T_ab1_row0_col0" class="data">2</td>'
        '<td style="color:red;position:fixed;background-image:url(http://x)">3</td></tr></table>'
    )
    page, _ = output_page({"text/html": html, "text/plain": "<a.Styler object>"})
    assert 'style="background:#ffff00;color:#000000"' in page, "black is readable on yellow"
    assert "T_ab1" not in page and "url(" not in page and "fixed" not in page
    assert "<th>&nbsp;" not in page and "background:#ffffff;color:#" in page


def test_raw_and_unknown_cells_are_named_with_their_text():
    content = notebook("# T", "one", "two")
    content.cells[1] = v4.new_raw_cell("Raw <b>words</b>", id="r")
    content.cells[2]["cell_type"] = "sql"
    page, details = rendered(content)
    assert "Raw &lt;b&gt;words" in page and "two" in page and len(details.gaps) == 2
    assert "'sql'" in details.gaps[1]


# Widgets


def state(**models) -> dict:
    """A notebook's stored widgets: name → (kind, state)."""
    stored = {
        name: {"model_name": f"{kind}Model", "state": fields}
        for name, (kind, fields) in models.items()
    }
    return {WIDGET_STATE: {"version_major": 2, "version_minor": 0, "state": stored}}


def test_a_widget_s_last_state_is_shown():
    stream = {"output_type": "stream", "name": "stdout", "text": "printed in it"}
    widgets = state(
        box=("VBox", {"children": ["IPY_MODEL_a", "IPY_MODEL_b", "IPY_MODEL_c", "IPY_MODEL_d"]}),
        a=("IntSlider", {"value": 5, "description": "rate"}),
        b=("HTML", {"value": "<b>hello</b> 3/3 [00:01&lt;00:00, 2.50it/s]"}),
        c=("Output", {"outputs": [stream]}),
        d=("FloatProgress", {"value": 3.0, "max": 4.0}),
    )
    page, details = output_page({WIDGET: {"model_id": "box"}}, widgets=widgets)
    for text in ("rate: 5", "<b>hello</b> 3/3<", "printed in it", "3 of 4"):
        assert text in page
    assert not details.gaps


@pytest.mark.parametrize(
    "widgets", [{}, {"state": "broken"}, state(other=("X", {})), state(box=("Custom", {}))]
)
def test_a_widget_without_a_static_form_is_named(widgets):
    data = {WIDGET: {"model_id": "box"}, "text/plain": "Custom(a=1)"}
    page, details = output_page(data, widgets=widgets)
    assert len(details.gaps) == 1 and "a widget" in page and "Custom(a=1)" in page


def test_boxes_that_contain_each_other_do_not_loop():
    widgets = state(
        box=("VBox", {"children": ["IPY_MODEL_b"]}), b=("VBox", {"children": ["IPY_MODEL_box"]})
    )
    assert len(output_page({WIDGET: {"model_id": "box"}}, widgets=widgets)[1].gaps) == 1


# Anchors and links


@pytest.mark.parametrize(
    ("source", "link"),
    [
        ('<h2 id="x">Mine</h2>', "#x"),
        ('<a name="My_Anchor"></a>', "#My_Anchor"),
        ('<div id="d">\n\nwords\n\n</div>', "#d"),
        ("## Content", "#Content"),
        ("## Cell 1", "#Cell-1"),
        ("## 1. Intro", "#1.-Intro"),
        ("## About $x^2$", "#About-$x^2$"),
        ("", "#T"),
    ],
)
def test_links_within_the_page_work_and_anchors_are_unique(source, link):
    content = notebook("# T", source, f"[go]({link})", "%%1")
    page, details = rendered(content)
    target = re.search(r'href="#([^"]+)">go<', page)[1]
    ids = re.findall(r' id="([^"]+)"', page)
    assert ids.count(target) == 1 and len(ids) == len(set(ids)) and not details.gaps


def test_links_without_a_target_are_named():
    page, details = text_page("[a](#nowhere) [b](data.csv) [c](attachment:x.pdf)")
    assert len(details.gaps) == 2 and "'data.csv'" in page and "#nowhere" in page
    assert "href" not in page


# All formats of notebook files

CELLS = [
    {"cell_type": "markdown", "metadata": {}, "source": ["# A\r\n", "text"]},
    {"cell_type": "code", "metadata": {}, "source": "1 + 1", "outputs": []},
]
V3 = {
    "nbformat": 3,
    "nbformat_minor": 0,
    "metadata": {"name": ""},
    "worksheets": [
        {
            "metadata": {},
            "cells": [
                {"cell_type": "heading", "level": 1, "metadata": {}, "source": "A"},
                {
                    "cell_type": "code",
                    "collapsed": False,
                    "input": "1 + 1",
                    "language": "python",
                    "metadata": {},
                    "outputs": [],
                },
            ],
        }
    ],
}


@pytest.mark.parametrize(
    "found",
    [
        V3,
        {"nbformat": 4, "nbformat_minor": 0, "metadata": {}, "cells": CELLS},
        {"nbformat": 4, "nbformat_minor": 9, "metadata": {}, "cells": CELLS},
        {"nbformat": 5, "nbformat_minor": 0, "metadata": {}, "cells": CELLS},
        {"cells": CELLS},
        {"cells": [cell | {"id": "#VSC-ac09160d"} for cell in CELLS], "metadata": None},
        {"cells": [cell | {"id": None, "metadata": None} for cell in CELLS]},
        {"cells": [cell | {"id": "x" * 65} for cell in CELLS], "metadata": {"marimo": {}}},
        {"cells": [cell | {"id": "same"} for cell in CELLS], "metadata": {"colab": {}}},
        {"cells": [CELLS[0], CELLS[1] | {"outputs": [5, {"output_type": "pyout"}]}]},
        {"cells": [*CELLS, "words", {"cell_type": 7}]},
    ],
)
def test_every_format_of_the_file_becomes_a_page(found):
    for content in (json.dumps(found).encode(), b"\xef\xbb\xbf" + json.dumps(found).encode()):
        read = parse_notebook(content, "a.ipynb")
        ids = [cell.id for cell in read.cells]
        assert len(set(ids)) == len(ids)
        page, _ = rendered(read)
        assert ("<h1>A</h1>" in page or "<h1>01_sample" in page) and "cell-1" in page
        assert "\r" not in "".join(cell.source for cell in read.cells)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"cells": 5}', b"<<<<<<< HEAD", "ä".encode("latin-1"), b"5"]
)
def test_an_invalid_notebook_is_reported_in_one_sentence(tmp_path, content):
    path = tmp_path / "a.ipynb"
    path.write_bytes(content)
    with pytest.raises(LabError, match="a.ipynb must be a notebook"):
        read_notebook(path)


def test_the_language_is_read_from_the_metadata():
    assert language_of({"metadata": {"kernelspec": {"language": "R"}}}) == "R"
    assert (
        language_of({"metadata": {"language_info": {"name": "julia"}, "kernelspec": 5}}) == "julia"
    )
    assert language_of({}) == language_of({"metadata": {"kernelspec": {}}}) == "python"


def test_each_notebook_has_its_own_page():
    names = ["index", "Index", "index_", "index__", "a", "index2", "models"]
    pages = [page_file(name) for name in names]
    assert len(set(pages)) == len(pages) and "index.html" not in map(str.lower, pages)


@pytest.mark.usefixtures("as_executed")
def test_names_in_any_script_and_of_any_length_are_linked(tmp_path):
    names = ["index", "10_c#sharp & 50% ?", "Übung 1", "自动编码器", "x" * 249, "a.b", "quick"]
    settings = project(tmp_path, **{name: notebook(f"# {name[:9]}") for name in names})
    (tmp_path / "notebooks" / "._index.ipynb").write_bytes(b"\0")
    build(settings)
    pages = contents(settings.profile_folder)
    index = pages["index.html"].decode()
    assert len([page for page in pages if page.endswith(".html")]) == len(names) + 1
    assert 'href="10_c%23sharp%20%26%2050%25%20%3F.html"' in index
    assert 'href="index_.html"' in index and "%E8%87%AA" in index


# Tags and switches


@pytest.mark.parametrize(
    ("tag", "code", "output"),
    [
        ("remove-input", False, True),
        ("remove-output", True, False),
        ("remove-cell", False, False),
        ("hide-input", True, True),
        ("hide-cell", True, True),
    ],
)
def test_tags_remove_or_fold_cells(tag, code, output):
    content = with_output(notebook("# T", "%%secret_code()"), {"text/plain": "the_result"})
    content.cells[1].metadata["tags"] = [tag]
    page, _ = rendered(content)
    assert ("secret_code" in page, "the_result" in page) == (code, output)
    assert ("<details><summary>Output" in page) == (tag == "hide-cell")
    assert ('<details class="fold">' in page) == code, "code is folded anyway"


# Failures of one cell, failures of one page


def test_a_cell_that_cannot_be_rendered_is_named_and_others_are_shown(monkeypatch):
    from ae_lab.report.render import markdown

    def breaks(source, *more, **options):
        if "broken" in source:
            raise RecursionError("too deep")
        return sanitise(source, *more, **options)

    monkeypatch.setattr(markdown, "sanitise", breaks)
    page, details = text_page("first", "broken <b>", "last")
    assert "first" in page and "last" in page and "broken &lt;b&gt;" in page
    assert "too deep" in details.problems[0]["message"]


@pytest.mark.usefixtures("as_executed")
def test_thirty_notebooks_of_which_three_are_broken(tmp_path, monkeypatch):
    good = [
        notebook(f"# N\n\n<iframe src='https://x.org'></iframe> {number}") for number in range(27)
    ]
    names = {f"{number:02}": content for number, content in enumerate(good)}
    error = {"notebook": "30", "cell": 2, "id": "c1", "heading": "", "name": "E", "message": "m"}
    names["30"] = executed(notebook("# Fails", "%%1 / 0"), error=error)
    settings = project(tmp_path, **names)
    (tmp_path / "notebooks" / "28.ipynb").write_text("{")
    foreign = {"cells": CELLS, "metadata": {"kernelspec": {"language": "R", "name": "ir"}}}
    (tmp_path / "notebooks" / "29.ipynb").write_text(json.dumps(foreign))
    said: list[str] = []
    from ae_lab.report import build as build_module

    with pytest.raises(LabError, match="^28 failed .*and 2 more failed"):
        build_module.build_report(settings, say=said.append)
    pages = contents(settings.profile_folder)
    assert len([page for page in pages if page.endswith(".html")]) == 31
    index = pages["index.html"].decode()
    assert index.count('class="banner"') == 3 and index.count(">failed") == 3
    for name, word in (("28", "must be a notebook"), ("29", "written in R"), ("30", "E: m")):
        assert word in index and word in pages[f"{name}.html"].decode()
    assert "1 + 1" not in pages["28.html"].decode() and "text" in pages["29.html"].decode()
    last = "".join(said).splitlines()[-3:]
    assert "27 in" in last[0] and "29 failed" in last[1] and "30, cell 2 failed" in last[2]


# Time and correctness


def seconds(function, *arguments) -> float:
    """The shortest of three times."""
    times = []
    for _ in range(3):
        start = time.process_time()
        function(*arguments)
        times.append(time.process_time() - start)
    return min(times)


STRESS = {
    "one long word": "x" * 20,
    "numbers": "[1, 22, 333], ",
    "paths": "/tmp/ipykernel_x/a" * 2,
    "packages": "/opt/site-packages-x",
    "carriage returns": "bar\r",
    "backspaces": "ab\b\b",
    "escapes": "\x1b]8;;x",
    "clocks": "3/3 [00:01<00:00, ",
    "keras": "━━ ",
    "addresses": "<a at 0x12345678",
    "lines": "a b\n",
}


@pytest.mark.parametrize("name", ["stdout", "stderr"])
@pytest.mark.parametrize("kind", STRESS)
def test_the_time_to_clean_a_stream_is_proportional_to_its_length(kind, name):
    def clean(size):
        text = STRESS[kind] * (size // len(STRESS[kind]))
        clean_outputs([v4.new_output("stream", name=name, text=text)], "/somewhere/notebooks")

    assert seconds(clean, 400_000) < 8 * seconds(clean, 100_000) + 0.05


@pytest.mark.parametrize(
    "piece",
    ["<svg ", "<script>", "<style>{", "<iframe>", "<img ", "<table>", "$", "\\begin{a}", "`"],
)
def test_the_time_to_render_html_and_text_is_proportional_to_its_length(piece):
    from ae_lab.report.render.formulas import Formulas

    def clean(size):
        html = piece * (size // len(piece))
        sanitise(html if piece != "<table>" else html[:6_000])
        Formulas(dict, lambda *words: "").lift(html)

    assert seconds(clean, 80_000) < 8 * seconds(clean, 20_000) + 0.05


def test_a_large_html_output_is_rendered_quickly():
    rows = "<tr>" + "<td>12.5</td>" * 20 + "</tr>"
    image = f'<img alt="a" src="data:image/png;base64,{"A" * 2_000_000}">'
    start = time.process_time()
    output_page({"text/html": image + "<table>" + rows * 5_000 + "</table>"})
    assert time.process_time() - start < 8, "3.5 MB, about two seconds on an idle machine"


@pytest.mark.parametrize(
    "text",
    [
        f"https://example.org/tmp/file {Path.home()}/x polynomial/roots",
        "value at 0xDEADBEEF is",
        "[10:30<11:00] and 3/3 [10:30<11:00]",
        "/tmp/results.csv",
        "2/2 0s 31ms/step",
        "C:\\site-packages\\x",
    ],
)
@pytest.mark.parametrize("kind", ["stdout", "text/plain", "text/html", "text/markdown"])
def test_text_printed_by_a_notebook_is_not_changed(text, kind):
    output = (
        v4.new_output("stream", name="stdout", text=text)
        if kind == "stdout"
        else v4.new_output("display_data", data={kind: text})
    )
    (clean,) = clean_outputs([output], str(Path.home() / "notebooks"))
    assert (clean.text if kind == "stdout" else clean.data[kind]) == text


# In a browser


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """A page with all content that is shown in a static form or by a note."""
    texts = [
        "see \\eqref{a}: \\begin{equation}a\\label{a}\\end{equation} and $\\color{red} x$ $\\no$",
        f"{SVG} <progress value=3 max=4></progress> <iframe src='https://x.org'></iframe> [a](#b)",
        "<table><tr><td style='color:red'>r</td><td style='background:#777'>g</td></tr></table>",
        "<font color=yellow>f</font> <center>c</center> ![](gone.png) - [x] <button>b</button>",
        "<div class='alert alert-info'>note</div>\n\n- [x] done\n- [ ] open",
    ]
    content = notebook("# All", *texts, "%%show()")
    content.cells.append(v4.new_raw_cell("raw", id="raw"))
    content.cells[-2].metadata["tags"] = ["hide-cell"]
    box = {"children": ["IPY_MODEL_a"]}
    content.metadata.update(state(box=("VBox", box), a=("IntSlider", {"value": 5})))
    content.metadata.widgets = dict(content.metadata)
    cell = content.cells[-2]
    for data in (
        {WIDGET: {"model_id": "box"}},
        {WIDGET: {"model_id": "gone"}},
        {PLOTLY: {}},
        {"text/html": "<style>#a{background:navy}</style><p id=a>navy</p><script>1</script>"},
        {"image/png": PIXEL},
    ):
        cell.outputs.append(v4.new_output("display_data", data=data))
    folder = tmp_path_factory.mktemp("everything")
    (folder / "all.html").write_text(rendered(content, "all")[0])
    return folder / "all.html"


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_notes_are_accessible_and_make_no_requests(browser, everything, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    size = {"width": 360, "height": 740}
    context = browser.new_context(bypass_csp=True, color_scheme=scheme, viewport=size)
    page = context.new_page()
    requests, messages = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: messages.append(message.text))
    page.goto(everything.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert [url for url in requests if not url.startswith("data:")] == [page.url]
    assert messages == []
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = axe.run(page, options={"runOnly": {"type": "tag", "values": tags}})
    assert found.violations_count == 0, found.generate_report()
    context.close()
