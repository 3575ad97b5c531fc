"""The formulas of a page, typeset together: macros, numbers and references span all cells."""

import json
import re
import secrets
import subprocess
import sys
from collections.abc import Callable
from html import escape, unescape
from urllib.parse import quote

from ae_lab.report.render.colours import readable

# Formulas pass through Markdown and sanitiser as markers between two code points that no text has.
BEGIN, END = "\ufdd0", "\ufdd1"
PRIVATE = re.compile(f"[{BEGIN}{END}]")
# Where a formula may begin, and what must be skipped: an escaped letter, a run of backticks.
OPENING = re.compile(
    r"\\begin\{(?P<environment>[a-zA-Z]+\*?)\}|(?P<bracket>\\\\[\[(])|\\(?:eq)?ref\{[^{}\n]{1,200}\}"
    r"|\\.|(?P<dollars>\$\$?)|^[ >\t]*(?P<tildes>~{3,})|(?P<ticks>`+)",
    re.MULTILINE | re.DOTALL,
)
INLINE = re.compile(r"(?:[^$\\\n]|\\.|\n(?![ \t]*\n))+\$(?![\d$])", re.DOTALL)
TAG = r'<(?P<end>/?)(?P<tag>[a-zA-Z][\w-]*)(?:[^>"]|"[^"]*")*>'
VERBATIM = ("pre", "code", "kbd", "samp")
TEXTS = re.compile(r"(<[^>]*>)")
# A wide formula scrolls in its own box, which must be reachable by keyboard.
BOX = '<span class="formula" role="group" aria-label="formula" tabindex="0">{}</span>'

# LaTeX that the converter does not support, in terms that it supports.
MACROS = {"mbox": r"\text{#1}", "substack": r"\begin{matrix}#1\end{matrix}"}
MACROS |= dict.fromkeys(("tiny", "small", "normalsize", "large", "Large", "LARGE", "huge"), "")
OPTIONS = {
    "fancy_error": False,
    "continue_on_error": True,
    "global_group": True,
    "allow_unreliable_rendering": True,
    "macros": MACROS,
    "id_prefix": "equation-",
}
# The converter has no limit on depth or length, and macros multiply both. So it runs in a separate
# process. If a formula crashes that process, the last printed number is the number of the formula.
CONVERT = """
import json, sys
try:
    import resource
    for what, most in (resource.RLIMIT_AS, 2**30), (resource.RLIMIT_CPU, 20):
        resource.setrlimit(what, (most, most))
except (ImportError, ValueError):
    pass  # this system has no such limits; only the limit on time remains
from math_core import LatexError, LatexToMathML
options, snippets, left = json.load(sys.stdin)
converter = LatexToMathML(**options)
for number, (tex, display) in enumerate(snippets):
    print(number, flush=True)
    try:
        left -= len(converter.convert_with_global_state(tex, displaystyle=display))
    except LatexError:
        pass
    assert left > 0
print("all", flush=True)
print(json.dumps(converter.convert_all([*map(tuple, snippets)])))
"""
SECONDS = 300  # for the formulas of a page; 100 formulas take 0.1 s
LARGEST = 20_000_000  # characters of MathML in a page
MOST_ENDS = 3  # after this many crashes, no formula of the page is converted
IN_OTHER_WORDS = [
    # a notebook may define a macro twice, because cells are run again
    (r"\\(?:(?:re)?new|provide)command\*?\s*\{?(\\[a-zA-Z]+)\}?\s*(?:\[(\d)\](?!\[))?(?=\{)",
     "macro"),
    (r"\\DeclareMathOperator(\*?)\s*\{?(\\[a-zA-Z]+)\}?\s*(\{[^{}]*\})",
     r"\\gdef\2{\\operatorname\1\3}"),
    (r"\{eqnarray(\*?)\}", r"{align\1}"),
    (r"\{split\}", "{aligned}"),
    (r"\\ref(?=\{)", r"\\eqref"),
]  # fmt: skip
NUMBERED = re.compile(r"\\begin\{(?:equation|align|gather|multline|eqnarray)")
ERROR = re.compile(r'<(?:p|span) class="math-core-error" title="(?:\d+: )?([^"]*)"')
REFERENCE = re.compile(r'<a href="#([^"]*)">\(([^<]*)\)</a>')
COLOUR = re.compile(r'style="color:(#\w+);?"')


class Formulas:
    """Extracts formulas from texts, typesets all together, and inserts them again.

    ``place`` is called for each formula and returns its position. ``problem`` is called with a
    sentence and that position if a formula cannot be typeset; it returns a note to show.
    """

    def __init__(self, place: Callable[[], object], problem: Callable[[str, object], str]):
        self.place, self.problem = place, problem
        self.found: list[tuple[str, str, bool, object]] = []  # source, TeX, display, position
        self._set: list[str] | None = None
        key = secrets.token_hex(8)  # unknown to every document
        self._form = f"{BEGIN}{key}-%d{END}"
        self._mark_of = re.compile(rf"{BEGIN}{key}-(\d+){END}")
        self._quoted = re.compile(rf"{quote(BEGIN)}{key}-(\d+){quote(END)}")
        self._tag_or_mark = re.compile(rf"{TAG}|{BEGIN}{key}-(?P<mark>\d+){END}")

    def lift(self, text: str) -> str:
        """A text with markers in place of its formulas; code is unchanged."""
        text, pieces, at = PRIVATE.sub("", text), [], 0
        absent: set[str] = set()  # closing marks that do not occur, so they are searched only once

        def find(closing: str, start: int) -> int:
            end = -1 if closing in absent else text.find(closing, start)
            if end < 0:
                absent.add(closing)
            return end

        while opening := OPENING.search(text, at):
            pieces.append(text[at : opening.start()])
            start, at = opening.start(), opening.end()
            tex, display, end = "", True, -1
            if name := opening["environment"]:
                if (end := find(f"\\end{{{name}}}", at)) >= 0:
                    at = end + len(name) + 6
                    tex = text[start:at]
            elif bracket := opening["bracket"]:
                if (end := find("\\\\]" if bracket[-1] == "[" else "\\\\)", at)) >= 0:
                    tex, display, at = text[at:end], bracket[-1] == "[", end + 3
            elif opening["dollars"] == "$$":
                if (end := find("$$", at)) >= 0:
                    tex, at = text[at:end], end + 2
            elif opening["dollars"]:
                if (inline := INLINE.match(text, at)) and inline[0].strip(" \n\t$"):
                    tex, display, at = inline[0][:-1], False, inline.end()
            elif fence := opening["tildes"] or opening["ticks"]:
                at = self._after_code(text, opening, fence, find)
            elif opening[0].startswith(("\\ref", "\\eqref")):
                tex, display = opening[0], False
            pieces.append(self._mark(text[start:at], tex, display) if tex else text[start:at])
        return "".join([*pieces, text[at:]])

    @staticmethod
    def _after_code(text: str, opening: re.Match, fence: str, find: Callable) -> int:
        """End of the code that begins with this ``fence``; if it is never closed, end of fence."""
        at = opening.end()
        while (end := find(fence, at)) >= 0:
            at = end + len(fence)
            if text[at : at + 1] != fence[0]:
                return at
            while text[at : at + 1] == fence[0]:
                at += 1
        before = text[text.rfind("\n", 0, opening.start()) + 1 : opening.start()]
        is_block = len(fence) >= 3 and not before.strip(" >\t")
        return len(text) if is_block else opening.end()

    def lift_html(self, html: str) -> str:
        """Cleaned HTML with markers in place of the formulas in its texts, but not in code."""
        if "$" not in html and "\\" not in html:
            return html
        pieces, depth = TEXTS.split(html), 0
        for number, piece in enumerate(pieces):
            if number % 2:
                if piece.strip("</>").split(" ")[0] in VERBATIM:
                    depth += -1 if piece.startswith("</") else 1
            elif not depth and ("$" in piece or "\\" in piece):
                text = unescape(piece)
                lifted = self.lift(text)
                pieces[number] = escape(lifted, quote=False) if lifted != text else piece
        return "".join(pieces)

    def raw(self, text: str) -> str:
        """A text with the source of its formulas."""
        if quote(BEGIN) in text:
            text = self._quoted.sub(self._written, text)
        return self._mark_of.sub(self._written, text)

    def put_back(self, html: str) -> str:
        """Cleaned HTML with MathML instead of markers; in code and attributes, with the source."""
        if BEGIN not in html:
            return html
        if self._set is None:
            self._set = self._set_all()
        depth = 0

        def replaced(match: re.Match) -> str:
            nonlocal depth
            if number := match["mark"]:
                return escape(self.raw(match[0])) if depth else self._set[int(number)]
            if match["tag"] in VERBATIM:
                depth += -1 if match["end"] else 1
            return self._mark_of.sub(lambda mark: escape(self._written(mark)), match[0])

        return self._tag_or_mark.sub(replaced, html)

    def _written(self, mark: re.Match) -> str:
        """The source of a formula."""
        return self.found[int(mark[1])][0]

    def _mark(self, written: str, tex: str, display: bool) -> str:
        self.found.append((written, tex, display, self.place()))
        self._set = None
        return self._form % (len(self.found) - 1)

    def _set_all(self) -> list[str]:
        snippets = [(_in_other_words(tex, display), display) for _, tex, display, _ in self.found]
        results = _convert(snippets)
        return [self._shown(html, *found) for html, found in zip(results, self.found, strict=True)]

    def _shown(self, html: str, written: str, tex: str, display: bool, place: object) -> str:
        source = " ".join(tex.split())
        if not html:
            sentence = f"the formula “{source[:100]}” is too long or too deep to be rendered"
        elif error := ERROR.match(html):
            reason = unescape(error[1]).rstrip(".")
            sentence = f"the formula “{source}” cannot be rendered: {reason}"
        elif "(??)" in html:
            sentence = f"the reference in “{source}” does not match any equation of this page"
        elif re.fullmatch(r"<math[^>]*></math>", html):
            return ""  # only definitions
        else:
            if re.fullmatch(rf"<math><mtext>{REFERENCE.pattern}</mtext></math>", html):
                number = REFERENCE.search(html)  # a link is possible in a text, not in a formula
                text = number[2] if tex.startswith("\\ref") else f"({number[2]})"
                return f'<a href="#{number[1]}">{text}</a>'
            html = REFERENCE.sub(r"(\2)", html)
            html = COLOUR.sub(lambda colour: f'style="{readable(colour[1], "")}"', html)
            return BOX.format(html) if display else html
        return f"<code>{escape(source)}</code> {self.problem(sentence, place)}"


def _convert(snippets: list[tuple[str, bool]]) -> list[str]:
    """MathML of pairs of TeX and whether it is displayed; "" if a formula crashed the converter."""
    command, ended = [sys.executable, "-P", "-c", CONVERT], set()
    while len(ended) < MOST_ENDS:
        tried = [("" if i in ended else tex, display) for i, (tex, display) in enumerate(snippets)]
        content = json.dumps([OPTIONS, tried, LARGEST]).encode()
        try:
            done = subprocess.run(command, input=content, capture_output=True, timeout=SECONDS)
            said, whole = done.stdout, not done.returncode
        except subprocess.TimeoutExpired as late:
            said, whole = late.stdout or b"", False
        last = (said.splitlines() or [b""])[-1]
        if whole:
            return ["" if i in ended else html for i, html in enumerate(json.loads(last))]
        if not last.isdigit():
            break
        ended.add(int(last))
    return [""] * len(snippets)


def _in_other_words(tex: str, display: bool) -> str:
    for pattern, words in IN_OTHER_WORDS:
        tex = re.sub(pattern, _definition if words == "macro" else words, tex)
    if display and "\\tag" in tex and not NUMBERED.search(tex):
        tex = f"\\begin{{equation}}{tex}\\end{{equation}}"
    return tex


def _definition(macro: re.Match) -> str:
    arguments = "".join(f"#{number + 1}" for number in range(int(macro[2] or 0)))
    return f"\\gdef{macro[1]}{arguments}"
