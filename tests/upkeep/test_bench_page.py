"""The bench's page: every figure also in words, nothing that acts, no accessibility problem."""

import re
from html import unescape

import pytest

from ae_lab.upkeep.bench.bench import Outcome, Result, bench_page

HOSTILE = "a | <script>peer</script> [x](#y) `y` $z$ *w*"
FACTS = {"Cores": "2", "Versions": "Python 3.11.7, keras 3.15.1", "Data": "MNIST"}
RESULTS = [
    Result(
        "dense",
        "the handout's program",
        0.4,
        1.5,
        3.75,
        3.5,
        4.0,
        3.5,
        True,
        "reached",
        "s",
        90,
        91,
    ),
    Result("dense", HOSTILE, 0.4, 0.5, 1.25, 1.2, 1.3, 1.3, False, "missed"),
    Result("cnn", "PyTorch", 0.4, 0.4, 1, 0.9, 1.1, 1, None, "no verdict: it contains 1"),
    Result("quick-report", "nbconvert", 231, 468, 2.03, 2.03, 2.03, 1.5, True, "reached"),
]


@pytest.fixture(scope="module")
def page():
    return bench_page(Outcome(FACTS, RESULTS, ["rbm skipped: <b>sklearn</b> is not installed"]))


def test_the_table_contains_the_measurements(page):
    rows = re.findall(r"<tr>(.*?)</tr>", page, flags=re.DOTALL)
    cells = [unescape(re.sub(r"<[^>]+>", " ", row)).split() for row in rows]
    handout = next(row for row in cells if "handout's" in row)
    for word in ("3.75", "3.50", "4.00", "reached", "90", "91"):
        assert word in handout
    assert "missed" in next(row for row in cells if "1.25" in row)
    assert "once" in next(row for row in cells if "nbconvert" in row)  # a spread needs two timings
    for text in ("Python 3.11.7", "no verdict: it contains 1", "784-32-784"):
        assert text in page


def test_text_is_escaped_and_the_policy_is_that_of_the_report(page):
    body = page.split("</style>")[1]
    assert "<script" not in body and 'href="#y"' not in body and "<math" not in body
    assert "<b>sklearn" not in body and "&lt;b&gt;sklearn" in body
    assert "default-src 'none'" in unescape(page) and "script-src" not in page
    assert page.count("<h1") == 1


def test_an_empty_run_has_a_page():
    page = bench_page(Outcome(FACTS, left_out=["dense skipped"]))
    assert "<table" not in page and "dense skipped" in page


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_problem_and_nothing_is_requested(browser, page, tmp_path, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    (tmp_path / "bench.html").write_text(page)
    view = {"viewport": {"width": 360, "height": 740}, "color_scheme": scheme}
    context = browser.new_context(bypass_csp=True, **view)
    tab, requests = context.new_page(), []
    tab.on("request", lambda request: requests.append(request.url))
    tab.goto(f"file://{tmp_path}/bench.html")
    assert [url for url in requests if not url.startswith("data:")] == [tab.url]
    assert tab.evaluate("document.documentElement.scrollWidth") == 360
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = axe.run(tab, options={"runOnly": {"type": "tag", "values": tags}})
    assert found.violations_count == 0, found.generate_report()
    context.close()
