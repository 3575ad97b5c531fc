"""Highlighted source code; the colours are in style.css."""

from functools import cache

import pygments
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound


def highlight(source: str, language: str) -> str:
    """Spans to stand inside ``<code>``; an unknown language stays plain."""
    return pygments.highlight(source, _lexer(language), HtmlFormatter(nowrap=True)).rstrip("\n")


@cache
def _lexer(language: str) -> Lexer:
    try:
        return get_lexer_by_name(language or "text", stripnl=False)
    except ClassNotFound:
        return get_lexer_by_name("text", stripnl=False)
