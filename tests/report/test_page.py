"""One page: formulas, outline, alt texts, and no content that acts or requests anything."""

import re
from collections import Counter

import pytest
from nbformat import v4

from ae_lab.report.render.cleaning import clean_message, clean_outputs, clean_text, play_terminal
from ae_lab.report.render.outline import MOST
from ae_lab.report.render.sanitise import sanitise
from helpers import (
    executed,
    figure,
    hostile_notebook,
    main_of,
    notebook,
    problems,
    render,
    rendered,
    with_output,
    without_script,
)


def test_hostile_markup_is_removed():
    page = without_script(render(hostile_notebook()))
    markup = re.sub(r'<pre class="code">.*?</pre>', "", page, flags=re.DOTALL)
    for forbidden in ("<script", "onerror", "onload", "onclick", "javascript:", "<iframe"):
        assert forbidden not in markup
    loads = re.findall(r'<(?!a )[^<>]*"[^"<>]*evil[^"]*"', markup)
    assert not loads, "other addresses are links or words and load nothing"
    assert "kept" in markup
    assert page.count('id="content"') == 1


def test_a_cell_tagged_for_removal_is_only_shown_if_it_failed():
    content = notebook("# A", "%%set_up()", "%%first()", "%%second()")
    content.cells[1].metadata["tags"] = ["remove-cell"]
    page = render(content)
    assert "set_up" not in page and 'id="cell-1"' not in page
    assert "Code [2]" in page and 'id="cell-3"' in page  # numbered as in Jupyter
    error = {"id": "c1", "cell": 1, "name": "E", "message": "m", "heading": "", "notebook": "n"}
    page = render(executed(content, error=error))
    assert "set_up" in page and "remaining 2 code cells" in page


def test_results_are_shown_below_the_title():
    record = {"headlines": ["Ours has <2>.", "PCA has 3."]}
    page = render(executed(notebook("# A title", "%%first()", "# B"), record=record))
    title, head = page.index("<h1>A title"), page.index("Ours has &lt;2&gt;")
    assert title < head < page.index("PCA has 3.") < page.index("first</span>")


def test_a_page_shows_the_verdict_over_all_seeds():
    claim = '<div class="claim holds" id="claim-a.b"><p>C.</p><p><strong>Verdict: holds.</strong>'
    content = with_output(notebook("# A", "%%x"), {"text/html": f"{claim}</p></div>"})
    content = executed(content)
    assert "Verdict: holds.<" in render(content)
    verdicts = {"claim-a.b": ("holds in part", "holds in part (<few>); held in 1 of 5 seeds")}
    content.metadata["ae_lab"]["verdicts"] = verdicts
    page = render(content)
    assert 'class="claim holds-in-part" id="claim-a.b"' in page and "Verdict: holds.<" not in page
    assert "Verdict: holds in part (&lt;few&gt;); held in 1 of 5 seeds." in page
    content.metadata["ae_lab"]["verdicts"] = {"claim-a.b": ("untested", "untested")}
    assert "Verdict: untested:</strong>" in render(content), "the reason follows"


def test_a_run_with_changed_knobs_says_so_at_the_top():
    record = {"run": {"profile": "quick", "changed": {"latent_dim": "2", "<rate>": "0.1"}}}
    page = render(executed(notebook("# A title"), record=record))
    assert "latent_dim</code> is 2" in page and "&lt;rate&gt;</code> is 0.1" in page
    assert page.index("changed knobs") < page.index("<h1>A title")


def test_plain_text_outputs_are_shown_as_text():
    cell = notebook("# A", "%%x")
    cell.cells[1].outputs = [
        v4.new_output("stream", name="stdout", text="<script>1</script>"),
        v4.new_output("error", ename="E", evalue="<b>", traceback=["<script>2</script>"]),
    ]
    page = with_output(cell, {"text/plain": "<img src=x onerror=1>"})
    page = without_script(render(page))
    assert "<script" not in page and "<img" not in page


def test_a_claim_keeps_its_anchor_and_a_table_its_structure():
    kept = sanitise(
        '<div class="claim holds" id="claim-a.b"><table><caption>c</caption>'
        '<tr><th scope="row">r</th><th></th></tr></table></div>'
    )
    assert 'id="claim-a.b"' in kept and 'scope="row"' in kept and "<caption>" in kept
    assert "<th></th>" not in kept and 'tabindex="0"' in kept


@pytest.mark.parametrize(
    "tex",
    [
        r"\begin{aligned} a &= b \\ c &= \operatorname*{arg\,min}_x f(x) \end{aligned}",
        r"\mathbb{E}_{q}[\log p(x \mid z)] - \beta\,\mathrm{KL}(q \,\|\, p)",
        r"\boldsymbol{W} \hat{x} \sqrt{1 + \sigma^2} \lVert J \rVert_F^2",
        r"\begin{cases} 1 & x > 0 \\ 0 & \text{otherwise} \end{cases}",
    ],
)
def test_formulas_become_mathml(tex):
    page = render(notebook(f"# F\n\nInline ${tex}$ and\n\n$$\n{tex}\n$$\n"))
    assert page.count("<math") == 2 and 'display="block"' in page
    assert "$" not in page.split("<main")[1] and "@font-face" in page


def test_a_page_without_formulas_contains_no_font():
    assert "@font-face" not in render(notebook("# None"))


def test_a_formula_that_cannot_be_rendered_names_cell_and_formula():
    (problem,) = problems(notebook("# T", "## Idea\n\n$\\undefined{x}$"))
    assert problem.startswith("01_sample, text cell c1 (Idea)") and "“\\undefined{x}”" in problem


@pytest.mark.parametrize("alt", [None, "", "No description has been provided for this image"])
def test_a_missing_alt_text_names_the_cell(alt):
    (problem,) = problems(with_output(notebook("# T", "%%draw()"), *figure(alt)))
    assert problem.startswith("01_sample, cell 1 (T)") and "no alt text" in problem


def test_alt_text_and_size_are_in_the_page():
    page = render(with_output(notebook("# T", "%%draw()"), *figure('A "line" <rises>.')))
    assert 'alt="A &quot;line&quot; &lt;rises&gt;." width="1" height="1"' in page


@pytest.mark.parametrize("source", ["![words](http://evil.example/x.png)", "![words](absent.png)"])
def test_an_image_that_cannot_be_embedded_is_named(source):
    page, details = rendered(notebook("# T\n\n" + source))
    (problem,) = details.problems
    assert "not a file in the notebook's folder" in problem["message"]
    assert "not a file" in main_of(page) and "words" in main_of(page)


def test_headings_have_one_h1_no_gap_and_unique_anchors():
    page = render(notebook("# Title", "# Second", "#### Deep", "## Same", "## Same", "## claim-x"))
    levels = [int(level) for level in re.findall(r"<h([1-6])", page)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))
    ids = Counter(re.findall(r' id="([^"]+)"', page))
    assert max(ids.values()) == 1 and {"same", "same-2", "section-claim-x"} <= set(ids)
    assert all(target in ids for target in re.findall(r'href="#([^"]+)"', page))


@pytest.mark.parametrize(
    "heading",
    ["Linear probe", "PCA", "Cross-entropy", "How far is “far”?", "Claim by claim", "Übung"],
)
def test_a_link_to_a_heading_in_jupyters_form_works(heading):
    fragment = heading.replace(" ", "-")
    links = f"[a](00_first_steps.ipynb#{fragment}) [b](#{fragment})"
    page = render(notebook("# T", f"### {heading}\n\nWords.", links))
    far, near = re.findall(r'href="(?:00_first_steps\.html)?#([^"]+)">[ab]<', page)
    assert far == near and f'<h2 id="{far}">{heading}</h2>' in page
    assert 'href="00_first_steps.html#' in page


def test_a_link_to_a_claim_or_to_another_site_is_unchanged():
    for address in ("#claim-00.small_code", "https://example.org/A.ipynb#Linear-probe"):
        assert f'href="{address}"' in sanitise(f'<a href="{address}">a</a>')
    link = sanitise('<a href="02_x.ipynb#claim-autoencoder.B_c">a</a>')
    assert 'href="02_x.html#claim-autoencoder.B_c"' in link


def test_the_contents_omit_the_headings_of_a_glossary():
    terms = "\n\n".join(f"### Term {number}\n\nWords." for number in range(MOST + 1))
    page = render(
        notebook("# T", "## First", "### One", "## Glossary", terms, "## Last", "### Two")
    )
    listed = re.findall(r"<li[^>]*><a[^>]*>([^<]+)", page)
    assert listed == ["First", "One", "Glossary", "Last", "Two"]
    assert f'id="term-{MOST}"' in page


def test_properties_of_a_page():
    page = render(executed(notebook("# A & B\n\n[next](02_x.ipynb#idea)", "%%1 + 1")))
    assert '<html lang="en">' in page and "<title>A &amp; B · ae_lab</title>" in page
    assert 'href="02_x.html#idea"' in page and "default-src &#39;none&#39;" in page
    assert not re.search(r'(?:src|@import|url\()\s*=?\s*["\']?https?:', page)
    assert "<script" not in without_script(page) and "No description has been provided" not in page
    assert page.count("<h1") == page.count("<main") == 1


def test_a_notebook_without_heading_has_its_name_as_title():
    page = render(notebook("only text"), "05_deep")
    assert "<h1>05_deep</h1>" in page


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("<a.B object at 0x7f00deadbeef>", "<a.B object>"),
        ("100%|██| 3/3 [00:00<00:00, 9.1it/s]", "100%|██| 3/3"),
        ("2/2 ━━━━ 0s 31ms/step - loss: 1", "2/2 ━━━━ loss: 1"),
    ],
)
def test_texts_are_cleaned_of_what_differs_between_runs(raw, clean):
    assert clean_text(raw) == clean


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("/tmp/ipykernel_12/345.py:2: UserWarning: w", "cell:2: UserWarning: w"),
        ("in /opt/venv/lib/x/site-packages/keras/a.py", "in site-packages/keras/a.py"),
        ("W0000 00:00:17.1 42 cuda.cc:12] no card\nmine", "mine"),
        ("2026-01-01 10:00:00.1: I tensorflow/core/x.cc:1] y\n", ""),
    ],
)
def test_output_of_tools_is_cleaned_of_folders_and_process_ids(raw, clean):
    assert clean_message(raw) == clean


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("a\rb\rc", "c"),
        ("12\b\b34", "34"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;https://x\x07link\x1b]8;;\x07", "link"),
        ("one\r\ntwo\r\n", "one\ntwo\n"),
    ],
)
def test_streams_are_shown_as_on_a_terminal(raw, shown):
    assert play_terminal(raw) == shown


def test_streams_are_joined_but_not_across_a_figure():
    pieces = [("stderr", "e1"), ("stdout", "o1"), ("stderr", "e2"), None, ("stdout", "o2")]
    outputs = [
        v4.new_output("stream", name=piece[0], text=piece[1])
        if piece
        else v4.new_output("display_data", data={"text/plain": "fig"})
        for piece in pieces
    ]
    shown = [output.get("text") or "fig" for output in clean_outputs(outputs)]
    assert shown == ["o1", "e1e2", "fig", "o2"]
    assert outputs[0].text == "e1", "the notebook itself is unchanged"
