"""A dot for each seed on a line, drawn into the page as SVG."""

from html import escape

WIDTH, HEIGHT, EDGE = 100, 18, 6  # pixels
MIDDLE = HEIGHT / 2


def strip_of_dots(summary: dict, published: float | None) -> str:
    """Dots at the seeds' values, a bar for the mean's interval, a tick at the published value.

    Parameters
    ----------
    summary : ``values`` by seed and ``low``, ``high`` of the interval, None from one seed.
    published : a figure in print, or None.
    """
    values, interval = summary["values"], (summary["low"], summary["high"])
    shown = [*values.values(), *interval, published]
    place = _scale([value for value in shown if value is not None])
    parts = [f'<line class="axis" x1="0" x2="{WIDTH}" y1="{MIDDLE:g}" y2="{MIDDLE:g}"/>']
    if None not in interval:
        low, high = map(place, interval)
        parts.append(
            f'<rect x="{low:.1f}" y="{MIDDLE - 3:g}" width="{max(high - low, 1):.1f}" height="6"/>'
        )
    if published is not None:
        x = f"{place(published):.1f}"
        parts.append(f'<line class="published" x1="{x}" x2="{x}" y1="1" y2="{HEIGHT - 1}"/>')
    parts += [f'<circle cx="{place(v):.1f}" cy="{MIDDLE:g}" r="2.5"/>' for v in values.values()]
    return (
        f'<svg class="dots" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'role="img" aria-label="{escape(in_words(values, published))}">{"".join(parts)}</svg>'
    )


def in_words(values: dict[int, float], published: float | None) -> str:
    """What the picture shows, for who cannot see it."""
    dots = ", ".join(f"seed {seed}: {value:.5g}" for seed, value in values.items())
    return dots + (f"; published: {published:.5g}" if published is not None else "")


def _scale(values: list[float]):
    low, high = min(values), max(values)
    if low == high:
        return lambda value: WIDTH / 2
    return lambda value: EDGE + (value - low) / (high - low) * (WIDTH - 2 * EDGE)
