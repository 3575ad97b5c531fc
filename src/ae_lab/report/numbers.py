"""Numbers and units in the format of the pages."""

import re

MINUS = re.compile(r"(?<![\w.)\]-])-(?=\d)")  # a sign, not a range
NEGATIVE_ZERO = re.compile(r"\u2212(?=0(\.0+)?(?![.,]?\d))")  # a small number, rounded


def number(value: float | None, unit: str = "", digits: int = 2) -> str:
    """A number as text: 13.87, 1,024, −0.67; "" for None.

    Shares and per cent have ``digits`` decimals, other numbers two more significant digits.
    """
    if value is None:
        return ""
    if unit.startswith(("share", "%")):
        text = f"{value * (100 if unit.startswith('share') else 1):z.{digits}f}\u00a0%"
    elif abs(value) >= 1000 or float(value).is_integer():
        text = f"{value:z,.0f}"
    else:
        text = f"{value:.{digits + 2}g}"
    return text.replace("-", "\u2212")


def unit_in_words(unit: str) -> str:
    """For example "nats per pixel", or "of test images" after a number in per cent."""
    return re.sub(r"^(share|%) ?", "", unit).replace("/", " per ")


def as_people_write(text: str) -> str:
    """Replace "-" by minus signs, "−0" by "0", "95%" by "95 %", "nats/pixel" by words."""
    text = re.sub(r"\b(nats|error)/(?=pixel|image)", r"\1 per ", text)
    return re.sub(r"(?<=\d) ?%", "\u00a0%", NEGATIVE_ZERO.sub("", MINUS.sub("\u2212", text)))
