"""HTML from a kernel is not to be trusted: what may stand in a page, and nothing else.

The page's policy forbids scripts and requests too; this is the first of two locks.
"""

import re
from html import unescape
from urllib.parse import unquote, urlsplit

import nh3

from ae_lab.lab.records import ANCHOR

TEXT_TAGS = set(
    "a abbr b blockquote br caption cite code col colgroup dd del details dfn div dl dt em "
    "figcaption figure hr i img ins kbd li mark ol p pre q s samp small span strong sub summary "
    "sup table tbody td tfoot th thead tr tt u ul var wbr".split()
)
HEADINGS = {f"h{level}" for level in range(1, 7)}
ATTRIBUTES = {
    "*": {"class", "id", "lang", "style", "title"},
    "a": {"href"},
    "col": {"span"},
    "details": {"open"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start", "type"},
    "td": {"colspan", "rowspan", "headers", "abbr"},
    "th": {"colspan", "rowspan", "headers", "abbr", "scope"},
}
IMAGE = re.compile(r"data:image/(?:png|jpeg|gif|webp|svg\+xml)[;,]")
KEPT_ID = re.compile(re.escape(ANCHOR) + r"[\w.-]+")
# A table scrolls in its own box, which a keyboard can reach.
BOX = '<div class="table" role="group" aria-label="table" tabindex="0">'
EMPTY_HEADER = re.compile(r"<th(?: [^>]*)?>\s*</th>")
SOURCELESS = re.compile(r'<img(?![^>]*\bsrc=)(?:[^>]*\balt="(?P<alt>[^"]*)")?[^>]*>')


def sanitise(html: str, headings: bool = False) -> str:
    """Keep text, tables, links and embedded images; drop all that acts or fetches.

    The fragment need not be well-formed; h1 to h6 stay in a notebook's text, not in an output.
    """
    clean = nh3.clean(
        html,
        tags=TEXT_TAGS | HEADINGS if headings else TEXT_TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=_keep,
        url_schemes={"http", "https", "mailto", "data"},
        filter_style_properties={"text-align"},
        link_rel=None,
    )
    clean = SOURCELESS.sub(r"<em>[image: \g<alt>]</em>", clean)
    clean = EMPTY_HEADER.sub("<td></td>", clean)
    return re.sub(r"<table\b", BOX + "<table", clean).replace("</table>", "</table></div>")


def _keep(tag: str, attribute: str, value: str) -> str | None:
    if attribute == "src":
        return value if IMAGE.match(value) else None
    if attribute == "id":
        return value if KEPT_ID.fullmatch(value) else None
    if attribute == "href":
        parts = urlsplit(value)
        if parts.scheme == "data":
            return None
        if parts.scheme or parts.netloc or not (parts.path.endswith(".ipynb") or not parts.path):
            return value
        if parts.path:  # a notebook beside this one is a page beside this page
            parts = parts._replace(path=parts.path.removesuffix(".ipynb") + ".html")
        if parts.fragment and not KEPT_ID.fullmatch(parts.fragment):
            parts = parts._replace(fragment=anchor_of(unquote(parts.fragment)))
        return parts.geturl()
    return value


def anchor_of(heading: str) -> str:
    """The anchor of a heading in a page; Jupyter's own, ``Linear-probe``, leads to the same."""
    slug = re.sub(r"[^\w]+", "-", heading.lower()).strip("-") or "section"
    return f"section-{slug}" if slug.startswith(ANCHOR) else slug


def plain_text(html: str) -> str:
    """The fragment's text, without markup."""
    return unescape(re.sub(r"<[^>]+>", "", html)).strip()
