"""One executed notebook as the parts of a page."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from types import MappingProxyType

from nbformat import NotebookNode

from ae_lab.report.distributed import differences
from ae_lab.report.failure import failure
from ae_lab.report.live.sections import Section
from ae_lab.report.numbers import as_people_write
from ae_lab.report.render.cleaning import clean_message
from ae_lab.report.render.markdown import Fragments, highlight
from ae_lab.report.render.outline import Entry, Outline
from ae_lab.report.render.outputs import OPENING, Outputs

PAGE_ERROR = "PageError"
VERDICT = re.compile(
    r'<div class="claim [\w-]*" id="(?P<anchor>claim-[\w.-]+)">'
    r'(?P<claim>(?:(?!<div class="claim).)*?)'
    r"<strong>Verdict: [^<]*</strong>",
    re.DOTALL,
)
BEFORE = "exercises"  # anchor of the heading before which the report's own sections are inserted
# Tags that remove or fold parts of a page, as in Jupyter Book.
LEFT_OUT, NO_INPUT, NO_OUTPUT = "remove-cell", "remove-input", "remove-output"
FOLDED = {"hide-output", "hide-cell"}  # fold the outputs; code is always folded


@dataclass(frozen=True)
class Part:
    """One cell: ``number`` is the cell's number for code, and 0 for text."""

    number: int
    source: str
    outputs: str = ""
    folded: bool = False  # the outputs
    differs: str = ""  # from the distributed notebook: "changed", "added"


class Page:
    """Title, outline and parts of an executed notebook.

    ``problems`` are failures of the page, as described by `failure`. ``gaps`` are sentences about
    what a page cannot show. Both are also shown in their place. ``name`` is the title if the
    notebook has no main heading. ``content`` are nbconvert's settings ``include_…`` for the
    content of a page. ``sections`` are the report's own, inserted before the exercises.
    """

    def __init__(
        self,
        notebook: NotebookNode,
        name: str,
        folder: str = "",
        content: Mapping[str, bool] = MappingProxyType({}),
        sections: Sequence[Section] = (),
    ):
        self.name, self.content = name, content
        lab = notebook.metadata.get("ae_lab", {})
        self.run = lab.get("run", {}) | (lab.get("record") or {}).get("run", {})
        headlines = (lab.get("record") or {}).get("headlines", [])
        self.headlines = [as_people_write(str(one)) for one in headlines]
        self.verdicts = lab.get("verdicts", {})
        self.error = lab.get("error")
        if self.error:
            message = clean_message(str(self.error["message"]), folder)
            self.error = dict(self.error) | {"message": message}
        self.in_report = "ae_lab" in notebook.metadata
        self.fragments = Fragments(folder)
        self.outline = Outline(self.fragments)
        self.outputs = Outputs(notebook, self.fragments, self._markdown)
        self.not_run = 0
        self.differences = differences(name, notebook.cells)
        self.parts = self._finished(list(self._parts(notebook)))
        self._insert(sections)
        self.title = self.outline.title or name
        notes = sorted(self.fragments.notes, key=lambda note: note["place"]["order"])
        self.gaps = [note["what"] for note in notes if not note["failed"]]
        self.problems = [self._failure(note) for note in notes if note["failed"]]
        self.errors = [self.error] * bool(self.error) + self.problems

    @property
    def has_formulas(self) -> bool:
        return any("<math" in part.source + part.outputs for part in self.parts)

    @property
    def has_code(self) -> bool:
        return any(part.number and part.source for part in self.parts)

    @property
    def is_alive(self) -> bool:
        return any(OPENING in part.source + part.outputs for part in self.parts)

    def _insert(self, sections: Sequence[Section]) -> None:
        """Insert sections before the exercises, or at the end, also in the table of contents."""
        starts = [f'<h2 id="{BEFORE}"' in part.source for part in self.parts]
        place = starts.index(True) if True in starts else len(starts)
        self.parts[place:place] = [Part(0, section.html) for section in sections]
        listed = [entry.anchor for entry in self.outline.entries]
        place = listed.index(BEFORE) if BEFORE in listed else len(listed)
        own = [Entry(2, section.anchor, section.title) for section in sections]
        self.outline.entries[place:place] = own

    def shows(self, what: str) -> bool:
        """Whether nbconvert's settings include this type of content."""
        return self.content.get(f"include_{what}", True)

    def _parts(self, notebook: NotebookNode) -> Iterator[Part]:
        """Cells up to the one that failed; later cells were not run."""
        last = (self.error or {}).get("id")
        number = 0
        for index, cell in enumerate(notebook.cells):
            runs = cell.cell_type == "code" and bool(cell.source.strip())
            number += runs
            self._step = {
                "id": cell.get("id"),
                "cell": number if runs else None,
                "heading": self._heading(),
                "order": index,
            }
            self.fragments.place = self._step
            failed = bool(last) and cell.get("id") == last
            if failed or LEFT_OUT not in cell.metadata.get("tags", []):
                try:
                    part = self._part(cell, number if runs else 0, failed)
                except Exception as error:  # an error in one cell must not affect the others
                    words = f"{type(error).__name__}: {error}"
                    note = self.fragments.note(f"the cell cannot be rendered: {words}", failed=True)
                    part = Part(0, f"<p>{note}</p><pre>{escape(cell.source)}</pre>")
                if part:
                    yield replace(part, differs=self.differences.get(cell.get("id"), ""))
            if failed:
                rest = notebook.cells[index + 1 :]
                self.not_run = sum(
                    cell.cell_type == "code" and bool(cell.source.strip()) for cell in rest
                )
                return

    def _part(self, cell: NotebookNode, number: int, failed: bool) -> Part | None:
        tags = () if failed else cell.metadata.get("tags", [])
        if cell.cell_type == "markdown" and self.shows("markdown"):
            return Part(0, self._markdown(cell.source, cell.get("attachments")))
        if cell.cell_type == "raw" and cell.source.strip() and self.shows("raw"):
            kind = cell.metadata.get("unknown_type")
            words = f"a cell of the unknown type {kind!r}" if kind else "a raw cell"
            note = self.fragments.note(f"{words}, which is not rendered: its text follows")
            return Part(0, f'<p>{note}</p><pre class="raw">{escape(cell.source)}</pre>')
        if not number or not self.shows("code"):
            return None
        removed = cell.metadata.get("transient", {}).get("remove_source") or NO_INPUT in tags
        source = "" if removed or not self.shows("input") else highlight(cell.source, "ipython3")
        outputs = [] if NO_OUTPUT in tags or not self.shows("output") else cell.outputs
        return Part(number, source, self.outputs.html(outputs), bool(FOLDED & set(tags)))

    def _markdown(self, source: str, attachments: NotebookNode | None = None) -> str:
        self.fragments.place = place = dict(self._step)
        html = self.outline.rewrite(self.fragments.markdown(source, attachments))
        place["heading"] = self._heading()  # the heading in this text, not the one before it
        self.fragments.place = self._step
        return html

    def _heading(self) -> str:
        return self.outline.entries[-1].text if self.outline.entries else self.outline.title

    def _finished(self, parts: list[Part]) -> list[Part]:
        """The parts, completed with everything that depends on the whole page, such as links."""
        texts = [text for part in parts for text in (part.source, part.outputs)]
        code = {2 * i for i, part in enumerate(parts) if part.number}
        done = self.fragments.finish("" if i in code else text for i, text in enumerate(texts))
        done = [text.replace("<pre>", '<pre tabindex="0">') for text in done]  # a long line scrolls
        done = [VERDICT.sub(self._over_seeds, text) for text in done]
        sources = [texts[i] if i in code else done[i] for i in range(0, len(done), 2)]
        return [
            replace(part, source=source, outputs=outputs)
            for part, source, outputs in zip(parts, sources, done[1::2], strict=True)
        ]

    def _failure(self, note: dict) -> dict:
        place = {key: note["place"].get(key) for key in ("id", "cell", "heading")}
        return failure(self.name, PAGE_ERROR, note["what"], **place)

    def _over_seeds(self, shown: re.Match) -> str:
        """A claim with the verdict over all seeds instead of that of the notebook's run."""
        verdict, words = self.verdicts.get(shown["anchor"], ("", ""))
        if not verdict:
            return shown[0]
        start = f'<div class="claim {verdict.replace(" ", "-")}" id="{shown["anchor"]}">'
        end = ":" if verdict == "untested" else "."  # the reason follows
        return f"{start}{shown['claim']}<strong>Verdict: {escape(words)}{end}</strong>"
