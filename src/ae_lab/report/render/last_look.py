"""The last check of a finished page: only allowed elements and attributes occur in it.

Its parts were cleaned before they were combined. Here the whole page is read again. It must
have a form that all browsers parse in the same way: tags with quoted attributes, no other "<".
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
INSIDE = {  # elements allowed in these two, which contain no HTML
    "math": set(
        "math annotation menclose merror mfrac mi mmultiscripts mn mo mover mpadded mphantom "
        "mprescripts mroot mrow ms mspace msqrt mstyle msub msubsup msup mtable mtd mtext mtr "
        "munder munderover semantics".split()
    ),
    "svg": set("svg circle g line path polyline rect text title".split()),
}
# and those that begin with data- or aria-; only href and src load something
ATTRIBUTES = set(
    "abbr align alt class colspan height hidden href id lang max min name open rel role rowspan "
    "scope span src start step style tabindex title type value width "
    "accent accentunder columnalign display displaystyle encoding form linethickness lspace "
    "mathvariant maxsize minsize movablelimits notation rspace scriptlevel stretchy symmetric "
    "voffset cx cy d fill points r rx stroke viewbox x x1 x2 y y1 y2".split()
)
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
STYLE = re.compile(  # no positions and no addresses
    r"(?:(?:background|border-\w+|color|display|flex-grow|font-[\w-]+|height|justify-items|"
    r"margin-left|padding-\w+|text-(?:align|decoration)|vertical-align|width)"
    r":[\w\s#%.+-]*(?:;|\Z)\s*)*\Z"
)
FORMS = {"src": IMAGE, "style": STYLE}


def check_page(html: str, css: str, script: str) -> None:
    """Raise a LabError if a page contains more than is allowed, besides its own CSS and script."""
    for name, own in (("style", css), ("script", script)):
        html = html.replace(f"<{name}>{own}</{name}>", "", 1)
    head, body, rest = html.removeprefix("<!DOCTYPE html>").rpartition("<body")
    check(head, HEAD, OF_HEAD)
    check(body + rest)


def check(html: str, tags: set[str] = BODY, attributes: set[str] = ATTRIBUTES) -> None:
    """Raise a LabError if HTML has an element not in ``tags`` or a forbidden attribute."""
    at, inside = html.find("<"), ""
    while at >= 0:
        tag = TAG.match(html, at)
        name = tag[1].lower() if tag else ""
        if name not in INSIDE.get(inside, tags) or not all(
            _may_be(key.lower(), unescape(value), attributes)
            for key, value in ATTRIBUTE.findall(tag[2])
        ):
            raise LabError(f"{html[at : at + 60]!r} is in the page, where it is not allowed")
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
