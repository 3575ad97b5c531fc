"""Notebooks that attack their page: nothing is executed or requested, and all text is shown."""

import re
import socket
from base64 import b64encode

import pytest
from nbformat import v4

from ae_lab.lab.records import POSITIONS
from ae_lab.report.front.index import write_index
from ae_lab.report.render.sanitise import sanitise
from helpers import HOSTILE, PIXEL, RUN, executed, living, notebook, render

RUNS = "window.pwned = 1"
FAR = "http://evil.example/"
ATTACKS = f"""</title></style></script></textarea></code></pre>--><script>{RUNS}</script>
<img src="{FAR}x.png" srcset="{FAR}y.png 2x" onerror="{RUNS}"><svg onload="{RUNS}"></svg>
" onmouseover="{RUNS}" onfocus="{RUNS}" autofocus style="background:url({FAR}s)" '
<a href="javascript:{RUNS}">go</a><iframe srcdoc="<script>parent.{RUNS}</script>"></iframe>
{{{{ 7 * 7 }}}}{{% raw %}}<b id="content">"""
LINKS = [
    f"javascript:{RUNS}",
    f"JaVaScRiPt:{RUNS}",
    f" javascript:{RUNS}",
    f"java&#x09;script:{RUNS}",
    f"&#106;avascript:{RUNS}",
    f"vbscript:{RUNS}",
    f"data:text/html,<script>{RUNS}</script>",
    "data:text/html;base64," + b64encode(f"<script>{RUNS}</script>".encode()).decode(),
    f"data:image/svg+xml,<svg onload='{RUNS}'/>",
    "file:///etc/passwd",
]
MARKUP = [
    *(f'<a href="{link}">go</a>' for link in LINKS),
    *(f'<form><button formaction="{link}">go</button></form>' for link in LINKS[:2]),
    f'<math><maction actiontype="statusline" xlink:href="javascript:{RUNS}">x</maction></math>',
    f'<svg><animate onbegin="{RUNS}" attributeName="x"/></svg>',
    f'<svg><a xlink:href="javascript:{RUNS}">x</a></svg>',
    f"<svg><foreignObject><script>{RUNS}</script></foreignObject></svg>",
    f'<object data="{FAR}o"></object><embed src="{FAR}e"><applet code="{FAR}a"></applet>',
    f'<video src="{FAR}v" poster="{FAR}p" onerror="{RUNS}"></video><audio src="{FAR}a"></audio>',
    f'<img src="{FAR}i"><img src="//evil.example/i"><img srcset="{FAR}i">',
    f'<picture><source srcset="{FAR}i"></picture>',
    f'<link rel="prefetch" href="{FAR}l"><link rel="dns-prefetch" href="//evil.example">',
    f'<meta http-equiv="refresh" content="0;url={FAR}"><base href="{FAR}">',
    f'<div style="background:url({FAR}c);position:fixed;inset:0">d</div>',
    f"<style>@import '{FAR}s'; * {{ background: url({FAR}t) }}</style>",
    f'<table background="{FAR}b"><tr><td background="{FAR}b">kept</td></tr></table>',
    f'<details open ontoggle="{RUNS}"><summary onclick="{RUNS}">s</summary></details>',
    f'<a href="https://example.org" ping="{FAR}p" target="_blank">fine</a>',
    f'<noscript><p title="</noscript><img src=x onerror={RUNS}>"></noscript>',
    f"<math><mtext><table><mglyph><style><img src=x onerror={RUNS}>",
    f'<div class="living" data-decoder="{{}}"><img src="{FAR}d"></div>',
]
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
