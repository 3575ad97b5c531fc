"""TeX to MathML when the page is built, so that no page needs a script or a network."""

import re
from base64 import b64encode
from functools import cache
from pathlib import Path

from math_core import LatexError, LatexToMathML

FONT = Path(__file__).parents[1] / "fonts" / "STIXTwoMath-subset.woff2"

_convert = LatexToMathML(fancy_error=False)


class FormulaError(ValueError):
    """A formula that has no rendering; says which and why."""


def formula(tex: str, display: bool) -> str:
    """MathML for one formula; a FormulaError if the TeX cannot be rendered."""
    try:
        mathml = _convert.convert_with_local_state(tex, displaystyle=display)
    except LatexError as error:
        reason = re.sub(r"^\d+: |\s+", " ", str(error)).strip()
        raise FormulaError(f"the formula “{tex.strip()}” cannot be rendered: {reason}") from None
    if not display:
        return mathml
    # A wide formula scrolls in its own box, which a keyboard must be able to reach.
    return f'<span class="formula" role="group" aria-label="formula" tabindex="0">{mathml}</span>'


@cache
def font_css() -> str:
    """The embedded font, for pages that have formulas."""
    data = b64encode(FONT.read_bytes()).decode()
    return (
        '@font-face{font-family:"STIX Two Math";font-display:block;'
        f"src:url(data:font/woff2;base64,{data})format('woff2')}}"
        'math{font-family:"STIX Two Math",math}'
    )
