"""Input from strangers: other pages are not affected, and nothing in it is executed."""

import json
import os
import re
import struct
import subprocess
import time
import zlib
from base64 import b64encode

import pytest
from nbformat import v4

from ae_lab import files
from ae_lab.__main__ import main
from ae_lab.errors import LabError
from ae_lab.report import notebook_file
from ae_lab.report.build import describe_commit, describe_making, say_now
from ae_lab.report.render import formulas, markdown
from ae_lab.report.render.exporter import ReportExporter
from ae_lab.report.render.last_look import check
from attacks import ATTACKS, MARKUP
from helpers import (
    CELLS,
    executed,
    figure,
    main_of,
    notebook,
    project,
    record,
    render,
    rendered,
    with_output,
)

# Formulas: each may crash the process that converts it, but not affect other formulas

LETTERS = "abcdefghij"
MACROS = r"\gdef\za#1{" + r"\sqrt{" * 400 + "#1" + "}" * 400 + "}"
TOO_MUCH = {
    "roots": r"\sqrt{" * 6_000 + "x" + "}" * 6_000,
    "open roots": r"\sqrt{" * 6_000,
    "fractions": r"\frac{1}{" * 20_000 + "x" + "}" * 20_000,
    "brackets": r"\left(" * 20_000 + "x" + r"\right)" * 20_000,
    "matrices": r"\begin{matrix}" * 20_000 + "x" + r"\end{matrix}" * 20_000,
    "exponents": "x" + "^{x" * 20_000 + "}" * 20_000,
    "commands": r"\sqrt" * 50_000,
    "macros": MACROS + r"\za{" * 50 + "x" + "}" * 50,
    "letters": "x" * 3_000_000,
}


@pytest.mark.parametrize("kind", TOO_MUCH)
def test_a_formula_that_crashes_its_converter_is_named_and_the_others_are_shown(kind):
    content = notebook("# T", "Before: $a^2$.", f"$${TOO_MUCH[kind]}$$", "After: $b^2$.")
    page, details = rendered(content)
    (problem,) = details.problems
    assert "too long or too deep" in problem["message"] and problem["id"] == "c2"
    assert page.count("<msup") == 2 and "<code>" in page


def test_after_several_crashes_no_formula_of_the_page_is_converted():
    deep = f"${TOO_MUCH['roots']}$"
    details = rendered(notebook("# T", *["$a^2$", deep, deep, deep, deep]))[1]
    assert len(details.problems) == 5 and len(details.fragments.notes) == 5


@pytest.mark.parametrize(
    "tex", [r"\gdef\za{\za}\za", r"\gdef\za#1{#1#1}" + r"\za{" * 30 + "}" * 30]
)
def test_macros_with_too_many_expansions_are_named(tex):
    (problem,) = rendered(notebook("# T", f"${tex}$"))[1].problems
    assert "Too many expansions" in problem["message"]


def test_without_a_formula_no_process_is_started(monkeypatch):
    monkeypatch.setattr(formulas.subprocess, "run", None)
    assert "words" in render(notebook("# T", "words, and \\$ 5"))


# Markers in place of formulas

INJECTED = r"$\eqref{/ontoggle=document.title=/HIT/.source//}$"
FORGED = [
    "&#xfdd0;{}&#xfdd1;",
    "&#64976;{}&#64977;",
    "\ufdd0{}\ufdd1",
    '<details open title="&#xfdd0;{}&#xfdd1;">x</details>',
    '<img src="&#xfdd0;{}&#xfdd1;" alt="&#xfdd0;{}&#xfdd1;">',
    "[link](&#xfdd0;{}&#xfdd1;)",
    "[link](%EF%B7%90{}%EF%B7%91)",
    "<a href='%EF%B7%90{}%EF%B7%91'>link</a>",
    "`&#xfdd0;{}&#xfdd1;` <code>&#xfdd0;{}&#xfdd1;</code>",
]


@pytest.mark.parametrize("number", ["0", "7", "9" * 5_000, "0" * 16 + "-0", "-0"])
@pytest.mark.parametrize("form", FORGED)
def test_a_marker_in_a_document_is_not_replaced_by_a_formula(form, number):
    """With the same two code points, as text, entity or address, and a formula's number."""
    content = notebook("# T", INJECTED, form.replace("{}", number))
    content.cells.append(v4.new_code_cell("show()", id="last"))
    with_output(content, {"text/html": form.replace("{}", number)})
    page, details = rendered(content)
    assert all("PageError" == one["name"] and one["id"] for one in details.problems)
    forged = page.split("ontoggle", 2)
    assert len(forged) <= 3, "in place of the formula, and in the message about it"


def test_a_formula_cannot_move_the_outputs_of_cells():
    """The formula contains a code point that once separated the cells."""
    content = notebook("# T", "$\\text{\ufdd2}$ and `\ufdd2`", "Second.", "%%show()")
    page = main_of(render(with_output(content, {"text/plain": "an output"})))
    assert page.index("Second.") < page.index("an output")
    assert page.count("an output") == page.count("Second.") == 1


# The last check of a finished page

FINE = [
    '<p class="a" title="1 &lt; 2 > 1">x<br></p>',
    '<a href="https://x.org">x</a><a href="01_a.html#b">y</a><a href="mailto:a@b.c">z</a>',
    '<img src="data:image/png;base64,AAAA" alt="">',
    '<math display="block"><mi style="background:#ffffff;color:#000000">x</mi></math><p>y</p>',
    '<svg viewBox="0 0 1 1"><path d="M0 0"/></svg><b>x</b>',
]
REFUSED = [
    *MARKUP[8:],
    ATTACKS,
    "<script></script>",
    "<p onclick='x'>",
    '<p onclick="x">',
    "<p class=x>",
    '<p class="a"onclick="x">',
    '<p/onclick="x">',
    "<!-- x -->",
    "a < b",
    "<",
    "<p",
    '<p class="',
    '<a href="javascript:x">',
    '<a href="java\tscript:x">',
    '<a href="&#106;avascript:x">',
    '<a href=" data:text/html,x">',
    '<a href="file:///etc/passwd">',
    '<img src="http://x.org/x.png">',
    '<img src="x.png">',
    '<img src="data:text/html,x">',
    '<p style="position:fixed">',
    '<p style="color:red;inset:0">',
    '<p style="background:url(x)">',
    "<math><mtext><b>x</b></mtext></math>",
    "<math><p>x",
    "<svg><foreignObject>",
    '<svg><a href="x">',
    "<template>",
    "<textarea>",
    '<a ping="x">',
    '<input formaction="x">',
]


@pytest.mark.parametrize("html", FINE)
def test_allowed_content_passes(html):
    check(html)


@pytest.mark.parametrize("html", REFUSED)
def test_forbidden_content_is_found_in_the_finished_page(html, monkeypatch):
    """Without any cleaning: the page then shows an error instead of its content."""
    with pytest.raises(LabError, match="is in the page"):
        check(html)
    monkeypatch.setattr(markdown, "sanitise", lambda source, *more, **options: html)
    page, details = rendered(notebook("# T", "anything"))
    assert [one["name"] for one in details.errors] == ["FileError"]
    assert "is not allowed" in page and "anything" not in page
    assert len(html) < 3 or html not in main_of(page)


def test_the_time_of_the_check_is_proportional_to_the_length():
    def seconds(count):
        start = time.process_time()
        check('<p class="a">x &lt; <b>y</b></p>' * count + f'<p title="{"<" * count}">')
        return time.process_time() - start

    assert seconds(40_000) < 8 * seconds(10_000) + 0.05


# A good notebook and an unusual one in the same report


def png(side: int) -> str:
    """A complete PNG of zeros, side x side pixels of one bit, in base64."""
    rows = zlib.compressobj()
    data = rows.compress(bytes(side * (side // 8 + 1))) + rows.flush()

    def chunk(kind, content):
        whole = kind + content
        return struct.pack(">I", len(content)) + whole + struct.pack(">I", zlib.crc32(whole))

    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    return b64encode(b"\x89PNG\r\n\x1a\n" + parts).decode()


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(sprung) (w) file closefile showpage\n"
ALT = {"image/png": {"alt": "A picture."}}
ODD_OUTPUTS = {
    "a picture of 400 megapixels": ({"image/png": lambda: png(20_000)}, ALT),
    "a picture of 100 megapixels": ({"image/png": lambda: png(10_000)}, ALT),
    "a program for Ghostscript": ({"image/png": b64encode(EPS).decode()}, ALT),
    "a damaged picture": ({"image/png": png(9)[:60]}, ALT),
    "not a picture": ({"image/png": "?"}, ALT),
    "an SVG of entities": (
        {
            "image/svg+xml": '<!DOCTYPE s [<!ENTITY a "aaaaaaaaaa">'
            + "".join(
                f'<!ENTITY {b} "{f"&{a};" * 10}">'
                for a, b in zip(LETTERS, LETTERS[1:], strict=False)
            )
            + ']><svg xmlns="http://www.w3.org/2000/svg"><text>&j;</text></svg>'
        },
        {},
    ),
    "deep JSON": ({"application/json": lambda: json.loads("[" * 95 + "]" * 95)}, {}),
}
ODD_RECORDS = {
    "empty": {},
    "a metric without a name": {"metrics": [{"value": 1.0}]},
    "a metric with a word as value": {"metrics": [{"name": "a", "value": "much"}]},
    "metrics that are a number": {"metrics": 5},
    "a claim that is a list": {"claims": [[1]]},
    "a claim without a verdict": {"claims": [{"id": "a"}]},
    "tests of another form": {"claims": [{"id": "a", "verdict": "holds", "tests": [1]}]},
    "headlines that are a number": {"headlines": 5},
    "a run that is a text": {"run": "quick"},
    "exercises that are a list": {"exercises": [1]},
    "an exercise that is a text": {"exercises": {"00.1": "right"}},
}


@pytest.fixture
def place(tmp_path, monkeypatch, as_executed):
    """A project with one good notebook, to which tests add others."""
    monkeypatch.setenv("AE_LAB_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)
    content = with_output(notebook(*CELLS), *figure("A dot."))
    project(tmp_path, **{"01_a": executed(content, record())})
    return tmp_path


def report(capsys, code=None) -> str:
    """The output of the command; it must not report an unexpected error."""
    done = main(["report"])
    said = "".join(capsys.readouterr())
    assert "our fault" not in said and done == (done if code is None else code), said
    return said


@pytest.mark.parametrize("kind", ODD_OUTPUTS)
def test_an_unusual_output_does_not_affect_other_pages(place, capsys, kind):
    data, metadata = ODD_OUTPUTS[kind]
    data = {name: one() if callable(one) else one for name, one in data.items()}
    project(
        place, **{"02_odd": executed(with_output(notebook("# Odd", "%%show()"), data, metadata))}
    )
    start = time.process_time()
    report(capsys)
    assert time.process_time() - start < 10
    assert "A dot." in (place / "reports" / "quick" / "index.html").read_text()
    assert not (place / "w").exists() and not (place / "sprung").exists()


@pytest.mark.parametrize("kind", ODD_RECORDS)
def test_an_invalid_record_is_named_and_does_not_affect_other_pages(place, capsys, kind):
    odd = executed(notebook("# Odd, and shown", "%%show()"), ODD_RECORDS[kind])
    project(place, **{"02_odd": odd})
    said = report(capsys)
    folder = place / "reports" / "quick"
    assert "Odd, and shown" in (folder / "02_odd.html").read_text()
    index = (folder / "index.html").read_text()
    assert "dense.test_bce" in index, "the other notebook's value"
    if kind != "empty":
        assert "02_odd" in said and "RecordError" in said and "RecordError" in index


def test_the_number_of_nested_boxes_is_limited():
    """Twenty boxes, each of which contains the next one three times."""
    state = {
        f"b{n}": {"model_name": "HBoxModel", "state": {"children": [f"IPY_MODEL_b{n + 1}"] * 3}}
        for n in range(20)
    }
    widget = "application/vnd.jupyter.widget-view+json"
    content = with_output(notebook("# T", "%%show()"), {widget: {"model_id": "b0"}})
    stored = {"application/vnd.jupyter.widget-state+json": {"state": state}}
    content.metadata["widgets"] = stored
    start = time.process_time()
    assert "not-shown" in rendered(content)[0]
    assert time.process_time() - start < 5


@pytest.mark.parametrize("depth", [90, 150, 300, 500, 900, 990, 2_000])
@pytest.mark.parametrize("where", ["metadata", "cell", "output"])
def test_deep_json_is_shown_or_its_notebook_is_named(place, capsys, where, depth):
    content = with_output(notebook("# Deep", "%%show()"), {"application/json": "HERE"})
    if where != "output":
        (content if where == "metadata" else content.cells[1]).metadata["a"] = "HERE"
        content.cells[1].outputs[0].data["application/json"] = 0
    text = json.dumps(content).replace('"HERE"', "[" * depth + "]" * depth)
    (place / "notebooks" / "02_deep.ipynb").write_text(text)
    said = report(capsys, 0 if depth == 90 else 1)
    assert depth == 90 or "02_deep" in said
    assert (place / "reports" / "quick" / "01_a.html").exists()


@pytest.mark.parametrize("lab", [5, [1], "x", {}, {"record": [1]}, {"error": {"a": 1}, "run": 3}])
def test_metadata_that_only_a_report_may_write_are_ignored(tmp_path, lab):
    """The file claims that a report executed it, with a record or an error."""
    content = notebook("# T", "words")
    content.metadata["ae_lab"] = lab
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps(content))
    exporter = ReportExporter()
    page, _ = exporter.from_filename(str(path))
    assert "words" in page and not exporter.page.in_report and not exporter.page.errors


NOT_OURS = [
    "",
    "{",
    "[1]",
    "5",
    '{"commit": 5, "before": {"claims": [1]}}',
    '{"commit": "x", "before": {"commit": "y", "claims": {"a": {"verdict": NaN, "runs": 1}}}}',
    '{"commit": "x", "before": {"commit": 5, "claims": {"a": 1}}}',
    '[{"id": "a", "verdict": NaN}]',
    '[{"id": [1], "verdict": "holds"}]',
    '[{"id": "a", "verdict": "holds", "seeds": 3}]',
    '[{"id": "a", "verdict": "holds", "seeds": {"runs": NaN}}]',
    '[{"id": "a", "verdict": "holds", "conditions": 3}]',
    '{"quick, MNIST, 60,000 + 10,000": [1], "about": 5}',
    '{"quick, MNIST, 60,000 + 10,000": {"dense.test_bce": {"mean": "x", "tolerance": 1}}}',
    '{"quick, MNIST, 60,000 + 10,000": {"dense.test_bce": {"tolerance": 1}}}',
    '{"key": "x", "files": 5, "errors": 5, "gaps": 5}',
    "[" * 200_000,
]
FILES = (
    "quick/before.json",
    "quick/claims.json",
    "quick/metrics.json",
    "reference.json",
    ".build/quick/published.json",
)


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
def test_an_invalid_file_in_a_report_folder_is_ignored(place, capsys, file):
    report(capsys, 0)
    path = place / "reports" / file
    for text in NOT_OURS:
        path.write_text(text)
        (place / "notebooks" / "01_a.ipynb").touch()
        said = report(capsys, 0)
        if file == "reference.json" and not text.startswith('{"commit') and '"key"' not in text:
            assert "reference.json must hold" in said, text
    if hasattr(os, "mkfifo"):
        path.unlink()
        os.mkfifo(path)
        assert file.split("/")[-1] in report(capsys) or "Open" in said


ODD_EXECUTIONS = {
    "not JSON": "{",
    "without cells": {"cells": None},
    "a cell that is a text": {"cells": ["x"]},
    "outputs that are a number": {"cells": [{"cell_type": "code", "source": "", "outputs": 5}]},
    "metadata that are a list": {"metadata": [1]},
    "a record that is a list": {"record": [1]},
    "an error that is a text": {"error": "failed"},
    "an error without a place": {"error": {"name": "a", "message": "b"}},
    "seconds that are a word": {"seconds": "long"},
}


@pytest.mark.slow
@pytest.mark.parametrize("failed", [False, True])
@pytest.mark.parametrize("kind", ODD_EXECUTIONS)
def test_an_invalid_stored_execution_is_replaced_or_named(place, capsys, kind, failed):
    """Its key is valid, or it is that of a failed run, which has none."""
    project(place, **{"02_b": executed(notebook("# B"), record())})
    report(capsys, 0)
    build, change = place / "reports" / ".build" / "quick", ODD_EXECUTIONS[kind]
    stored = json.loads((build / "01_a.ipynb").read_text())
    if isinstance(change, dict) and not {*change} & {*stored}:
        change = {"metadata": {"ae_lab": stored["metadata"]["ae_lab"] | change}}
    text = change if isinstance(change, str) else json.dumps(stored | change)
    path = build / "failed" / "01_a.ipynb" if failed else build / "01_a.ipynb"
    path.parent.mkdir(exist_ok=True)
    for options in (["--notebook", "02_b"], ["--force"]):
        path.write_text(text)
        main(["report", *options])
        said = "".join(capsys.readouterr())
        assert "our fault" not in said and ("Open" in said or "01_a" in said), said
    report(capsys, 0)
    assert "A dot." in (place / "reports" / "quick" / "01_a.html").read_text()


# Input that could run a program or block


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX")
@pytest.mark.parametrize("kind", ["settings", "a hook", "a filter", "a missing object"])
def test_git_settings_of_a_project_run_no_program(tmp_path, kind):
    def git(*arguments):
        command = ["git", "-C", tmp_path, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a").touch()
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    program.chmod(0o755)
    git("init", "-q")
    git("add", "src")
    git("-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "a")
    remote = {"url": tmp_path, "uploadpack": program, "promisor": "true"}
    settings = {
        "settings": {"fsmonitor": program, "log.showSignature": "true", "gpg.program": program},
        "a hook": {},
        "a filter": {"filter.a=b.clean": program, "filter.a=b.required": "true"},
        "a missing object": {f"remote.origin.{name}": value for name, value in remote.items()}
        | {"core.repositoryFormatVersion": "1", "extensions.partialClone": "origin"},
    }[kind]
    for name, value in settings.items():
        git("config", "core.fsmonitor" if name == "fsmonitor" else name, value)
    if kind == "a hook":
        hook = tmp_path / ".git" / "hooks" / "post-index-change"
        hook.parent.mkdir(exist_ok=True)
        program.rename(hook)
    elif kind == "a filter":
        (tmp_path / ".git" / "info" / "attributes").write_text("* filter=a=b\n")
    elif kind == "a missing object":  # git would ask the remote for it
        tree = git("rev-parse", "HEAD^{tree}")
        (tmp_path / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    os.utime(tmp_path / "src" / "a", (1, 1))  # so that git compares its content
    found = describe_commit(tmp_path)
    assert found == "" if kind == "a missing object" else re.fullmatch(r"[0-9a-f]{7,}", found)
    assert not (tmp_path / "sprung").exists()


def test_the_author_may_be_any_bytes(tmp_path):
    settings = project(tmp_path, a=notebook("# A"))
    subprocess.run(["git", "-C", tmp_path, "init", "-q"], check=True)
    with (tmp_path / ".git" / "config").open("ab") as file:
        file.write(b"[user]\n name = \xffAda <b>\n")
    assert describe_making(settings)["author"] == "?Ada <b>"


def test_nothing_printed_controls_the_terminal(capsys):
    say_now("\x1b]0;title\x07 one\r\n\x9b2J two\n")
    assert capsys.readouterr().out == " ]0;title  one \n 2J two\n"


def test_a_large_file_is_not_read(tmp_path, monkeypatch):
    project(tmp_path, a=notebook("# A", "![words](large.png)"))
    (tmp_path / "notebooks" / "large.png").write_bytes(bytes(2_001))
    (tmp_path / "notebooks" / "b.ipynb").write_bytes(bytes(2_001))
    monkeypatch.setattr(files, "LARGEST_TEXT", 2_000)
    content = notebook_file.read_notebook(tmp_path / "notebooks" / "a.ipynb")
    (problem,) = rendered(content, folder=tmp_path / "notebooks")[1].problems
    assert "large.png" in problem["message"]
    with pytest.raises(LabError, match="b.ipynb .*more than 2,000 bytes"):
        notebook_file.read_notebook(tmp_path / "notebooks" / "b.ipynb")


@pytest.mark.skipif(os.name != "posix", reason="needs named pipes")
@pytest.mark.parametrize("odd", ["a pipe", "a program for Ghostscript"])
def test_a_picture_of_a_data_set_must_be_a_regular_file_in_a_safe_format(tmp_path, odd):
    from ae_lab.data.formats import read_safely
    from ae_lab.data.sets import open_set

    (tmp_path / "0").mkdir()
    if odd == "a pipe":
        os.mkfifo(tmp_path / "0" / "x.png")
    else:
        (tmp_path / "0" / "x.png").write_bytes(EPS)
    with pytest.raises(LabError, match="regular|cannot identify"):
        read_safely(open_set(tmp_path)[0]["x"])


@pytest.mark.parametrize("slashes", ["//", "\\\\", "/\\", " //", "////"])
@pytest.mark.parametrize("end", ["x.html", "x.ipynb", "x"])
def test_no_link_leads_to_files_of_another_machine(slashes, end):
    page = render(notebook("# T", f'<a href="{slashes}evil.example/{end}">words</a>'))
    assert "words" in page and not re.search(r'href="[^"h]*evil', main_of(page))


# Time is proportional to length: of Markdown and of HTML

PIECES = [
    *("<div>", "<!--", "<!-- -->", "> ", "- ", "[", "![", "*", "**a ", "_a ", "`a ", "<", "<a "),
    *("<a href=x>", "&", "&a", "|a", "[a]: b\n", "[a][b]", "<!x ", "<![CDATA[", "<?", "\n", " x"),
    *(
        "(",
        "[a](",
        "[a](<",
        "\\",
        "<http://a",
        "---\n",
        "<b>",
        "<table><tr><td>",
        "<svg>",
        "<math>",
    ),
    *("<iframe>", "<em></b>", "# a\n", "$a$", "$$", "\\begin{a}", "~~~\n", "{", "[^a]", "<p "),
    *("<style>a{}</style>", "<ul><li>", '<div class="claim x" id="claim-a">', "<h2>a</h2>"),
    *('<h2 id="a">a</h2>', '<a name="x">', '<img src="x">', '<p title="<a"', "| a |\n|---|\n"),
]


@pytest.mark.parametrize("tag", ["<div>", "<b>", "<DIV title='</div>'>", "<ul><li>", "<font a=b"])
def test_html_nested_deeply_is_left_out_with_a_note(tag):
    end = "" if tag.endswith(">") else ">"
    page = render(notebook("# T", "before", 100_000 * (tag + end) + "text", "after"))
    assert "more than 500 levels deep" in page and "after" in page
    page = render(notebook("# T", 400 * (tag + end) + "text"))
    assert "levels deep" not in page and "text" in page


@pytest.mark.parametrize("tag", ["<p>", "<br>", "<ul><li>a</ul>", "<b>a</b>", "<div>a</div>"])
def test_html_with_many_elements_that_are_not_nested_is_kept(tag):
    assert "levels deep" not in render(notebook("# T", 5_000 * tag))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["markdown", "html"])
@pytest.mark.parametrize("piece", PIECES)
def test_the_time_to_render_a_page_is_proportional_to_its_text(piece, kind):
    def seconds(size):
        text = piece * (size // len(piece))
        content = notebook("# T", text if kind == "markdown" else "%%show()")
        if kind == "html":
            with_output(content, {"text/html": text})
        start = time.process_time()
        render(content)
        return time.process_time() - start

    assert seconds(32_000) < 8 * seconds(8_000) + 0.5
