"""Pages in a real browser without network; skipped if there is no browser."""

import io
import shutil
import socket
import subprocess
from base64 import b64encode

import keras
import numpy as np
import pytest
from PIL import Image

from ae_lab.lab.records import POSITIONS
from helpers import (
    CLAIM,
    executed,
    figure,
    hostile_notebook,
    index_of,
    living,
    notebook,
    record,
    render,
    result,
    with_output,
)

pytestmark = pytest.mark.browser
LONG_LINE = "x = '" + "long " * 40 + "LAST_TOKEN'"
TABLE = (
    "<table><caption>Errors</caption><thead><tr><th></th><th scope='col'>"
    + "</th><th scope='col'>".join(f"a wide column {number}" for number in range(8))
    + "</th></tr></thead><tbody><tr><th scope='row'>r</th>"
    + "<td>1</td>" * 8
    + "</tr></tbody></table>"
)


def model_of_a_plane():
    """An untrained model, with weights enlarged so that the images differ over the plane."""
    from ae_lab import models

    keras.utils.set_random_seed(4)
    model = models.variational(latent_dim=2, hidden=(24, 16), image_shape=(12, 10, 1))
    decoder = model.get_layer("decoder")
    decoder.set_weights([4 * weights for weights in decoder.get_weights()])
    return model


def grey_png(levels):
    """A PNG of one row, in base64."""
    packed = io.BytesIO()
    Image.fromarray(np.array([levels], np.uint8)).save(packed, format="png")
    return b64encode(packed.getvalue()).decode()


def decoder():
    from ae_lab.lab.portable import portable_decoder

    return portable_decoder(model_of_a_plane())


SLIDERS = {  # two sliders with two positions each, four tiles with the grey levels of one pixel
    "sliders": [
        {"name": "first", "labels": ["a", "b"], "start": 1},
        {"name": "second", "labels": ["c", "d"], "start": 0},
    ],
    "rows": ["above", "below"],
    "views": [[[0, 0, 1], [1, 2, 3]], [[0, 1, 1]], [[0, 2, 1]], [[1, 3, 3, 0]]],
    "side": 1,
    "picture": grey_png([10, 80, 150, 220]),
}


@pytest.fixture(scope="module")
def report(tmp_path_factory, live_models):
    """A page with all kinds of content, a hostile one, a failed one, and an index."""
    folder = tmp_path_factory.mktemp("report")
    content = notebook(
        "# All of it\n\nA [link](https://example.org) in text, `code`, $\\sqrt{x}$.\n\n"
        "| a | b |\n|--|--:|\n| 1 | 2 |\n\n$$ \\mathcal{L} = "
        + " + ".join(f"\\frac{{x_{{{n}}}}}{{\\sigma}}" for n in range(30))
        + " $$\n\n> quoted\n\n```python\ndef f(): return 1\n```",
        "## Code",
        f"%%{LONG_LINE}\n# comment\ndef f(a: int = 1) -> str:\n    return f'{{a}}'",
    )
    claim = (
        f'<div class="claim undecided" id="claim-{CLAIM}">'
        "<p>C</p><p><strong>Verdict</strong> e</p></div>"
    )
    for data in ({"text/html": TABLE}, {"text/html": claim}, {"text/plain": "plain"}):
        with_output(content, data)
    page = render(executed(with_output(content, *figure("A dot.")), record()), "all")
    plane = with_output(notebook("# A plane", "%%x"), *living(decoder()))
    data, metadata = figure("A still row of images.")
    alive = render(with_output(plane, {POSITIONS: SLIDERS, **data}, metadata), "alive")
    error = {
        "notebook": "failed",
        "cell": 1,
        "id": "c1",
        "heading": "H",
        "name": "E",
        "message": "m",
    }
    failed = render(executed(notebook("# F", "%%x", "later"), None, error), "failed")
    sections = live_models.sections()
    computing = render(executed(notebook("# It computes"), record()), "c", sections["01_dense"])
    pages = {
        "computing": computing,
        "01_a": page,
        "alive": alive,
        "hostile": render(hostile_notebook()),
        "failed": failed,
    }
    for name, html in pages.items():
        (folder / f"{name}.html").write_text(html)
    index_of(folder, *(result(seed, 0.09 + seed / 1000) for seed in range(8, 13)))
    (folder / "index.html").rename(folder / "swept.html")
    index_of(folder, sections=sections[""])
    return folder


PAGES = ("01_a", "alive", "computing", "hostile", "failed", "index", "swept")


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_executed_and_nothing_is_requested(browser, report, name):
    page = browser.new_page()
    requests, messages = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: messages.append(message.text))
    page.goto(f"file://{report}/{name}.html")
    page.wait_for_timeout(200)
    assert [url for url in requests if not url.startswith("data:")] == [page.url]
    assert page.evaluate("typeof window.pwned") == "undefined"
    assert messages == [], "the policy had nothing to block"
    page.close()


def test_the_policy_alone_stops_a_script_and_a_request(browser, report):
    html = (report / "01_a.html").read_text()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.5)
        address = "http://{}:{}/x.png".format(*server.getsockname())
        attack = f'<script>window.pwned=1</script><img src="{address}" onerror="window.pwned=1">'
        (report / "attacked.html").write_text(html.replace("</main>", attack + "</main>"))
        page = browser.new_page()
        page.goto(f"file://{report}/attacked.html")
        assert page.evaluate("typeof window.pwned") == "undefined"
        with pytest.raises(TimeoutError):
            server.accept()
        page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_no_accessibility_problem(browser, report, name, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    context = browser.new_context(
        bypass_csp=True, color_scheme=scheme, viewport={"width": 360, "height": 740}
    )
    page = context.new_page()
    page.goto(f"file://{report}/{name}.html")
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = axe.run(page, options={"runOnly": {"type": "tag", "values": tags}})
    assert found.violations_count == 0, found.generate_report()
    context.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_needs_no_horizontal_scrolling(browser, report, name):
    page = browser.new_page(viewport={"width": 360, "height": 740})
    page.goto(f"file://{report}/{name}.html")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.close()


PIXELS = """canvas => [...canvas.getContext('2d').getImageData(0, 0, canvas.width,
canvas.height).data].filter((value, i) => i % 4 == 0)"""


@pytest.mark.parametrize("point", [(0.5, 0.3), (-1.2, 0.0), (0.0, -2.0)])
def test_the_interactive_figure_agrees_with_keras(browser, report, point):
    page = browser.new_page()
    page.goto(f"file://{report}/alive.html")
    for name in ("z 1, to the right", "z 2, upwards"):  # the start is elsewhere
        page.get_by_role("slider", name=name).fill("0")
    page.locator(".plane").focus()
    for value, keys in zip(
        point, (("ArrowRight", "ArrowLeft"), ("ArrowUp", "ArrowDown")), strict=True
    ):
        for _ in range(round(abs(value) * 10)):
            page.keyboard.press(keys[value < 0])
    where = f"z = ({point[0]:.2f}, {point[1]:.2f})".replace("-", "−")
    assert page.locator(".where").inner_text() == where
    drawn = np.array(page.locator(".digit").evaluate(PIXELS)).reshape(12, 10)
    page.close()
    expected = model_of_a_plane().get_layer("decoder").predict(np.array([point]), verbose=0)
    assert np.ptp(expected) > 0.5
    np.testing.assert_allclose(drawn / 255, expected[0, ..., 0], atol=0.04)


def test_sliders_show_what_was_rendered_for_their_positions(browser, report):
    page = browser.new_page()
    page.goto(f"file://{report}/alive.html")
    first, second = (page.get_by_role("slider", name=name) for name in ("first", "second"))
    shown = {}
    for a in "01":
        for b in "01":
            first.fill(a)
            second.fill(b)
            shown[a + b] = page.locator(".rows").evaluate(PIXELS)
            texts = [slider.get_attribute("aria-valuetext") for slider in (first, second)]
            assert texts == ["ab"[int(a)], "cd"[int(b)]]
    assert shown == {
        "00": [10, 80, 150, 220],
        "01": [80, 80],
        "10": [150, 80],
        "11": [220, 220, 10],
    }
    assert page.locator(".names").inner_text() == "below"
    page.close()


def test_a_pointer_moves_the_point(browser, report):
    page = browser.new_page()
    page.goto(f"file://{report}/alive.html")
    box = page.locator(".plane").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + box["height"] * 0.5)
    assert page.locator(".plane").evaluate("e => getComputedStyle(e).touchAction") == "pan-y"
    x, y = page.locator(".where").inner_text().replace("−", "-")[5:-1].split(", ")
    assert abs(float(x) - 1.5) < 0.05 and abs(float(y)) < 0.05
    page.close()


def test_without_scripts_and_on_paper_the_static_figure_is_shown(browser, report):
    without = browser.new_context(java_script_enabled=False).new_page()
    without.goto(f"file://{report}/alive.html")
    assert without.locator("figure img").count() == 2
    assert all(still.is_visible() for still in without.locator("figure img").all())
    assert not without.locator(".plane").is_visible()
    without.close()
    page = browser.new_page()
    page.goto(f"file://{report}/alive.html")
    still, plane = page.locator("figure img").first, page.locator(".plane")
    assert plane.is_visible() and not still.is_visible()
    page.emulate_media(media="print")
    assert still.is_visible() and not plane.is_visible()
    page.close()


def test_links_of_the_index_lead_to_their_cells(browser, report):
    page = browser.new_page()
    page.goto(f"file://{report}/index.html")
    page.get_by_role("link", name="Title").click()
    assert page.url.endswith("01_a.html")
    page.close()


def test_a_claim_of_the_ledger_links_to_its_cell(browser, report):
    page = browser.new_page(viewport={"width": 900, "height": 500})
    page.goto(f"file://{report}/index.html")
    page.locator("details", has=page.locator(f"a[href$='#claim-{CLAIM}']")).first.click()
    page.locator(f".cards a[href$='#claim-{CLAIM}']").click()
    assert page.url.endswith(f"01_a.html#claim-{CLAIM}")
    box = page.locator(f"[id='claim-{CLAIM}']").bounding_box()
    assert 0 <= box["y"] < 500, "the verdict is visible"
    page.close()


def test_brackets_stretch_in_the_embedded_font(browser, report):
    page = browser.new_page()
    page.goto(f"file://{report}/01_a.html")
    page.evaluate("document.fonts.ready")
    assert page.evaluate("document.fonts.check('16px \"STIX Two Math\"')")
    assert page.evaluate("[...document.fonts].map(font => font.status)") == ["loaded"]
    page.close()


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="pdftotext is not installed")
def test_long_lines_are_printed_completely(browser, report, tmp_path):
    page = browser.new_page()
    page.goto(f"file://{report}/01_a.html")
    page.pdf(path=tmp_path / "page.pdf", format="A4")
    page.close()
    text = subprocess.run(
        ["pdftotext", "-layout", tmp_path / "page.pdf", "-"], capture_output=True, text=True
    ).stdout
    assert "LAST_TOKEN" in text and "ℒ" in text
