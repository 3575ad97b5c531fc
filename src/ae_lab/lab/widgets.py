"""Sliders that redraw a figure, and the still figure that stands for them in a report.

Each function shows its still figure first. Outside a report run sliders follow, if ipywidgets
is installed; it is imported only then.
"""

from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np

from ae_lab import evaluation, plotting
from ae_lab.lab.display import png
from ae_lab.lab.logbook import Lab
from ae_lab.validation import check_images

STEPS = 9  # columns of a still figure
STILL_AMOUNTS = (0.2, 0.4, 0.8)  # of noise
DOTS_PER_INCH = 80


def code_sliders(lab: Lab, model: keras.Model, x: np.ndarray, *, numbers: int = 6) -> None:
    """Change single numbers of a code and see the decoded digit follow.

    Parameters
    ----------
    lab : from ``start_lab``.
    model : an autoencoder with a flat code.
    x : images (n, height, width, channels) in [0, 1], enough of them to know the range of each
        number; the first ten can be chosen to start from.
    numbers : how many of the code's numbers to change: those that vary most over ``x``.
    """
    z = evaluation.encode(model, check_images(x))
    moved = np.argsort(-z.std(axis=0), kind="stable")[:numbers]
    low, high = z.min(axis=0), z.max(axis=0)
    names = [f"number {j + 1}" for j in moved]

    def along(j):
        codes = np.repeat(z[:1], STEPS, axis=0)
        codes[:, j] = np.linspace(low[j], high[j], STEPS)
        return evaluation.decode(model, codes)

    def draw(image, *values):
        changed = z[image : image + 1].copy()
        changed[0, moved] = values
        return _rows({"image": x[[image]], "decoded": evaluation.decode(model, changed)})

    def make_sliders(widgets):
        start = widgets.IntSlider(0, 0, min(10, len(x)) - 1, description="image")
        sliders = [
            _float_slider(widgets, name, float(z[0, j]), float(low[j]), float(high[j]))
            for name, j in zip(names, moved, strict=True)
        ]

        def begin_again(change):
            for slider, j in zip(sliders, moved, strict=True):
                slider.value = float(z[change["new"], j])

        start.observe(begin_again, "value")
        return [start, *sliders]

    alt = (
        f"One decoded digit in {len(moved)} rows; along each row one number of its code goes from "
        "its least to its greatest value, and the digit changes with it."
    )
    still = {name: along(j) for name, j in zip(names, moved, strict=True)}
    _present(lab, _rows(still), alt, draw, make_sliders)


def size_slider(lab: Lab, models: Mapping[int, keras.Model], x: np.ndarray) -> None:
    """Choose the size of the code and see the reconstructions.

    Parameters
    ----------
    lab : from ``start_lab``.
    models : size of the code to autoencoder.
    x : the images (n, height, width, channels) to show, in [0, 1], a dozen at most.
    """
    x_hat = {size: evaluation.reconstruct(model, check_images(x)) for size, model in models.items()}
    rows = {"original": x} | {f"{size} numbers": images for size, images in x_hat.items()}
    alt = (
        f"{len(x)} digits, and below them their reconstructions through codes of "
        f"{', '.join(map(str, x_hat))} numbers, one row for each size."
    )

    def draw(size):
        return _rows({"original": x, f"{size} numbers": x_hat[size]})

    def make_sliders(widgets):
        return [widgets.SelectionSlider(options=list(x_hat), description="code size")]

    _present(lab, _rows(rows), alt, draw, make_sliders)


def noise_slider(
    lab: Lab,
    models: Mapping[str, keras.Model],
    x: np.ndarray,
    corrupt: Callable[[np.ndarray, float], np.ndarray],
) -> None:
    """Choose the strength of the noise and see what each network makes of it.

    Parameters
    ----------
    lab : from ``start_lab``.
    models : name to autoencoder.
    x : the clean images (n, height, width, channels) to show, in [0, 1], a dozen at most.
    corrupt : called as ``corrupt(x, amount)`` with an amount from 0 to 1, returns images.
    """
    x = check_images(x)

    def rows(amount):
        corrupted = corrupt(x, amount)
        cleaned = {name: evaluation.reconstruct(model, corrupted) for name, model in models.items()}
        return {f"noise {amount:g}": corrupted} | cleaned

    def draw(amount):
        return _rows({"clean": x} | rows(amount))

    def make_sliders(widgets):
        return [_float_slider(widgets, "noise", 0.4, 0, 1)]

    still = [row for amount in STILL_AMOUNTS for row in rows(amount).items()]
    alt = (
        f"{len(x)} digits with noise of strength {', '.join(map(str, STILL_AMOUNTS))}, and below "
        f"each row the outputs of {', then of '.join(models)}."
    )
    _present(lab, _rows(still), alt, draw, make_sliders)


def interpolation_slider(
    lab: Lab, model: keras.Model, x: np.ndarray, *, start: int = 4, end: int = 0
) -> None:
    """Go from the code of one image to that of another in a straight line.

    Parameters
    ----------
    lab : from ``start_lab``.
    model : an autoencoder with a flat code.
    x : images (n, height, width, channels) in [0, 1] to choose both ends from, for example one of
        each class.
    start, end : rows of ``x`` that the still figure goes between; the last if there are fewer.
    """
    z = evaluation.encode(model, check_images(x))
    last = len(x) - 1
    start, end = min(start, last), min(end, last)

    def between(start, end, share):
        share = np.asarray(share, "float32").reshape(-1, 1)
        return evaluation.decode(model, (1 - share) * z[start] + share * z[end])

    def draw(start, end, share):
        ends = np.stack([x[start], between(start, end, share)[0], x[end]])
        return _rows({"from, between, to": ends})

    def make_sliders(widgets):
        return [
            widgets.IntSlider(start, 0, last, description="from"),
            widgets.IntSlider(end, 0, last, description="to"),
            _float_slider(widgets, "way", 0.5, 0, 1),
        ]

    still = _rows({"decoded": between(start, end, np.linspace(0, 1, STEPS))})
    alt = (
        f"{STEPS} decoded digits on the straight way between the codes of two test images, the "
        "first and the last as they are decoded themselves."
    )
    _present(lab, still, alt, draw, make_sliders)


def _present(lab: Lab, still, alt: str, draw: Callable, make_sliders: Callable) -> None:
    """Show the still figure; outside a report also sliders, which redraw it with ``draw``."""
    lab.show(still, alt=alt)
    if lab.settings.record_folder is not None:
        return
    try:
        import ipywidgets
    except ModuleNotFoundError:
        print("Sliders need the package ipywidgets, which is not installed: the figure stays.")
        return
    from IPython.display import display

    sliders, picture = make_sliders(ipywidgets), ipywidgets.Image(format="png")

    def redraw(_=None):
        picture.value = png(draw(*(slider.value for slider in sliders)), dpi=DOTS_PER_INCH)

    for slider in sliders:
        slider.observe(redraw, "value")
    redraw()
    display(ipywidgets.VBox([*sliders, picture]))


def _float_slider(widgets, name: str, value: float, low: float, high: float):
    step = (high - low) / 50 or 1
    return widgets.FloatSlider(value, min=low, max=high, step=step, description=name)


def _rows(rows: Mapping[str, np.ndarray] | Sequence[tuple[str, np.ndarray]]):
    """A figure with one row of images for each label."""
    rows = list(rows.items()) if isinstance(rows, Mapping) else rows
    fig, axes = plotting.figure(len(rows), 1, height=0.8 * len(rows) + 0.2, squeeze=False)
    for ax, (label, images) in zip(axes[:, 0], rows, strict=True):
        plotting.image_row(ax, images, label)
    return fig
