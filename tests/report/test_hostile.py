"""Notebooks that attack their page: nothing is executed or requested, and all text is shown."""

import re
import socket

import pytest
from nbformat import v4

from ae_lab.lab.records import POSITIONS
from ae_lab.report.front.index import write_index
from ae_lab.report.render.sanitise import sanitise
from attacks import ATTACKS, FAR, LINKS, MARKUP, RUNS
from helpers import HOSTILE, PIXEL, RUN, executed, living, notebook, render

TEXTS = [f"[go]({link})" for link in LINKS] + [
    f"<{LINKS[0]}>",
    f"[go][there]\n\n[there]: {LINKS[0]}",
    f"$\\href{{javascript:{RUNS}}}{{x}} \\text{{<script>{RUNS}</script>}}$",
    f"$$\\text{{</mtext><img src=x onerror={RUNS}>}}$$",
    f"```{ATTACKS.splitlines()[0]}\n{ATTACKS}\n```",
    f"`{ATTACKS.splitlines()[0]}`",
]
SVG = (
    f'<svg xmlns="http://www.w3.org/2000/svg" onload="{RUNS}"><script>{RUNS}</script>'
    f'<image href="{FAR}i.png"/><style>@import "{FAR}s"</style></svg>'
)
NO_POSITIONS = {
    "sliders": [{"name": ATTACKS, "labels": [ATTACKS], "start": 0}],
    "rows": [ATTACKS],
    "views": [[[0, 0]]],
    "side": 1,
    "picture": PIXEL,
}
NO_DECODER = {"shape": [2, 2], "layers": ATTACKS, ATTACKS: f"'{ATTACKS}"}


def record() -> dict:
    """A record in which every text is an attack."""
    metric = {"name": ATTACKS, "value": 1.0, "unit": ATTACKS, "published": 1.0, "source": ATTACKS}
    claim = {"id": ATTACKS, "kind": "handout", "sentence": ATTACKS}
    return {
        "notebook": f"javascript:{RUNS}//",
        "run": RUN | {"data": ATTACKS, "backend": ATTACKS, "versions": {ATTACKS: ATTACKS}},
        "metrics": [metric | {"notebook": f"javascript:{RUNS}//", "goal": {ATTACKS: 1.0}}],
        "claims": [
            claim | {"verdict": ATTACKS, "evidence": ATTACKS},
            claim | {"kind": ATTACKS, "verdict": "holds", "evidence": ATTACKS},
        ],
    }


def outputs() -> list:
    """One output for each way into a page."""
    alt = {"alt": ATTACKS, "width": f'1" onload="{RUNS}', "height": 1}
    rich = [
        {"text/html": HOSTILE + "\n".join(MARKUP)},
        {"text/html": ATTACKS},
        {"text/plain": ATTACKS},
        {"text/markdown": ATTACKS + "\n\n" + "\n\n".join(TEXTS)},
        {"text/latex": f"$\\text{{{ATTACKS.splitlines()[0]}}}$"},
        {"application/javascript": RUNS, "text/plain": "a script"},
        {
            "application/vnd.jupyter.widget-view+json": {"model_id": ATTACKS},
            "text/plain": "a widget",
        },
    ]
    pictures = [
        {"image/svg+xml": SVG},
        {"image/png": f'{PIXEL}"><script>{RUNS}</script>'},
        {"image/jpeg": f'x" onerror="{RUNS}'},
        living(NO_DECODER)[0],
        {"image/png": PIXEL, POSITIONS: NO_POSITIONS},
    ]
    return [
        v4.new_output("stream", name="stdout", text=ATTACKS),
        v4.new_output("stream", name="stderr", text=f"\x1b]8;;javascript:{RUNS}\x07go\x1b]8;;\x07"),
        v4.new_output("error", ename=ATTACKS, evalue=ATTACKS, traceback=[ATTACKS]),
        *(v4.new_output("display_data", data=data) for data in rich),
        *(
            v4.new_output("display_data", data=data, metadata=dict.fromkeys(data, alt) | alt)
            for data in pictures
        ),
    ]


def attacker(error: dict | None):
    """A notebook that tries all attacks; with an error, its page may have problems."""
    content = notebook(
        f"# Title {ATTACKS}\n\n**Question.** {ATTACKS}",
        f"## Heading {ATTACKS}\n\n" + "\n\n".join(TEXTS) + "\n\n" + "\n\n".join(MARKUP),
        f"%%{ATTACKS}",
        "The end.",
    )
    content.cells[2].outputs = outputs()
    return executed(content, record(), error)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The page of an attack, and its index."""
    folder = tmp_path_factory.mktemp("attacked")
    error = dict.fromkeys(("name", "message", "heading", "id"), ATTACKS)
    content = attacker(error | {"notebook": "01_a", "cell": 1})
    html = render(content, "01_a")
    (folder / "01_a.html").write_text(html)
    assert "The end." in html, "the attack on the page ran to the end"
    write_index(folder, {"01_a": content}, ATTACKS, ATTACKS)
    return folder


PROVOKE = """() => {
    for (const element of document.querySelectorAll('*')) {
        for (const kind of ['mouseover', 'mouseenter', 'focus', 'toggle', 'load', 'error', 'click'])
            if (kind != 'click' || element.tagName != 'A')
                element.dispatchEvent(new Event(kind));
    }
    return [...document.querySelectorAll('a[href]')].map(link => link.protocol);
}"""


@pytest.mark.browser
@pytest.mark.parametrize("name", ["01_a", "index"])
def test_nothing_is_executed_or_requested(browser, pages, name):
    page = browser.new_page()
    requests, blocked = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: blocked.append(message.text))
    page.goto(f"file://{pages}/{name}.html")
    protocols = set(page.evaluate(PROVOKE))
    page.wait_for_timeout(300)
    assert page.evaluate("typeof window.pwned") == "undefined"
    assert [url for url in requests if not url.startswith("data:")] == [page.url]
    assert protocols <= {"file:", "https:", "http:", "mailto:"}
    blocked = [text for text in blocked if "Content Security Policy" in text]
    assert blocked == [], "the markup was clean without the policy"
    assert page.locator("#content").count() == 1
    assert "49" not in page.locator("main").inner_text().split()
    page.close()


@pytest.mark.browser
def test_links_to_local_files_lead_only_to_pages(browser, pages):
    page = browser.new_page()
    page.goto(f"file://{pages}/01_a.html")
    links = page.evaluate("[...document.querySelectorAll('a[href]')].map(a => a.href)")
    assert all(link.startswith((f"file://{pages}/", "http")) for link in links), links
    page.close()


@pytest.mark.browser
@pytest.mark.parametrize("name", ["01_a", "index"])
def test_the_policy_alone_is_sufficient(browser, pages, name):
    """Without any cleaning, the second protection is sufficient."""
    html = (pages / f"{name}.html").read_text()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.5)
        near = "http://{}:{}/".format(*server.getsockname())
        raw = (ATTACKS + HOSTILE + "\n".join(MARKUP)).replace(FAR, near)
        raw = raw.replace("http-equiv", "x")  # a refresh leaves the page, which no policy forbids
        place = html.rindex("</main>")
        (pages / f"raw_{name}.html").write_text(html[:place] + raw + html[place:])
        page = browser.new_page()
        page.goto(f"file://{pages}/raw_{name}.html")
        page.evaluate("document.querySelectorAll('a[href^=javascript]').forEach(a => a.click())")
        page.evaluate(PROVOKE)
        page.wait_for_timeout(300)
        assert page.evaluate("typeof window.pwned") == "undefined"
        with pytest.raises(TimeoutError):
            server.accept()
        page.close()


def test_text_is_still_shown(pages):
    """Escaped, not dropped: a reader sees what a notebook tried to show."""
    index = (pages / "index.html").read_text()
    assert index.count("&lt;script&gt;window.pwned = 1&lt;/script&gt;") > 10
    assert "<script" not in index and "javascript:" not in index.replace("&#34;javascript:", "")


@pytest.mark.parametrize("link", LINKS)
def test_no_link_executes_or_leaves_the_folder_of_the_page(link):
    html = sanitise(f'<a href="{link}">go</a>')
    assert "href" not in html and "go" in html


@pytest.mark.parametrize("markup", MARKUP)
def test_no_markup_executes_or_requests(markup):
    html = sanitise(markup)
    for forbidden in (
        RUNS + '"',
        "<script",
        "onerror=",
        "<svg",
        "<style",
        "data-decoder",
    ):
        assert forbidden not in html
    assert not re.search(r"<(?!a )[^>]*evil\.example", html), "at most a link or a word"
