"""A notebook's texts as HTML, and the state that the parts of one page share."""

import re
from base64 import b64encode
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import mistune
import pygments
from nbconvert.filters.markdown_mistune import MarkdownWithMath, MathBlockParser
from nbformat import NotebookNode
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from ae_lab.files import read_bytes
from ae_lab.report.notebook_file import text_of
from ae_lab.report.render.formulas import Formulas
from ae_lab.report.render.sanitise import IMAGE, Surroundings, note_html, plain_text, sanitise

WITH_ID = re.compile(r'(<[a-zA-Z][^>]*?) id="([^"]*)"')
TO_ID = re.compile(r'(<a\b[^>]*? href=")#([^"]*)"')
ENDINGS = {"jpg": "jpeg", "svg": "svg+xml"}  # suffixes that differ from the MIME type
DEAD_LINK = re.compile(r'<a\b[^>]* href="dead:([^"]*)"[^>]*>(.*?)</a>', re.DOTALL)


class Renderer(mistune.HTMLRenderer):
    """Highlights code; the rest is mistune's, and is safe only after `sanitise`."""

    def __init__(self):
        super().__init__(escape=False, allow_harmful_protocols=True)

    def block_code(self, code: str, info: str | None = None) -> str:
        language = (info or "").strip().split(" ")[0]
        return f"<pre><code>{highlight(code.rstrip(), language)}</code></pre>"


class Fragments(Surroundings):
    """Turns the texts of one page into HTML; ``finish`` completes what they share.

    ``notes`` lists what could not be shown, each with the ``place`` at that time and whether it
    is a failure. Image files are searched in ``folder``.
    """

    def __init__(self, folder: str = ""):
        self.folder = folder
        self.place: dict = {}
        self.notes: list[dict] = []
        self.formulas = Formulas(lambda: self.place, self._formula_problem)
        self._attachments: dict = {}

    def markdown(self, source: str, attachments: NotebookNode | None = None) -> str:
        """A cell's text as safe HTML, with markers for its formulas."""
        self._attachments = attachments or {}
        html = _parser()(self.formulas.lift(source))
        return sanitise(html, headings=True, page=self)

    def html(self, source: str) -> str:
        """HTML from a kernel as safe HTML, with markers for its formulas."""
        self._attachments = {}
        return self.formulas.lift_html(sanitise(source, page=self))

    def finish(self, texts: Iterable[str]) -> list[str]:
        """The texts of a page with formulas, unique ids, and no link without a target."""
        ids: set[str] = set()

        def first_only(tag: re.Match) -> str:
            again = tag[2] in ids
            ids.add(tag[2])
            return tag[1] if again else tag[0]

        def checked(link: re.Match) -> str:
            is_there = link[2] in ids or unquote(link[2]) in ids
            return link[0] if is_there else f'{link[1]}dead:{link[2]}"'

        texts = [WITH_ID.sub(first_only, self.formulas.put_back(text)) for text in texts]
        return [DEAD_LINK.sub(self._dead_link, TO_ID.sub(checked, text)) for text in texts]

    def image(self, source: str) -> str | None:
        """The data address of an image that is in the text, attached to the cell, or in a file."""
        if IMAGE.match(source):
            return source
        name = unquote(source)
        if name.startswith("attachment:"):
            name = name.removeprefix("attachment:")
            stored = self._attachments.get(name) or self._attachments.get(source[11:]) or {}
            for kind in stored:
                if IMAGE.match(f"data:{kind};"):
                    return f"data:{kind};base64,{''.join(text_of(stored[kind]).split())}"
            return None
        folder = Path(self.folder).absolute()
        path = folder / name.split("?")[0]
        ending = path.suffix[1:].lower()
        kind = f"image/{ENDINGS.get(ending, ending)}"
        if not self.folder or not IMAGE.match(f"data:{kind};"):
            return None
        try:
            if path.resolve().is_relative_to(folder.resolve()):
                return f"data:{kind};base64,{b64encode(read_bytes(path)).decode()}"
        except (OSError, RuntimeError, ValueError):  # missing, too large, a pipe, a loop of links
            pass
        return None

    def note(self, what: str, failed: bool = False) -> str:
        self.notes.append({"what": what, "failed": failed, "place": self.place})
        return note_html(what, failed)

    def raw(self, text: str) -> str:
        return self.formulas.raw(text)

    def text(self, html: str) -> str:
        """The text of a fragment, with the source of its formulas."""
        return self.raw(plain_text(html))

    def _formula_problem(self, sentence: str, place: dict) -> str:
        self.place = place
        return self.note(sentence, failed=True)

    def _dead_link(self, link: re.Match) -> str:
        name = unquote(link[1])
        return link[2] + self.note(f"the target of the link #{name}, which is not on this page")


class Blocks(MathBlockParser):
    """Jupyter's blocks, including headings without a space; formulas are already extracted."""

    DEFAULT_RULES = mistune.BlockParser.DEFAULT_RULES


@cache
def _parser() -> mistune.Markdown:
    return MarkdownWithMath(Renderer(), Blocks(), mistune.InlineParser())


def highlight(source: str, language: str) -> str:
    """Highlighted spans for ``<code>``, coloured by style.css; plain for unknown languages."""
    return pygments.highlight(source, _lexer(language), HtmlFormatter(nowrap=True)).rstrip("\n")


@cache
def _lexer(language: str) -> Lexer:
    try:
        return get_lexer_by_name(language or "text", stripnl=False)
    except ClassNotFound:
        return get_lexer_by_name("text", stripnl=False)
