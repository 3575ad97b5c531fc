"""Headings of a page: one h1, no skipped level, and a unique anchor for each."""

import re
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

from ae_lab.report.render.markdown import Fragments
from ae_lab.report.render.sanitise import anchor_of

HEADING = re.compile(r"<h([1-6])([^>]*)>(.*?)</h\1>", re.DOTALL)
ID = re.compile(r' id="([^"]*)"')
MOST = 8  # subheadings of a section in the contents; longer lists, like a glossary, are omitted


class Entry(NamedTuple):
    """One line of the table of contents."""

    level: int
    anchor: str
    text: str


@dataclass
class Outline:
    """Rewrites headings in order; ``title`` is the text of the first h1, or ""."""

    fragments: Fragments
    title: str = ""
    entries: list[Entry] = field(default_factory=list)
    _anchors: set[str] = field(default_factory=set)
    _level: int = 1

    @property
    def contents(self) -> list[Entry]:
        """Sections, and their subheadings if there are at most ``MOST``."""
        listed: list[Entry] = []
        for is_section, group in groupby(self.entries, lambda entry: entry.level == 2):
            entries = [entry for entry in group if entry.level <= 3]
            listed += entries if is_section or len(entries) <= MOST else []
        return listed

    def rewrite(self, html: str) -> str:
        """The fragment with corrected levels and anchors."""
        return HEADING.sub(self._heading, html)

    def _heading(self, match: re.Match) -> str:
        level, inner = int(match[1]), match[3]
        text = self.fragments.text(inner)
        if own := ID.search(match[2]):  # an anchor set by the author, in addition to Jupyter's
            inner = f'<span id="{own[1]}"></span>{inner}'
        if level == 1 and not self.title and not self.entries and text:
            self.title = text
            return f'<span id="{self._anchor(text)}"></span><h1>{inner}</h1>'
        self._level = min(max(level, 2), self._level + 1)
        entry = Entry(self._level, self._anchor(text), text)
        self.entries.append(entry)
        return f'<h{entry.level} id="{entry.anchor}">{inner}</h{entry.level}>'

    def _anchor(self, text: str) -> str:
        """A readable anchor; repeated names get a number."""
        slug = anchor_of(text)
        anchor, number = slug, 1
        while anchor in self._anchors:
            number += 1
            anchor = f"{slug}-{number}"
        self._anchors.add(anchor)
        return anchor
