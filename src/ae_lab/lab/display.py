"""Functions that show results in a notebook, each as HTML and as plain text."""

import html
import io
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ae_lab.lab.conditions import Condition
from ae_lab.lab.exercises import Outcome
from ae_lab.lab.records import Claim, Metric

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DOTS_PER_INCH = 100  # on the page; figures are drawn at twice this resolution to look sharp


def show_metric(metric: Metric, reference: str) -> None:
    """Show a ``metric`` with its unit, the published value and the comparison with baselines.

    ``reference`` is the comparison with the reference value; it may be empty.
    """
    value = f"{metric.value:.4g}"
    if value in (f"{bound:.4g}" for bound in (metric.goal or {}).values()):
        value = f"{metric.value:.6g}"  # to show on which side of the goal it is
    beside = ""
    if metric.published is not None:
        beside = f" (published: {metric.published:g}, {metric.source})"
    words = " ".join(filter(None, [metric.words, reference]))
    small = f"<br><small>{html.escape(words)}</small>" if words else ""
    show(
        f'<p class="record"><code>{html.escape(metric.name)}</code> '
        f"<strong>{value}</strong> {html.escape(metric.unit + beside)}{small}</p>",
        f"{metric.name} = {value} {metric.unit}{beside}" + (f"\n{words}" if words else ""),
    )


def show_claim(claim: Claim, conditions: Sequence[Condition] = ()) -> None:
    """Show a claim, its verdict and its conditions, at the anchor to which the index links.

    Without ``conditions``, the evidence of the ``claim`` is shown instead.
    """
    what = "Claim of the handout" if claim.kind == "handout" else "Prediction"
    css, said = claim.verdict.replace(" ", "-"), f" ({claim.written})" if claim.written else ""
    tests = "".join(
        f"<li>{'Control, ' * one.control}{html.escape(one.name)}: "
        f"<strong>{html.escape(one.measured)}</strong> (asked: {html.escape(one.asked)}, because "
        f"{html.escape(one.because)}): {'met' if one.met else 'not met'}</li>"
        for one in conditions
    )
    tests = f"<ul>{tests}</ul>" if tests else ""
    evidence = "" if tests else f" {html.escape(claim.evidence)}"
    show(
        f'<div class="claim {css}" id="{html.escape(claim.anchor)}">'
        f"<p>{what}: {html.escape(claim.sentence)}{html.escape(said)}</p>{tests}"
        f"<p><strong>Verdict: {claim.verdict}.</strong>{evidence}</p></div>",
        f"{what}: {claim.sentence}{said}\nVerdict: {claim.verdict}. {claim.evidence}",
    )


def show_answer(outcome: Outcome) -> None:
    """Show the ``outcome`` of an answer to an exercise."""
    css = {True: "right", False: "wrong", None: "open"}[outcome.right]
    show(f'<p class="answer {css}">{html.escape(outcome.words)}</p>', outcome.words)


def show_list(title: str, sentences: Sequence[str]) -> None:
    """Show ``sentences`` as a list under a ``title``."""
    items = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in sentences)
    show(
        f'<div class="summary"><p><strong>{html.escape(title)}</strong></p><ul>{items}</ul></div>',
        "\n- ".join([title, *sentences]),
    )


def show_code(source: str) -> None:
    """Show Python ``source`` with syntax highlighting in JupyterLab and on the page."""
    show_raw({"text/markdown": f"```python\n{source}\n```", "text/plain": source}, {})


def show_table(columns: Sequence[str], rows: Sequence[Sequence], caption: str) -> None:
    """Show ``rows`` of cells under ``columns`` and a ``caption``; first cells are row headers."""
    head = "".join(f'<th scope="col">{html.escape(str(c))}</th>' for c in columns)
    body = "".join(
        f'<tr><th scope="row">{html.escape(str(row[0]))}</th>'
        + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    markup = (
        f"<table><caption>{html.escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )
    plain = "\n".join("  ".join(str(cell) for cell in row) for row in [columns, *rows])
    show(markup, f"{caption}\n{plain}")


def show_figure(fig: "Figure", alt: str, besides: Mapping[str, Any]) -> None:
    """Show ``fig`` with the alternative text ``alt``; ``besides`` has other forms, {type: data}."""
    picture, width, height = as_png(fig)
    image = {"image/png": b64encode(picture).decode(), "text/plain": f"[figure: {alt}]"}
    show_raw({**image, **besides}, {"image/png": {"width": width, "height": height, "alt": alt}})


def as_png(fig: "Figure") -> tuple[bytes, int, int]:
    """A Matplotlib figure ``fig`` as PNG, with its width and height on the page in pixels."""
    from PIL import Image

    picture = png(fig, dpi=2 * DOTS_PER_INCH, bbox_inches="tight")
    width, height = Image.open(io.BytesIO(picture)).size
    return picture, width // 2, height // 2


def png(fig: "Figure", *, dpi: int, **options) -> bytes:
    """A Matplotlib figure as a PNG with 256 colours: half the size, no visible loss.

    Parameters
    ----------
    fig : the figure; it is closed.
    dpi : pixels per inch.
    options : other arguments of ``fig.savefig``.
    """
    from matplotlib import pyplot
    from PIL import Image

    drawn, packed = io.BytesIO(), io.BytesIO()
    fig.savefig(drawn, format="png", dpi=dpi, facecolor="white", **options)
    pyplot.close(fig)  # otherwise Jupyter shows it again, without the alternative text
    image = Image.open(drawn).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    image.save(packed, format="png", optimize=True)
    return packed.getvalue()


def show(markup: str, plain: str) -> None:
    """Show one result in two forms: HTML ``markup`` and ``plain`` text."""
    show_raw({"text/html": markup, "text/plain": plain}, {})


def show_raw(bundle: Mapping[str, Any], metadata: Mapping[str, Any]) -> None:
    """Show a ``bundle`` {media type: data} with its ``metadata``."""
    from IPython.display import display

    display(bundle, raw=True, metadata=metadata)
