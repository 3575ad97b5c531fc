"""The last look at a finished page: all its elements and attributes are of those it may have.

Its parts were cleaned before they came together. Here the whole is read once more, and held to a
form that leaves a browser no choice: tags with quoted attributes, and no other "<".
"""

import re
from html import unescape

from ae_lab.errors import LabError
from ae_lab.report.render.sanitise import HEADINGS, IMAGE, TEXT_TAGS

TAG = re.compile(r'</?([a-zA-Z][\w-]*)((?:\s+[\w:.-]+(?:="[^"]*")?)*)\s*/?>', re.ASCII)
ATTRIBUTE = re.compile(r'([\w:.-]+)(?:="([^"]*)")?')
HEAD = set("html head meta title".split())
OF_HEAD = set("charset content http-equiv lang name".split())
OWN = "html body header main nav section button canvas input label fieldset legend svg math"
BODY = TEXT_TAGS | HEADINGS | set(OWN.split())
INSIDE = {  # what stands in these two, and nothing of HTML
    "math": set(
        "math annotation menclose merror mfrac mi mmultiscripts mn mo mover mpadded mphantom "
        "mprescripts mroot mrow ms mspace msqrt mstyle msub msubsup msup mtable mtd mtext mtr "
        "munder munderover semantics".split()
    ),
    "svg": set("svg circle g line path polyline rect text title".split()),
}
# those that begin with data- and aria- besides; only href and src fetch, and style is looked at
ATTRIBUTES = set(
    "abbr align alt class colspan height hidden href id lang max min name open rel role rowspan "
    "scope span src start step style tabindex title type value width "
    "accent accentunder columnalign display displaystyle encoding form linethickness lspace "
    "mathvariant maxsize minsize movablelimits notation rspace scriptlevel stretchy symmetric "
    "voffset cx cy d fill points r rx stroke viewbox x x1 x2 y y1 y2".split()
)
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
STYLE = re.compile(  # nothing that leaves its place, nothing that is fetched
    r"(?:(?:background|border-\w+|color|display|flex-grow|font-[\w-]+|height|justify-items|"
    r"margin-left|padding-\w+|text-(?:align|decoration)|vertical-align|width)"
    r":[\w\s#%.+-]*(?:;|\Z)\s*)*\Z"
)
FORMS = {"src": IMAGE, "style": STYLE}


def check_page(html: str, css: str, script: str) -> None:
    """A LabError if a page, or a part of one, holds what it may not, its own script left out."""
    for name, own in (("style", css), ("script", script)):
        html = html.replace(f"<{name}>{own}</{name}>", "", 1)
    head, body, rest = html.removeprefix("<!DOCTYPE html>").rpartition("<body")
    check(head, HEAD, OF_HEAD)
    check(body + rest)


def check(html: str, tags: set[str] = BODY, attributes: set[str] = ATTRIBUTES) -> None:
    """A LabError if HTML has another element than ``tags``, or another attribute."""
    at, inside = html.find("<"), ""
    while at >= 0:
        tag = TAG.match(html, at)
        name = tag[1].lower() if tag else ""
        if name not in INSIDE.get(inside, tags) or not all(
            _may_be(key.lower(), unescape(value), attributes)
            for key, value in ATTRIBUTE.findall(tag[2])
        ):
            raise LabError(f"{html[at : at + 60]!r} came into the page, which may not hold it")
        if name in INSIDE:
            inside = "" if tag[0][1] == "/" else name
        at = html.find("<", tag.end())


def _may_be(name: str, value: str, attributes: set[str]) -> bool:
    if name == "href":
        scheme = SCHEME.match(re.sub(r"[\x00-\x20]", "", value))
        return not scheme or scheme[0].lower() in ("http:", "https:", "mailto:")
    if name in FORMS and not FORMS[name].match(value):
        return False
    return name in attributes or name.startswith(("aria-", "data-"))
