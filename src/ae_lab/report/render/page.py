"""One executed notebook as the parts of a page."""

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from nbformat import NotebookNode

from ae_lab.lab.records import DECODER
from ae_lab.report.failure import failure
from ae_lab.report.render.cleaning import clean_outputs, clean_text
from ae_lab.report.render.markdown import highlight, markdown_to_html
from ae_lab.report.render.outline import Outline
from ae_lab.report.render.sanitise import plain_text, sanitise

FILLER = "No description has been provided for this image"  # nbconvert's, and no alt text
PAGE_ERROR = "PageError"
LEFT_OUT = "remove-cell"  # the tag of a cell that a page does without, as in Jupyter Book
PREFERRED = ("text/html", "text/markdown", "text/latex")
IMAGES = ("image/svg+xml", "image/png", "image/jpeg", "image/gif")

VERDICT = re.compile(
    r'<div class="claim [\w-]*" id="(?P<anchor>claim-[\w.-]+)">(?P<claim>.*?)'
    r"<strong>Verdict: [^<]*</strong>",
    re.DOTALL,
)

# The one figure that moves, computed by a script known by its hash: a still one, and controls
# that take its place where the script may run.
OPENING = '<div class="living" data-decoder='  # no output of a kernel can hold it unescaped
CONTROLS = """<div class="live" hidden>
<canvas class="plane" width="392" height="392" tabindex="0" role="application"
 aria-label="The plane of the two latents; arrow keys move the point"></canvas>
<div><canvas class="digit" role="img" aria-label="The image decoded at the point"></canvas>
<p class="where" aria-live="polite"></p>
<p class="note">Move the pointer or a finger over the plane, or focus it and press the arrow
keys: the image above is decoded on this page, with the model’s own weights.</p></div>
</div>"""


@dataclass(frozen=True)
class Part:
    """One cell: ``number`` is 0 for text, the cell's number for code."""

    number: int
    source: str
    outputs: str = ""


class Page:
    """Title, outline and parts of an executed notebook; ``problems`` says what could not be shown.

    ``name`` is the title if the notebook has no heading of its own.
    """

    def __init__(self, notebook: NotebookNode, name: str, folder: str = ""):
        self.name, self.folder = name, folder
        lab = notebook.metadata.get("ae_lab", {})
        self.run = lab.get("run", {}) | (lab.get("record") or {}).get("run", {})
        self.headlines = (lab.get("record") or {}).get("headlines", [])
        self.verdicts = lab.get("verdicts", {})
        self.error = lab.get("error")
        if self.error:
            message = clean_text(str(self.error["message"]), folder)
            self.error = dict(self.error) | {"message": message}
        self.in_report = "ae_lab" in notebook.metadata
        self.outline, self.problems = Outline(), []
        self._step: dict = {}
        self.not_run = 0
        self.parts = list(self._parts(notebook))
        self.title = self.outline.title or name

    @property
    def has_formulas(self) -> bool:
        return any("<math" in part.source + part.outputs for part in self.parts)

    @property
    def is_alive(self) -> bool:
        return any(OPENING in part.outputs for part in self.parts)

    def _parts(self, notebook: NotebookNode) -> Iterator[Part]:
        """Cells up to the one that failed; what follows it was not run."""
        error = self.error or {}
        # A page that cannot be shown ran to its end.
        last = None if error.get("name") == PAGE_ERROR else error.get("id")
        number = 0
        for index, cell in enumerate(notebook.cells):
            runs = cell.cell_type == "code" and bool(cell.source.strip())
            number += runs
            tags = cell.metadata.get("tags", [])
            identity = cell.get("id") or f"cell-{index}"
            self._step = {"id": identity, "cell": number if runs else None}
            if cell.cell_type == "markdown":
                yield Part(0, self._markdown(cell.source, cell.get("attachments")))
            elif runs and (identity == last or LEFT_OUT not in tags):
                outputs = clean_outputs(cell.outputs, self.folder)
                html = "\n".join(filter(None, map(self._output, outputs)))
                yield Part(number, highlight(cell.source, "ipython3"), html)
            if identity == last:
                self.not_run = len(notebook.cells) - index - 1
                return

    def _markdown(self, source: str, attachments: NotebookNode | None = None) -> str:
        sentences: list[str] = []
        html = markdown_to_html(source, sentences.append, self.folder, attachments)
        rewritten = self.outline.rewrite(html)  # first, so that a problem names its own heading
        for sentence in sentences:
            self._problem(sentence)
        return rewritten

    def _problem(self, sentence: str) -> None:
        heading = plain_text(self.outline.entries[-1].html) if self.outline.entries else ""
        heading = heading or self.outline.title
        problem = failure(self.name, PAGE_ERROR, sentence, heading=heading, **self._step)
        self.problems.append(problem)

    def _output(self, output: NotebookNode) -> str:
        """An output in the richest form that leaves something to see."""
        if output.output_type == "stream":
            return f'<pre class="{escape(output.name)}">{escape(output.text.rstrip())}</pre>'
        if output.output_type == "error":
            trace = "\n".join(output.traceback).strip() or f"{output.ename}: {output.evalue}"
            return f'<pre class="error">{escape(trace)}</pre>'
        if DECODER in output.data and "image/png" in output.data:
            # the decoder, from lab.portable, becomes an attribute, never markup or code
            decoder = json.dumps(output.data[DECODER], sort_keys=True, separators=(",", ":"))
            still = self._image("image/png", output)
            return f'{OPENING}"{escape(decoder)}">{still}{CONTROLS}</div>'
        for kind in PREFERRED:
            if html := self._rich(kind, output.data.get(kind, "")):
                return html
        for kind in IMAGES:
            if kind in output.data:
                return self._image(kind, output)
        text = output.data.get("text/plain", "").rstrip()
        return f'<pre class="result">{escape(text)}</pre>' if text else ""

    def _rich(self, kind: str, source: str) -> str:
        if not source:
            return ""
        html = self._markdown(source) if kind != "text/html" else sanitise(source)
        html = VERDICT.sub(self._over_seeds, html)
        return f'<div class="rich">{html}</div>' if html.strip() else ""

    def _over_seeds(self, shown: re.Match) -> str:
        """A claim's verdict as the notebook showed it, with that over all seeds in its place."""
        verdict, words = self.verdicts.get(shown["anchor"], ("", ""))
        if not verdict:
            return shown[0]
        start = f'<div class="claim {verdict.replace(" ", "-")}" id="{shown["anchor"]}">'
        return f"{start}{shown['claim']}<strong>Verdict: {escape(words)}.</strong>"

    def _image(self, kind: str, output: NotebookNode) -> str:
        details = output.metadata.get(kind)
        details = details if isinstance(details, dict) else {}
        alt = str(details.get("alt") or output.metadata.get("alt") or "").strip()
        if not alt or FILLER in alt:
            self._problem("a figure has no alt text: show it with lab.show(fig, alt=...)")
        sizes = "".join(
            f' {name}="{int(details[name])}"'
            for name in ("width", "height")
            if str(details.get(name, "")).isdigit()
        )
        data = output.data[kind]
        if kind == "image/svg+xml":
            data = b64encode(data.encode()).decode()
        address = f"data:{kind};base64,{escape(''.join(data.split()))}"
        return f'<figure><img src="{address}" alt="{escape(alt)}"{sizes}></figure>'
