"""The layout of a page in a real browser: folded code, widths of code and figures, paper."""

import re
import shutil
import subprocess

import pytest

from helpers import executed, figure, index_of, notebook, record, render, with_output

pytestmark = pytest.mark.browser
LINE = "x = '" + "y" * 82 + "'"  # 88 columns
LONG = "z = '" + "w" * 180 + "'"
TABLE = (
    "<table><caption>Numbers of it</caption><thead><tr><th>name</th><th>value</th></tr></thead>"
    "<tbody><tr><th scope='row'>rate</th><td>0.1</td></tr></tbody></table>"
)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("layout")
    data, metadata = figure("A dot that can be seen.")
    metadata["image/png"]["width"] = 771
    for name in ("01_a", "02_b"):
        content = notebook("# Title\n\nWords.", f"%%{LINE}", "## Next", f"%%{LONG}")
        content.cells[1].outputs = with_output(notebook("%%x"), data, metadata).cells[0].outputs
        content = executed(with_output(content, {"text/html": TABLE}), record())
        (folder / f"{name}.html").write_text(render(content, name))
    index_of(folder)
    return folder


def opened(browser, report, name="01_a", **options):
    page = browser.new_page(**options)
    page.goto(f"file://{report}/{name}.html")
    return page


def test_the_button_opens_all_code_also_on_the_next_page(browser, report):
    context = browser.new_context()
    page = opened(context, report)
    assert not page.locator("pre.code").first.is_visible()
    page.get_by_role("button", name="Show all code").click()
    assert all(code.is_visible() for code in page.locator("pre.code").all())
    page.wait_for_timeout(500)  # the browser stores the choice a little later
    page.goto(f"file://{report}/02_b.html")
    page.locator("pre.code").first.wait_for(state="visible")
    page.get_by_role("button", name="Fold all code").click()
    page.wait_for_timeout(500)
    page.goto(f"file://{report}/01_a.html")
    page.locator("pre.code").first.wait_for(state="hidden")
    context.close()


def test_without_scripts_each_code_cell_can_be_opened(browser, report):
    context = browser.new_context(java_script_enabled=False)
    page = opened(context, report)
    assert not page.get_by_role("button").count()
    page.locator("summary").first.click()
    assert page.locator("pre.code").first.is_visible()
    assert not page.locator("pre.code").nth(1).is_visible()
    context.close()


def test_lines_of_88_columns_fit_and_longer_ones_scroll(browser, report):
    page = opened(browser, report, viewport={"width": 1200, "height": 900})
    page.get_by_role("button", name="Show all code").click()
    fits, longer = page.locator("pre.code").evaluate_all(
        "all => all.map(e => e.scrollWidth - e.clientWidth)"
    )
    assert fits <= 0 < longer
    page.close()


def test_a_phone_shows_cards_and_readable_figures(browser, report):
    page = opened(browser, report, viewport={"width": 360, "height": 740})
    assert page.locator("figure img").bounding_box()["width"] >= 570
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    cell = page.locator("td[data-label=value]")
    assert cell.evaluate("e => getComputedStyle(e, '::before').content") == '"value"'
    assert cell.evaluate("e => getComputedStyle(e.parentNode).display") == "block"
    page.close()


def test_the_first_screen_has_both_parts(browser, report):
    page = opened(browser, report, "index", viewport={"width": 1200, "height": 900})
    for part in ("a", "b"):
        assert page.locator(f"#part-{part}").bounding_box()["y"] < 900
    page.close()


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="pdftotext is not installed")
@pytest.mark.parametrize(("name", "text"), [("01_a", "x = 'y"), ("index", "dense.sse")])
def test_paper_shows_folded_content_and_page_numbers(browser, report, tmp_path, name, text):
    page = opened(browser, report, name)
    page.pdf(path=tmp_path / "page.pdf", format="A4")
    page.close()
    command = ["pdftotext", "-layout", tmp_path / "page.pdf", "-"]
    printed = subprocess.run(command, capture_output=True, text=True).stdout
    assert text in printed and re.search(r"1 ?/ ?\d", printed)
