"""A notebook's text as HTML: mathematics, images, code and links made safe to stand alone."""

import re
from collections.abc import Callable
from functools import cache
from html import escape

import pygments
from math_core import LatexError, LatexToMathML
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from ae_lab.report.render.sanitise import sanitise

# Formulas pass the sanitiser as marks between two private characters.
MARK = re.compile("\ue000(\\d+)\ue001")
TO_MATHML = LatexToMathML(fancy_error=False)  # when the page is built: it needs no script for it
# A wide formula scrolls in its own box, which a keyboard must be able to reach.
BOX = '<span class="formula" role="group" aria-label="formula" tabindex="0">{}</span>'


class Renderer(IPythonRenderer):
    """Collects formulas, and calls ``problem`` with a sentence for what cannot be shown."""

    def __init__(self, problem: Callable[[str], None], **options):
        super().__init__(escape=False, embed_images=True, exclude_anchor_links=True, **options)
        self.problem = problem
        self.formulas: list[str] = []

    def block_math(self, body: str) -> str:
        return self._mark(body, display=True)

    def inline_math(self, body: str) -> str:
        return self._mark(body, display=False)

    def latex_environment(self, name: str, body: str) -> str:
        return self._mark(f"\\begin{{{name}}}{body}\\end{{{name}}}", display=True)

    def block_code(self, code: str, info: str | None = None) -> str:
        return f"<pre><code>{highlight(code.rstrip(), (info or '').split(' ')[0])}</code></pre>"

    def image(self, text: str, url: str, title: str | None = None) -> str:
        source = self._embed_image_or_attachment(url)
        if not source.startswith("data:image/"):
            self.problem(f"the image {url!r} is not a file in the notebook's folder")
        if not text.strip():
            self.problem(f"the image {url[:60]!r} has no alt text")
        return f'<img src="{escape(source)}" alt="{escape(text)}">'

    def _mark(self, tex: str, display: bool) -> str:
        try:
            mathml = TO_MATHML.convert_with_local_state(tex, displaystyle=display)
            self.formulas.append(BOX.format(mathml) if display else mathml)
        except LatexError as error:
            reason = re.sub(r"^\d+: |\s+", " ", str(error)).strip()
            self.problem(f"the formula “{tex.strip()}” cannot be rendered: {reason}")
            self.formulas.append(f"<code>{escape(tex)}</code>")
        return f"\ue000{len(self.formulas) - 1}\ue001"


def markdown_to_html(
    source: str,
    problem: Callable[[str], None],
    folder: str = "",
    attachments: NotebookNode | None = None,
) -> str:
    """A fragment free of scripts and requests, formulas as MathML.

    ``problem`` is called with a sentence for every formula or image that cannot be shown; image
    files are looked for in ``folder``, images stored in the cell in ``attachments``.
    """
    renderer = Renderer(problem, path=folder, attachments=attachments or {})
    html = MarkdownWithMath(renderer=renderer).render(re.sub("[\ue000\ue001]", "", source))
    safe = sanitise(html, headings=True)
    return MARK.sub(lambda mark: renderer.formulas[int(mark[1])], safe)


def highlight(source: str, language: str) -> str:
    """Spans to stand inside ``<code>``, coloured by style.css; an unknown language stays plain."""
    return pygments.highlight(source, _lexer(language), HtmlFormatter(nowrap=True)).rstrip("\n")


@cache
def _lexer(language: str) -> Lexer:
    try:
        return get_lexer_by_name(language or "text", stripnl=False)
    except ClassNotFound:
        return get_lexer_by_name("text", stripnl=False)
