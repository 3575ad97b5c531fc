"""Headings of a page: one h1, no skipped level, an anchor of its own for each."""

import re
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

from ae_lab.report.render.markdown import Fragments
from ae_lab.report.render.sanitise import anchor_of

HEADING = re.compile(r"<h([1-6])([^>]*)>(.*?)</h\1>", re.DOTALL)
ID = re.compile(r' id="([^"]*)"')
MOST = 8  # subheadings of a section that the contents list; a glossary's are left out


class Entry(NamedTuple):
    """One line of the table of contents."""

    level: int
    anchor: str
    text: str


@dataclass
class Outline:
    """Rewrites headings as they come; ``title`` is the text of the first h1, "" without one."""

    fragments: Fragments
    title: str = ""
    entries: list[Entry] = field(default_factory=list)
    _anchors: set[str] = field(default_factory=set)
    _level: int = 1

    @property
    def contents(self) -> list[Entry]:
        """Sections, and the subheadings of those that have at most ``MOST`` of them."""
        listed: list[Entry] = []
        for is_section, group in groupby(self.entries, lambda entry: entry.level == 2):
            entries = [entry for entry in group if entry.level <= 3]
            listed += entries if is_section or len(entries) <= MOST else []
        return listed

    def rewrite(self, html: str) -> str:
        """The fragment with levels mended and anchors set."""
        return HEADING.sub(self._heading, html)

    def _heading(self, match: re.Match) -> str:
        level, inner = int(match[1]), match[3]
        text = self.fragments.text(inner)
        if own := ID.search(match[2]):  # the author's, beside Jupyter's
            inner = f'<span id="{own[1]}"></span>{inner}'
        if level == 1 and not self.title and not self.entries and text:
            self.title = text
            return f'<span id="{self._anchor(text)}"></span><h1>{inner}</h1>'
        self._level = min(max(level, 2), self._level + 1)
        entry = Entry(self._level, self._anchor(text), text)
        self.entries.append(entry)
        return f'<h{entry.level} id="{entry.anchor}">{inner}</h{entry.level}>'

    def _anchor(self, text: str) -> str:
        """A readable anchor; the second of the same name gets a number."""
        slug = anchor_of(text)
        anchor, number = slug, 1
        while anchor in self._anchors:
            number += 1
            anchor = f"{slug}-{number}"
        self._anchors.add(anchor)
        return anchor
