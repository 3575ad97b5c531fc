"""HTML from a kernel is not trusted: this module keeps what is allowed in a page.

The page's policy also forbids scripts and requests; this is the first of two protections. If
visible content is removed, a note in its place says so.
"""

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from html import escape, unescape
from urllib.parse import quote, unquote, urlsplit
from xml.etree import ElementTree

import nh3

from ae_lab.lab.records import ANCHOR
from ae_lab.report.render.colours import safe_style
from ae_lab.report.workplace import page_file

TEXT_TAGS = set(
    "a abbr b big blockquote br caption center cite code col colgroup dd del details dfn div dl dt "
    "em figcaption figure font hr i img ins kbd li mark ol p pre q rp rt ruby s samp small span "
    "strike strong sub summary sup table tbody td tfoot th thead tr tt u ul var wbr".split()
)
HEADINGS = {f"h{level}" for level in range(1, 7)}
# Elements that a page cannot have → the note in their place; "" if nothing is lost.
CHART, MEDIA = "save it as PNG, with an alt text", "link to it"
CUT = {
    "applet": f"an embedded object: {CHART}",
    "audio": f"a sound: {MEDIA}",
    "button": "a button: it needs a kernel or a script",
    "canvas": f"a drawing made by a script: {CHART}",
    "embed": f"an embedded object: {CHART}",
    "frame": f"a page of another site: {MEDIA}",
    "iframe": f"a page of another site: {MEDIA}",
    "input": "an input field: it needs a kernel or a script",
    "math": "a formula in MathML: write it in TeX, between dollar signs",
    "meter": "",
    "noscript": "",
    "object": f"an embedded object: {CHART}",
    "progress": "",
    "select": "an input field: it needs a kernel or a script",
    "source": "",
    "textarea": "an input field: it needs a kernel or a script",
    "video": f"a video: {MEDIA}",
}
# The time of cleaning grows with the square of the depth. Elements in FLAT can only be nested with
# other elements between them.
MOST_NESTED = 500
FLAT = set("br col dd dt hr img li p rp rt tbody td tfoot th thead tr wbr".split())
ANY_TAG = re.compile(r"""<(/?)([a-z][^\s/>]*)(?:[^<>"']|"[^"]*"|'[^']*')*""", re.IGNORECASE)
NO_ALT = "the image above has no alt text: add one that describes it"
SCRIPT = f"the output of a script: {CHART}"
SVG_SPACES = {"xmlns": "http://www.w3.org/2000/svg", "xmlns:xlink": "http://www.w3.org/1999/xlink"}
EMPTY = re.compile(r"<(embed|frame|input|source)\b([^<>]*)>", re.IGNORECASE)
RENAMED = re.compile(rf"<(/?)({'|'.join(CUT)})(?=[\s/>])", re.IGNORECASE)
CUT_TAG = re.compile(r"<(/?)cut-(\w+)([^>]*)>")
ATTRIBUTES = {
    "*": {"align", "class", "hidden", "id", "lang", "style", "title"},
    "a": {"href", "name"},
    "col": {"span"},
    "details": {"open"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start", "type"},
    "td": {"colspan", "rowspan", "abbr"},
    "th": {"colspan", "rowspan", "abbr", "scope"},
} | {f"cut-{tag}": {"src", "data", "value", "max", "type", "checked"} for tag in CUT}
IMAGE = re.compile(r"data:image/(?:png|jpeg|gif|webp|avif|bmp|svg\+xml)[;,]")
UNC = re.compile(r"[\s\0-\x1f]*[\\/]{2}")  # an address of another machine on Windows
KEPT_ID = re.compile(re.escape(ANCHOR) + r"[\w.-]+")
OWN_ANCHORS = (ANCHOR, "cell-", "content", "equation-")
STYLE_RULE = re.compile(r"([^{}]*)\{([^{}]*)\}")
# A table scrolls in its own box, which is reachable by keyboard.
BOX = '<div class="table" role="group" aria-label="table" tabindex="0">'
EMPTY_HEADER = re.compile(r"<th(?: [^>]*)?>(?:\s|&nbsp;)*</th>")
IMG = re.compile(r"<img\b([^>]*)>")
ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
FILE_LINK = re.compile(r'<a\b[^>]* href="missing:([^"]*)"[^>]*>(.*?)</a>', re.DOTALL)


class Surroundings:
    """What `sanitise` needs from the page of a fragment; this class is for one without a page."""

    def image(self, source: str) -> str | None:
        """The data address of an image, or None if it is not available."""
        return source if IMAGE.match(source) else None

    def note(self, what: str, failed: bool = False) -> str:
        """Count something that cannot be shown, and return the note in its place."""
        return note_html(what, failed)

    def raw(self, text: str) -> str:
        """A text without markers."""
        return text


def note_html(what: str, failed: bool = False) -> str:
    """The note in place of what a page cannot show."""
    kind = "Problem" if failed else "Not shown"
    return f'<span class="not-shown">[{kind}: {escape(what, quote=False)}.]</span>'


def sanitise(html: str, headings: bool = False, page: Surroundings | None = None) -> str:
    """Keep text, tables, links, colours and embedded images; remove all that runs or loads.

    The fragment need not be well-formed. ``headings`` is True for texts, whose headings and
    anchors are kept, and False for outputs. ``page`` provides images and counts what is removed.
    """
    page = page or Surroundings()
    if _is_nested_deeply(html):
        return page.note(f"HTML that is nested more than {MOST_NESTED} levels deep")
    colours = _colours_of(html)

    def keep(tag: str, attribute: str, value: str) -> str | None:
        try:
            return understood(tag, attribute, value)
        except Exception:  # otherwise nh3 would keep the value
            return None

    def understood(tag: str, attribute: str, value: str) -> str | None:
        if attribute == "src" and tag == "img":
            return page.image(page.raw(value)) or "missing:" + quote(page.raw(value)[:200])
        if attribute == "style":
            return safe_style(value) or None
        if attribute in ("id", "name"):
            if value in colours:
                return f"coloured:{value}"
            return value if KEPT_ID.fullmatch(value) else headings and anchor_of(value) or None
        return _address(page.raw(value)) if attribute == "href" else value

    for name, words in (("svg", None), ("script", SCRIPT), ("style", "")):
        html = _replace(html, name, page, words)
    html = RENAMED.sub(r"<\1cut-\2", EMPTY.sub(r"<\1\2></\1>", html))
    clean = nh3.clean(
        html,
        tags=TEXT_TAGS | {f"cut-{tag}" for tag in CUT} | (HEADINGS if headings else set()),
        attributes=ATTRIBUTES,
        attribute_filter=keep,
        url_schemes={"http", "https", "mailto", "data", "attachment", "missing"},
        link_rel=None,
    )
    clean = _name_cuts(clean, page) if "<cut-" in clean else clean
    clean = IMG.sub(lambda img: _checked_image(img[1], page), clean)
    clean = re.sub(r' id="coloured:([^"]*)"', lambda m: f' style="{colours[m[1]]}"', clean)
    clean = re.sub(r'(<a\b[^>]*?) name="', r'\1 id="', clean)
    clean = FILE_LINK.sub(lambda link: link[2] + page.note(_file_words(link[1])), clean)
    clean = EMPTY_HEADER.sub("<td></td>", clean)
    return re.sub(r"<table\b", BOX + "<table", clean).replace("</table>", "</table></div>")


def _is_nested_deeply(html: str) -> bool:
    depth, opened = 0, Counter()
    for end, name in ANY_TAG.findall(html):
        name = name.lower()
        if name not in FLAT and (not end or opened[name]):
            change = -1 if end else 1
            opened[name] += change
            depth += change
            if depth > MOST_NESTED:
                return True
    return False


def _elements(html: str, name: str) -> Iterator[tuple[int, int]]:
    """Start and end of each element with a name; an unclosed element ends with the text."""
    opening, closing = re.compile(rf"<{name}\b", re.I), re.compile(rf"</{name}\s*>", re.I)
    at = 0
    while start := opening.search(html, at):
        before = html.rfind("<", at, start.start())
        is_tag = before >= 0 and html[before + 1 : before + 2].isalpha()
        if is_tag and html.find(">", before, start.start()) < 0:
            at = start.end()  # inside an attribute of another element
            continue
        end = closing.search(html, start.end())
        at = end.end() if end else len(html)
        yield start.start(), at


def _replace(html: str, name: str, page: Surroundings, words: str | None) -> str:
    """Replace elements by a note, once per fragment; replace an SVG by an image."""
    pieces, done, said = [], 0, False
    for start, end in _elements(html, name):
        pieces.append(html[done:start])
        if words is None:
            pieces.append(_svg_image(html[start:end], page))
        elif words and not said:
            pieces.append(page.note(words))
            said = True
        done = end
    return "".join([*pieces, html[done:]])


def svg_root(svg: str) -> tuple[str, ElementTree.Element] | None:
    """An SVG as a separate file, and its root; None if it is not well-formed."""
    head = svg.split(">", 1)[0]
    missing = [f' {name}="{at}"' for name, at in SVG_SPACES.items() if f"{name}=" not in head]
    svg = re.sub(r"<dc:date>[^<]*</dc:date>", "", svg)  # the time of Matplotlib's run
    try:
        whole = svg if "<?xml" in svg[:100] else svg.replace("<svg", f"<svg{''.join(missing)}", 1)
        return whole, ElementTree.fromstring(whole)
    except ElementTree.ParseError:
        return None


def _svg_image(svg: str, page: Surroundings) -> str:
    """An inline SVG as an image, which cannot run or load anything; its title is the alt text."""
    if not (found := svg_root(svg)):
        return page.note(f"a drawing (SVG) that is not well-formed XML: {CHART}", failed=True)
    whole, root = found
    if root.get("aria-hidden") == "true" or re.search(
        r"(?:width|height): *0", root.get("style", "")
    ):
        return ""  # decoration, or definitions
    titles = [
        child.text for child in root if child.tag.endswith(("}title", "}desc")) and child.text
    ]
    alt = escape(root.get("aria-label") or " ".join(titles))
    address = f"data:image/svg+xml;base64,{b64encode(whole.encode()).decode()}"
    return f'<img src="{address}" alt="{alt}">'


def _name_cuts(html: str, page: Surroundings) -> str:
    """Put a note, or a static form, in the place of the outermost removed elements."""
    pieces, done, depth, addresses, outer = [], 0, 0, [], None
    for tag in CUT_TAG.finditer(html):
        if not tag[1]:
            found = dict(ATTRIBUTE.findall(tag[3]))
            addresses += [found[name] for name in ("src", "data") if name in found]
            if not depth:
                pieces.append(html[done : tag.start()])
                outer = tag[2], found
        depth += -1 if tag[1] else 1
        if not depth:
            pieces.append(_cut_words(*outer, addresses, page))
            addresses, done = [], tag.end()
    return "".join([*pieces, html[done:]])


def _cut_words(tag: str, found: dict, addresses: list[str], page: Surroundings) -> str:
    if tag in ("progress", "meter"):
        return f"{found.get('value', '…')} of {found.get('max', '1')}"
    if tag == "input" and found.get("type") in ("checkbox", "radio"):
        return "☑" if "checked" in found else "☐"
    if not CUT[tag] or found.get("type") == "hidden":
        return ""
    far = next((a for a in addresses if a.startswith(("https:", "http:", "//"))), "")
    link = f' <a href="{far}">{far}</a>' if far else ""
    return page.note(CUT[tag]) + link


def _checked_image(attributes: str, page: Surroundings) -> str:
    """An image with an alt text, or with a note about what is missing."""
    found = dict(ATTRIBUTE.findall(attributes))
    source = found.get("src", "missing:")
    if source.startswith("missing:"):
        name = unquote(source.removeprefix("missing:")) or "without a source"
        words = f"the image {name!r} is not a file in the notebook's folder"
        alt = f" ({page.raw(unescape(found['alt']))})" if found.get("alt") else ""
        return page.note(words + alt, failed=True)
    alt = found.get("alt", "").strip()
    rest = "".join(f' {k}="{v}"' for k, v in found.items() if k not in ("src", "alt"))
    image = f'<img src="{source}" alt="{alt}"{rest}>'
    return image if alt else image + page.note(NO_ALT, failed=True)


def _colours_of(html: str) -> dict[str, str]:
    """Id → style, from the style sheet that a styled table contains."""
    colours: dict[str, str] = {}
    for start, end in _elements(html, "style"):
        for selectors, declarations in STYLE_RULE.findall(html[start:end]):
            if style := safe_style(declarations):
                ids = re.findall(r"#([\w-]+)\s*(?:,|$)", selectors)
                colours |= {name: style for name in ids if "display" not in style}
    return colours


def _address(value: str) -> str | None:
    """Target of a link: another site, a page of the report, or this page; None if not allowed."""
    parts = urlsplit(value)
    if parts.scheme in ("data", "attachment", "missing"):
        return None
    if parts.scheme:
        return value
    if UNC.match(value) or parts.path and not parts.path.endswith((".ipynb", ".html")):
        return f"missing:{quote(value[:200])}"
    if parts.path.endswith(".ipynb"):  # becomes a link to the page of that notebook
        folder, _, name = unquote(parts.path).removesuffix(".ipynb").rpartition("/")
        page = page_file(name) if folder in ("", ".") else f"{folder}/{page_file(name)}"
        parts = parts._replace(path=quote(page))
    if parts.fragment and not KEPT_ID.fullmatch(parts.fragment):
        parts = parts._replace(fragment=anchor_of(unquote(parts.fragment)))
    return parts.geturl()


def _file_words(quoted: str) -> str:
    return f"the file {unquote(quoted)!r}, which is not a page of this report"


def anchor_of(heading: str) -> str:
    """The anchor of a heading in a page; the same for Jupyter's form, such as ``Linear-probe``."""
    slug = re.sub(r"[^\w]+", "-", heading.lower()).strip("-") or "section"
    return f"section-{slug}" if slug.startswith(OWN_ANCHORS) else slug


def plain_text(html: str) -> str:
    """The text of a fragment, without markup."""
    return unescape(re.sub(r"<[^>]+>", "", html)).strip()
