"""A model as a diagram: one row per layer, whose width shows the output size.

The parts that distinguish the kind of autoencoder are coloured. The diagram is drawn from the
model itself, so it shows what was built. It is an SVG, 400 units wide, for light and dark pages.
"""

import math
from html import escape
from typing import NamedTuple

import keras

WIDTH, ROW, BAR, MIDDLE, TEXT = 400, 34, 18, 84, 182  # units of the drawing
LEFT_OUT = {"InputLayer", "Activation", "Flatten"}  # layers that are not shown
PLAIN = {"Dense", "Dropout", "Reshape", "code"}  # layers that do not distinguish a kind
STYLE = (
    "text{font:13px sans-serif;fill:#1f2429}.s{fill:#545d66}.b{fill:#9aa7b4}.o{fill:#d55e00}"
    "@media(prefers-color-scheme:dark){text{fill:#dee2e5}.s{fill:#9ca6ae}.b{fill:#5f6b76}"
    ".o{fill:#ff9d5c}}"
)


class Row(NamedTuple):
    """One layer: its part ("corruption", "encoder", ...), its name and its output shape."""

    part: str
    name: str
    shape: tuple[int, ...]

    @property
    def in_words(self) -> str:
        """For example "Dense, 32"."""
        return f"{self.name}, {'×'.join(map(str, self.shape))}"


def rows_of(model: keras.Model) -> list[Row]:
    """The layers of an autoencoder from input to output, except those in LEFT_OUT.

    Parameters
    ----------
    model : an autoencoder of `models`.
    """
    rows = [Row("input", "image", tuple(model.input.shape[1:]))]
    for part in model.layers[1:]:
        for layer in getattr(part, "layers", [part]):
            output = layer.output[0] if isinstance(layer.output, list | tuple) else layer.output
            name = type(layer).__name__
            if name == "Identity":
                name = "code"
            if name not in LEFT_OUT:
                rows.append(Row(part.name, name, tuple(output.shape[1:])))
    return rows


def own_rows(rows: list[Row]) -> list[Row]:
    """The rows that distinguish the kind: special layers, else hidden layers, else the code.

    Parameters
    ----------
    rows : result of `rows_of`.
    """
    inner = [row for row in rows if row.part != "input"]
    special = [row for row in inner if row.name not in PLAIN]
    hidden = []
    for part in ("encoder", "decoder"):
        dense = [row for row in inner if row.part == part and row.name == "Dense"]
        hidden += dense[:-1]  # the last one outputs the code or the pixels
    return special or hidden or [row for row in inner if row.name == "code"]


def draw(model: keras.Model) -> tuple[str, str]:
    """The diagram as SVG, and an alternative text.

    Parameters
    ----------
    model : an autoencoder of `models`.
    """
    rows = rows_of(model)
    own = own_rows(rows)
    widest = max(math.log2(1 + math.prod(row.shape)) for row in rows)
    height = ROW * len(rows) + 8
    parts = []
    for index, row in enumerate(rows):
        width = max(6, 2 * (MIDDLE - 4) * math.log2(1 + math.prod(row.shape)) / widest)
        top = 6 + ROW * index
        css = "o" if row in own else "b"
        parts.append(
            f'<rect class="{css}" x="{MIDDLE - width / 2:.1f}" y="{top}" width="{width:.1f}" '
            f'height="{BAR}" rx="3"/>'
            f'<text x="{TEXT}" y="{top + 14}">{escape(row.name)} '
            f'<tspan class="s">{"×".join(map(str, row.shape))}</tspan></text>'
        )
        if index:
            parts.append(f'<path class="s" d="M{MIDDLE - 4} {top - 9}h8l-4 6z"/>')
    picture = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}"><style>{STYLE}</style>{"".join(parts)}</svg>'
    )
    own_words = ", ".join(dict.fromkeys(row.in_words for row in own))
    alt = (
        f"The network from top to bottom: {'; '.join(row.in_words for row in rows)}. "
        f"In colour: the parts that distinguish this kind: {own_words}."
    )
    return picture, alt
