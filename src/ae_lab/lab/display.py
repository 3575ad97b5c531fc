"""What a notebook shows: each thing as HTML and as plain text."""

import html
import io

DOTS_PER_INCH = 100  # of the page; figures are drawn at twice that to stay crisp


def show_metric(metric: dict, reference: str) -> None:
    """A figure with its unit, the published one, and what is to be said of it."""
    beside = ""
    if metric["published"] is not None:
        beside = f" (published: {metric['published']:g}, {metric['source']})"
    words = " ".join(filter(None, [metric["words"], reference]))
    show(
        f'<p class="record"><code>{html.escape(metric["name"])}</code> '
        f"<strong>{metric['value']:.4g}</strong> {html.escape(metric['unit'] + beside)}"
        + (f"<br><small>{html.escape(words)}</small>" if words else "")
        + "</p>",
        f"{metric['name']} = {metric['value']:.4g} {metric['unit']}{beside}"
        + (f"\n{words}" if words else ""),
    )


def show_claim(claim: dict) -> None:
    """A claim, its verdict and the evidence; the index links to its id."""
    what = "Claim of the handout" if claim["kind"] == "handout" else "Prediction"
    shown = {key: html.escape(claim[key]) for key in ("id", "sentence", "verdict", "evidence")}
    css = claim["verdict"].replace(" ", "-")
    show(
        f'<div class="claim {css}" id="claim-{shown["id"]}"><p>{what}: {shown["sentence"]}</p>'
        f"<p><strong>Verdict: {shown['verdict']}.</strong> {shown['evidence']}</p></div>",
        f"{what}: {claim['sentence']}\nVerdict: {claim['verdict']}. {claim['evidence']}",
    )


def show_table(columns, rows, caption: str) -> None:
    """Rows under named columns; the first cell of each is its header."""
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


def show_figure(fig, alt: str, besides: dict) -> None:
    """A Matplotlib figure with its text, and in what further forms {media type: data}."""
    picture, width, height = as_png(fig)
    show_raw(
        {"image/png": picture, "text/plain": f"[figure: {alt}]", **besides},
        {"image/png": {"width": width, "height": height, "alt": alt}},
    )


def as_png(fig) -> tuple[bytes, int, int]:
    """A picture with the width and height to show it at, in pixels.

    It is drawn at double density and cut to 256 colours, which halves a page and is not seen.
    """
    from matplotlib import pyplot
    from PIL import Image

    drawn = io.BytesIO()
    fig.savefig(drawn, format="png", dpi=2 * DOTS_PER_INCH, bbox_inches="tight", facecolor="white")
    pyplot.close(fig)  # or Jupyter would show it a second time, without its text
    image = Image.open(drawn).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    packed = io.BytesIO()
    image.save(packed, format="png", optimize=True)
    return packed.getvalue(), image.width // 2, image.height // 2


def show(markup: str, plain: str) -> None:
    """One thing in two forms."""
    show_raw({"text/html": markup, "text/plain": plain}, {})


def show_raw(bundle: dict, metadata: dict) -> None:
    """A bundle {media type: data}, a picture's bytes among them, with its metadata."""
    import base64

    from IPython.display import display

    if "image/png" in bundle:
        bundle = {**bundle, "image/png": base64.b64encode(bundle["image/png"]).decode()}
    display(bundle, raw=True, metadata=metadata)
