"""Sliders under a student's hand, and the figure at rest that stands for them in a report.

Each function shows its figure at rest first. Outside a report run sliders follow, if ipywidgets
is installed; it is imported only then.
"""

import io

import numpy as np

from ae_lab import plotting
from ae_lab.validation import check_images

STEPS = 9  # columns of a figure at rest
AT_REST = (0.2, 0.4, 0.8)  # amounts of noise
DOTS_PER_INCH = 80


def code(lab, model, x, *, numbers=6):
    """Move single numbers of a code and see the decoded digit follow.

    Parameters
    ----------
    lab : from ``start_lab``.
    model : an autoencoder with a flat code.
    x : images (n, height, width, channels), enough of them to know the range of each number;
        the first ten can be chosen to start from.
    numbers : how many of the code's numbers to move: those that vary most over ``x``.
    """
    z = _encode(model, check_images(x))
    moved = np.argsort(-z.std(axis=0), kind="stable")[:numbers]
    low, high = z.min(axis=0), z.max(axis=0)

    def at_rest():
        fig, axes = plotting.figure(len(moved), 1, height=0.75 * len(moved), squeeze=False)
        for ax, j in zip(axes[:, 0], moved, strict=True):
            walk = np.repeat(z[:1], STEPS, axis=0)
            walk[:, j] = np.linspace(low[j], high[j], STEPS)
            plotting.image_row(ax, _decode(model, walk), f"number {j + 1}")
        return fig

    def draw(image, *values):
        changed = z[image : image + 1].copy()
        changed[0, moved] = values
        return _rows({"image": x[image : image + 1], "decoded": _decode(model, changed)})

    def sliders(widgets):
        start = widgets.IntSlider(0, 0, min(10, len(x)) - 1, description="image")
        knobs = [
            widgets.FloatSlider(
                float(z[0, j]),
                min=float(low[j]),
                max=float(high[j]),
                step=float(high[j] - low[j]) / 50 or 1,
                description=f"number {j + 1}",
            )
            for j in moved
        ]

        def begin_again(change):
            for knob, j in zip(knobs, moved, strict=True):
                knob.value = float(z[change["new"], j])

        start.observe(begin_again, "value")
        return [start, *knobs]

    alt = (
        f"One decoded digit in {len(moved)} rows; along each row one number of its code goes from "
        "its least to its greatest value, and the digit changes with it."
    )
    _present(lab, at_rest(), alt, draw, sliders)


def sizes(lab, models, x):
    """Choose the size of the code and see what comes back.

    Parameters
    ----------
    models : dict {size: autoencoder}.
    x : the images to show, a dozen at most.
    """
    x = check_images(x)
    by_size = {size: _reconstruct(model, x) for size, model in models.items()}

    def draw(size):
        return _rows({"original": x, f"{size} numbers": by_size[size]})

    def sliders(widgets):
        return [widgets.SelectionSlider(options=list(by_size), description="code size")]

    at_rest = {"original": x} | {f"{size} numbers": x_hat for size, x_hat in by_size.items()}
    alt = (
        f"{len(x)} digits, and below them their reconstructions through codes of "
        f"{', '.join(map(str, by_size))} numbers, one row for each size."
    )
    _present(lab, _rows(at_rest), alt, draw, sliders)


def noise(lab, models, x, spoil):
    """Choose the strength of the noise and see what each network makes of it.

    Parameters
    ----------
    models : dict {name: autoencoder}.
    x : the clean images to show, a dozen at most.
    spoil : called as ``spoil(x, amount)`` with an amount from 0 to 1.
    """
    x = check_images(x)

    def rows(amount):
        spoiled = spoil(x, amount)
        cleaned = {name: _reconstruct(model, spoiled) for name, model in models.items()}
        return {f"noise {amount:g}": spoiled} | cleaned

    def draw(amount):
        return _rows({"clean": x} | rows(amount))

    def sliders(widgets):
        return [widgets.FloatSlider(0.4, min=0, max=1, step=0.05, description="noise")]

    at_rest = [pair for amount in AT_REST for pair in rows(amount).items()]
    alt = (
        f"{len(x)} digits with noise of strength {', '.join(map(str, AT_REST))}, and below each "
        f"row what it becomes: {', then '.join(models)}."
    )
    _present(lab, _rows(at_rest), alt, draw, sliders)


def walk(lab, model, x, *, start=4, end=0):
    """Go from the code of one image to that of another in a straight line.

    Parameters
    ----------
    model : an autoencoder with a flat code.
    x : images to choose both ends from, for example one of each class.
    start, end : rows of ``x`` that the figure at rest goes between; the last if there are fewer.
    """
    z = _encode(model, check_images(x))
    last = len(x) - 1
    start, end = min(start, last), min(end, last)

    def between(start, end, share):
        share = np.asarray(share, "float32").reshape(-1, 1)
        return _decode(model, (1 - share) * z[start] + share * z[end])

    def draw(start, end, share):
        ends = np.stack([x[start], between(start, end, share)[0], x[end]])
        return _rows({"from, between, to": ends})

    def sliders(widgets):
        return [
            widgets.IntSlider(start, 0, last, description="from"),
            widgets.IntSlider(end, 0, last, description="to"),
            widgets.FloatSlider(0.5, min=0, max=1, step=0.02, description="way"),
        ]

    at_rest = _rows({"decoded": between(start, end, np.linspace(0, 1, STEPS))})
    alt = (
        f"{STEPS} decoded digits on the straight way between the codes of two test images, the "
        "first and the last as they are decoded themselves."
    )
    _present(lab, at_rest, alt, draw, sliders)


def _present(lab, at_rest, alt, draw, make_sliders):
    """Show the figure at rest; by hand also sliders, which redraw it with ``draw(*values)``."""
    lab.show(at_rest, alt=alt)
    if lab.settings.record_folder is not None:
        return
    try:
        import ipywidgets
    except ModuleNotFoundError:
        print("Sliders need the package ipywidgets, which is not installed: the figure stands.")
        return
    from IPython.display import display

    display(_panel(ipywidgets, draw, make_sliders(ipywidgets)))


def _panel(ipywidgets, draw, sliders):
    picture = ipywidgets.Image(format="png")

    def redraw(_=None):
        picture.value = _png(draw(*(slider.value for slider in sliders)))

    for slider in sliders:
        slider.observe(redraw, "value")
    redraw()
    return ipywidgets.VBox([*sliders, picture])


def _rows(rows):
    """A figure with one row of images for each label."""
    rows = list(rows.items()) if isinstance(rows, dict) else rows
    fig, axes = plotting.figure(len(rows), 1, height=0.8 * len(rows) + 0.2, squeeze=False)
    for ax, (label, images) in zip(axes[:, 0], rows, strict=True):
        plotting.image_row(ax, images, label)
    return fig


def _png(fig) -> bytes:
    from matplotlib import pyplot

    drawn = io.BytesIO()
    fig.savefig(drawn, format="png", dpi=DOTS_PER_INCH, facecolor="white")
    pyplot.close(fig)
    return drawn.getvalue()


def _encode(model, x):
    from ae_lab import evaluation  # imports Keras, which this module must not

    return evaluation.encode(model, x)


def _reconstruct(model, x):
    from ae_lab import evaluation

    return evaluation.reconstruct(model, x)


def _decode(model, z):
    from ae_lab import evaluation

    return evaluation.decode(model, z)
