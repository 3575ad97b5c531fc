"""Pages made from the report's templates, with style sheet, script and security policy."""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path

import jinja2

from ae_lab.report.render.last_look import check_page

FONT = Path(__file__).parents[1] / "fonts" / "STIXTwoMath-subset.woff2"
PAGE = Path(__file__).parents[1] / "templates" / "ae_lab_report"
LIVE, PARTS = PAGE / "live", ("network", "plane", "positions", "draw", "train", "start")


def render_template(
    name: str, formulas: bool = False, alive: bool = False, **values: object
) -> str:
    """A page from a template file of the report; all ``values`` are escaped.

    With ``formulas`` the style sheet includes their font; an ``alive`` page has a script.
    """
    css, script = page_css(formulas, alive), page_script() if alive else ""
    css += (PAGE / "overview.css").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAGE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    policy = page_policy(css, script)
    page = environment.get_template(name).render(css=css, script=script, policy=policy, **values)
    check_page(page, css, script)
    return page


@cache
def page_script() -> str:
    """The script of every interactive page, joined from its parts."""
    return "\n".join((LIVE / f"{part}.js").read_text(encoding="utf-8") for part in PARTS)


@cache
def page_css(formulas: bool, alive: bool = False) -> str:
    """The style sheet, with the mathematics font if the page has ``formulas``.

    For an ``alive`` page it also has rules for interactive parts.
    """
    sheets = ["style.css"] + ["live.css"] * alive
    css = "".join((PAGE / sheet).read_text(encoding="utf-8") for sheet in sheets)
    if not formulas:
        return css
    return (
        f'{css}@font-face{{font-family:"STIX Two Math";font-display:block;'
        f"src:url(data:font/woff2;base64,{b64encode(FONT.read_bytes()).decode()})format('woff2')}}"
        'math{font-family:"STIX Two Math",math}'
    )


def page_policy(css: str, script: str = "") -> str:
    """What a browser may load: images and fonts in the page, and nothing over the network.

    Style attributes are allowed: `last_look` checks that they contain no address and no position.
    The style sheet, and the script of an interactive page, are allowed by their hashes.
    """

    def hashed(text: str) -> str:
        return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"

    return (
        "default-src 'none'; img-src data:; font-src data:; "
        f"style-src-elem {hashed(css)}; style-src-attr 'unsafe-inline'; "
        f"{f'script-src {hashed(script)}; ' if script else ''}base-uri 'none'; form-action 'none'"
    )
