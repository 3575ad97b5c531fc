"""Numbers and units as people write them."""

import re

MINUS = re.compile(r"(?<![\w.)\]-])-(?=\d)")  # of a number, not between two


def number(value: float | None, unit: str = "", digits: int = 2) -> str:
    """A number as people write it: 13.87, 1,024, −0.67; a share or per cent to ``digits`` decimals.

    "" for None.
    """
    if value is None:
        return ""
    if unit.startswith(("share", "%")):
        text = f"{value * (100 if unit.startswith('share') else 1):.{digits}f}\u00a0%"
    elif abs(value) >= 1000 or float(value).is_integer():
        text = f"{value:,.0f}"
    else:
        text = f"{value:.4g}"
    return text.replace("-", "\u2212")


def unit_in_words(unit: str) -> str:
    """For example "nats per pixel", or "of test images" beside a number in per cent."""
    return re.sub(r"^(share|%) ?", "", unit).replace("/", " per ")


def as_people_write(text: str) -> str:
    """A sentence with true minus signs, "95 %" for "95%", and "nats per pixel" for "nats/pixel"."""
    text = re.sub(r"\b(nats|error)/(?=pixel|image)", r"\1 per ", text)
    return re.sub(r"(?<=\d) ?%", "\u00a0%", MINUS.sub("\u2212", text))
