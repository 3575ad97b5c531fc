"""Colours set by a notebook, made readable on light and dark pages."""

import re

from PIL import ImageColor

INK = (0, 0, 0)
PAPER = (255, 255, 255)
KEPT = {  # style property → its values that a page keeps
    "text-align": re.compile(r"left|right|center|start|end|justify"),
    "font-weight": re.compile(r"bold|bolder|normal|[1-9]00"),
    "font-style": re.compile(r"italic|normal"),
    "text-decoration": re.compile(r"underline|line-through|none"),
    "display": re.compile(r"none"),
}
ENOUGH = 4.6  # WCAG requires a contrast of 4.5


def safe_style(declarations: str) -> str:
    """The declarations of a style that a page keeps, with readable colours; "" if none."""
    found = {}
    for declaration in declarations.split(";"):
        name, _, value = declaration.partition(":")
        found[name.strip().lower()] = value.replace("!important", "").strip().lower()
    kept = [f"{name}:{found[name]}" for name in KEPT if KEPT[name].fullmatch(found.get(name, ""))]
    background = found.get("background-color") or found.get("background", "")
    colours = readable(found.get("color", ""), background)
    return ";".join([*kept, colours] if colours else kept)


def readable(ink: str, background: str) -> str:
    """A style with a readable pair of text colour and background, "" if neither is a colour.

    On a given ``background``, the text becomes black or white. Without one, the text colour
    ``ink`` is darkened until it is readable on white.
    """
    if (ground := _rgb(background)) is not None:
        text = INK if _contrast(INK, ground) >= _contrast(PAPER, ground) else PAPER
        return f"background:{_hex(ground)};color:{_hex(text)}"
    if (text := _rgb(ink)) is None:
        return ""
    while _contrast(text, PAPER) < ENOUGH:
        text = tuple(int(part * 0.9) for part in text)
    return f"background:{_hex(PAPER)};color:{_hex(text)}"


def _rgb(colour: str) -> tuple[int, ...] | None:
    try:
        *rgb, alpha = ImageColor.getcolor(colour, "RGBA")
    except ValueError:
        return None
    return tuple(round(part * alpha / 255 + 255 - alpha) for part in rgb) if alpha else None


def _hex(rgb: tuple[int, ...]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*rgb)


def _contrast(first: tuple[int, ...], second: tuple[int, ...]) -> float:
    """Contrast of two colours, from 1 to 21 (WCAG 2.2, relative luminance)."""

    def light(rgb: tuple[int, ...]) -> float:
        parts = [part / 255 for part in rgb]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((light(first), light(second)))
    return (high + 0.05) / (low + 0.05)
