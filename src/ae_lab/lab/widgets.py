"""Sliders that redraw a figure, and the static figure that replaces them in a report.

Each function first shows a static figure. Outside a report run, sliders follow if ipywidgets is
installed; it is imported only then. In a report run, the images for all positions of a few sliders
are stored with the figure for the page. Images ``x`` are (n, height, width, channels) in [0, 1].
"""

import io
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from itertools import product

import keras
import numpy as np
from PIL import Image

from ae_lab import evaluation, plotting
from ae_lab.lab.display import png
from ae_lab.lab.logbook import Lab
from ae_lab.lab.records import POSITIONS
from ae_lab.validation import check_images

STEPS = 9  # columns of a static figure
STILL_AMOUNTS = (0.2, 0.4, 0.8)  # noise strengths
DOTS_PER_INCH = 80
PAGE_AMOUNTS = [step / 10 for step in range(11)]  # noise strengths on a page
GREYS, ACROSS = 16, 20  # grey levels of a page's images, enough for the eye; tiles per row

Rows = Sequence[tuple[str, np.ndarray]]  # label and images of each row of a figure
Page = Mapping[str, tuple[Sequence, int]]  # for each slider of a page: values, index of the first


def code_sliders(lab: Lab, model: keras.Model, x: np.ndarray, *, numbers: int = 6) -> None:
    """Sliders that change single numbers of a code and show the decoded digit.

    Parameters
    ----------
    lab : from ``start_lab``.
    model : an autoencoder with a flat code.
    x : images that determine the range of each number; one of the first ten is decoded.
    numbers : how many numbers of the code have sliders: those that vary most over ``x``.
    """
    z = evaluation.encode(model, check_images(x))
    moved = np.argsort(-z.std(axis=0), kind="stable")[:numbers]
    low, high = z.min(axis=0), z.max(axis=0)

    def along(j):
        codes = np.repeat(z[:1], STEPS, axis=0)
        codes[:, j] = np.linspace(low[j], high[j], STEPS)
        return evaluation.decode(model, codes)

    def draw(image, *values):
        changed = z[image : image + 1].copy()
        changed[0, moved] = values
        return [("image", x[[image]]), ("decoded", evaluation.decode(model, changed))]

    alt = (
        f"One decoded digit in {len(moved)} rows. Along each row, one number of its code goes from "
        "its smallest to its largest value, and the digit changes with it."
    )

    def all_of_page(positions):
        codes = np.stack([z[image] for image, _, _ in positions])
        for code, (_, number, step) in zip(codes, positions, strict=True):
            code[number - 1] = np.linspace(low[number - 1], high[number - 1], STEPS)[step - 1]
        decoded = evaluation.decode(model, codes)
        originals = [x[[image]] for image, _, _ in positions]
        return [
            [("image", original), ("decoded", decoded[[i]])] for i, original in enumerate(originals)
        ]

    page = {
        "image": (range(min(10, len(x))), 0),
        "number of the code": ([int(j) + 1 for j in moved], 0),
        "its value, smallest to largest": (range(1, STEPS + 1), STEPS // 2),
    }
    still = [(f"number {j + 1}", along(j)) for j in moved]
    sliders = {"image": (0, 0, min(10, len(x)) - 1)}
    sliders |= {f"number {j + 1}": (float(z[0, j]), float(low[j]), float(high[j])) for j in moved}
    _present(lab, still, alt, draw, sliders, page, all_of_page, lambda image: z[image, moved])


def size_slider(lab: Lab, models: Mapping[int, keras.Model], x: np.ndarray) -> None:
    """A slider for the size of the code that shows the reconstructions.

    Parameters
    ----------
    lab : from ``start_lab``.
    models : code size to autoencoder.
    x : images to show, at most a dozen.
    """
    x_hat = {size: evaluation.reconstruct(model, check_images(x)) for size, model in models.items()}
    still = [("original", x), *((f"{size} numbers", images) for size, images in x_hat.items())]
    alt = (
        f"{len(x)} digits, and below them their reconstructions through codes of "
        f"{', '.join(map(str, x_hat))} numbers, one row per size."
    )

    def draw(size):
        return [("original", x), (f"{size} numbers", x_hat[size])]

    page = {"code size": (list(x_hat), len(x_hat) // 2)}
    _present(lab, still, alt, draw, {"code size": list(x_hat)}, page)


def noise_slider(
    lab: Lab,
    models: Mapping[str, keras.Model],
    x: np.ndarray,
    corrupt: Callable[[np.ndarray, float], np.ndarray],
) -> None:
    """A slider for the noise strength that shows the output of each network.

    Parameters
    ----------
    lab : from ``start_lab``.
    models : name to autoencoder.
    x : clean images to show, at most a dozen.
    corrupt : function called as ``corrupt(x, amount)``, amount from 0 to 1; returns images.
    """
    x = check_images(x)

    def rows(amount):
        corrupted = corrupt(x, amount)
        cleaned = [(name, evaluation.reconstruct(m, corrupted)) for name, m in models.items()]
        return [(f"noise {amount:g}", corrupted), *cleaned]

    def draw(amount):
        return [("clean", x), *rows(amount)]

    alt = (
        f"{len(x)} digits with noise of strength {', '.join(map(str, STILL_AMOUNTS))}, and below "
        f"each row the outputs of {', then of '.join(models)}."
    )
    still = [row for amount in STILL_AMOUNTS for row in rows(amount)]

    page = {"noise": (PAGE_AMOUNTS, PAGE_AMOUNTS.index(0.4))}
    _present(lab, still, alt, draw, {"noise": (0.4, 0, 1)}, page)


def interpolation_slider(
    lab: Lab, model: keras.Model, x: np.ndarray, *, start: int = 4, end: int = 0
) -> None:
    """A slider along the straight line from the code of one image to that of another.

    Parameters
    ----------
    lab : from ``start_lab``.
    model : an autoencoder with a flat code.
    x : images from which both ends are chosen, for example one per class.
    start, end : indices in ``x`` of the ends in the static figure; the last for larger numbers.
    """
    z = evaluation.encode(model, check_images(x))
    last = len(x) - 1
    start, end = min(start, last), min(end, last)

    def between(start, end, share):
        share = np.asarray(share, "float32").reshape(-1, 1)
        return evaluation.decode(model, (1 - share) * z[start] + share * z[end])

    def draw(start, end, share):
        ends = np.stack([x[start], between(start, end, share)[0], x[end]])
        return [("start, between, end", ends)]

    alt = (
        f"{STEPS} decoded digits on the straight line between the codes of two test images; the "
        "first and the last are the reconstructions of these images."
    )
    still = [("decoded", between(start, end, np.linspace(0, 1, STEPS)))]
    sliders = {"start": (start, 0, last), "end": (end, 0, last), "position": (0.5, 0, 1)}

    def all_of_page(positions):
        start, end, share = (np.array(values) for values in zip(*positions, strict=True))
        decoded = between(start, end, share)
        ends = [(x[a], image, x[b]) for a, image, b in zip(start, decoded, end, strict=True)]
        return [[("start, between, end", np.stack(images))] for images in ends]

    shares = [step / (STEPS - 1) for step in range(STEPS)]
    page = {
        "start": (range(last + 1), start),
        "end": (range(last + 1), end),
        "position": (shares, STEPS // 2),
    }
    _present(lab, still, alt, draw, sliders, page, all_of_page)


def _present(
    lab: Lab,
    still: Rows,
    alt: str,
    draw: Callable,
    sliders: dict,
    page: Page,
    draw_all: Callable | None = None,
    start: Callable | None = None,
) -> None:
    """Show the static figure; outside a report, also show sliders.

    ``draw`` returns the rows of the figure for values of the sliders. ``sliders`` maps a name to
    (value, smallest, largest), or to a list of values. ``page`` are the sliders of a report's page.
    ``draw_all`` returns the rows for all their positions at once, if that is faster than to call
    ``draw`` for each. With ``start``, the first slider sets the others to the values that ``start``
    returns for its value.
    """

    def each(positions):
        return [draw(*position) for position in positions]

    if lab.settings.record_folder is not None:
        lab.show(_figure(still), alt=alt, besides={POSITIONS: _positions(page, draw_all or each)})
        return
    lab.show(_figure(still), alt=alt)
    try:
        import ipywidgets
    except ModuleNotFoundError:
        print("Sliders need the package ipywidgets, which is not installed.")
        return
    from IPython.display import display

    made = [_slider(ipywidgets, name, values) for name, values in sliders.items()]
    picture = ipywidgets.Image(format="png")

    def begin_again(change):
        for slider, value in zip(made[1:], start(change["new"]), strict=True):
            slider.value = float(value)

    def redraw(_=None):
        picture.value = png(_figure(draw(*(slider.value for slider in made))), dpi=DOTS_PER_INCH)

    if start:
        made[0].observe(begin_again, "value")
    for slider in made:
        slider.observe(redraw, "value")
    redraw()
    display(ipywidgets.VBox([*made, picture]))


def _positions(sliders: Page, draw_all: Callable) -> dict:
    """What a page shows at each position of its sliders, ready for JSON.

    ``sliders`` is a list of names, labels and first positions. ``views`` has the rows for each
    position, where the last slider changes fastest. A row is the index of its label in ``rows``,
    followed by the indices of its images. These are the square tiles, of ``side`` pixels, of the
    PNG ``picture`` (base64).
    """
    labels: dict[str, int] = {}
    tiles: dict[bytes, int] = {}  # equal images are one tile

    def tile(image):
        levels = np.round((GREYS - 1) * np.clip(image.mean(axis=-1), 0, 1)).astype(np.uint8)
        return tiles.setdefault(levels.tobytes(), len(tiles))

    drawn = draw_all(list(product(*(values for values, _ in sliders.values()))))
    views = [
        [[labels.setdefault(label, len(labels)), *map(tile, images)] for label, images in rows]
        for rows in drawn
    ]
    side = drawn[0][0][1].shape[1]
    across = min(ACROSS, len(tiles))
    whole = np.zeros((-(-len(tiles) // across) * across, side, side), np.uint8)
    whole[: len(tiles)] = np.frombuffer(b"".join(tiles), np.uint8).reshape(-1, side, side)
    whole = whole.reshape(-1, across, side, side).swapaxes(1, 2).reshape(-1, across * side)
    picture, packed = Image.fromarray(whole).convert("P"), io.BytesIO()
    picture.putpalette([255 * level // (GREYS - 1) for level in range(GREYS) for _ in "rgb"])
    picture.save(packed, format="png", bits=4, optimize=True)
    named = [
        {"name": name, "labels": [f"{value:g}" for value in values], "start": first}
        for name, (values, first) in sliders.items()
    ]
    return {
        "sliders": named,
        "views": views,
        "rows": list(labels),
        "side": side,
        "picture": b64encode(packed.getvalue()).decode(),
    }


def _slider(widgets, name: str, values: tuple | list):
    if isinstance(values, list):
        return widgets.SelectionSlider(options=values, description=name)
    value, low, high = values
    if isinstance(value, int):
        return widgets.IntSlider(value, low, high, description=name)
    step = (high - low) / 50 or 1
    return widgets.FloatSlider(value, min=low, max=high, step=step, description=name)


def _figure(rows: Rows):
    fig, axes = plotting.figure(len(rows), 1, height=0.8 * len(rows) + 0.2, squeeze=False)
    for ax, (label, images) in zip(axes[:, 0], rows, strict=True):
        plotting.image_row(ax, images, label)
    return fig
