"""Figures from arrays: each function draws on ``ax`` and returns it; nothing is shown or saved.

The colours of Okabe & Ito (2008) are distinguishable for colour-blind readers. Each series also
has a different marker, for prints in grey.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import patheffects, ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
GREY = "#555555"
STYLE = {
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
}
EQUAL_CONTRAST = 0.18  # luminance at which black and white text are equally legible (WCAG 2)
WIDTH = 7.6  # inches: the text width of the page


def figure(
    rows: int = 1, columns: int = 1, *, height: float = 3.4, **options: Any
) -> tuple[Figure, Any]:
    """``plt.subplots`` with the style and the text width of the pages; returns (figure, axes).

    Parameters
    ----------
    rows, columns : number of axes.
    height : height of the figure in inches.
    options : other arguments of ``plt.subplots``.
    """
    options = {"layout": "compressed"} | options  # keeps rows of images close together
    with plt.rc_context(STYLE):
        return plt.subplots(rows, columns, figsize=(WIDTH, height), **options)


def image_row(
    ax: Axes,
    images: np.ndarray,
    label: str = "",
    *,
    top: float = 1.0,
    captions: Sequence[str] | None = None,
) -> Axes:
    """Draw images side by side on ``ax``.

    Parameters
    ----------
    images : (n, height, width) or (n, height, width, 1).
    label : name of the row, written on its left.
    top : pixel value that is drawn white; 0 is black.
    captions : one text below each image, or None.
    """
    images = np.asarray(images)
    images = images.reshape(len(images), *images.shape[1:3])
    gap = max(1, images.shape[2] // 14)
    padded = np.pad(images, ((0, 0), (0, 0), (0, gap)), constant_values=np.nan)
    strip = np.concatenate(list(padded), axis=1)[:, :-gap]
    with plt.rc_context(STYLE):
        ax.imshow(strip, cmap="gray", vmin=0, vmax=top, interpolation="nearest")
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
        ax.set_ylabel(label, rotation=0, ha="right", va="center", labelpad=8)
    if captions is not None:
        step = images.shape[2] + gap
        ax.set_xticks([i * step + images.shape[2] / 2 - 0.5 for i in range(len(images))], captions)
        ax.tick_params(length=0, labelsize=9)
    return ax


def numerals(
    ax: Axes,
    places: np.ndarray,
    texts: Sequence,
    *,
    size: float = 15,
    colour: str = COLOURS[0],
    apart: float = 0.06,
) -> Axes:
    """Write short texts on ``ax``; overlapping texts are moved apart.

    Call this after the limits of the axes are final.

    Parameters
    ----------
    places : (n, 2), positions of the texts in data coordinates.
    texts : (n,), one for each position.
    size : font size in points.
    colour : colour of the letters, which have a white outline.
    apart : smallest distance between two texts, as a share of the width of the axes.
    """
    ax.autoscale_view()  # otherwise the limits are not yet those of the data
    to_axes = ax.transData - ax.transAxes
    at = to_axes.transform(np.asarray(places, float))  # (n, 2), shares of the axes
    at[:, 0] += 1e-6 * np.arange(len(at))  # gives equal positions a direction
    for _ in range(100):
        steps = at[:, None] - at  # (n, n, 2)
        lengths = np.linalg.norm(steps, axis=-1) + np.eye(len(at))
        missing = np.clip(apart - lengths, 0, None) / 2
        at += (steps / lengths[..., None] * missing[..., None]).sum(axis=1)
    rim = [patheffects.withStroke(linewidth=3, foreground="white")]
    for place, text in zip(at, texts, strict=True):
        look = dict(color=colour, size=size, weight="bold", ha="center", va="center")
        ax.text(*place, str(text), transform=ax.transAxes, path_effects=rim, **look)
    return ax


def code_pictures(codes: np.ndarray, *, tall: float = 2.0, fill: float = 0.0) -> np.ndarray:
    """Codes as small images (n, height, width) for ``image_row``.

    Parameters
    ----------
    codes : (n, numbers).
    tall : approximate ratio of an image's height to its width.
    fill : value of the unused pixels at the end of an image.
    """
    numbers = codes.shape[1]
    width = math.ceil(math.sqrt(numbers / tall))
    height = math.ceil(numbers / width)
    filled = np.pad(codes, ((0, 0), (0, width * height - numbers)), constant_values=fill)
    return filled.reshape(-1, height, width)


def curves(
    ax: Axes,
    x: Sequence[float],
    series: Mapping[str, Sequence[float]],
    *,
    xlabel: str,
    ylabel: str,
    references: Mapping[str, float] | None = None,
    markers: bool = True,
) -> Axes:
    """Draw lines over a common x axis on ``ax``, with a legend.

    Parameters
    ----------
    x : positions of the values, (n,).
    series : {label: values (n,)}, one line each.
    xlabel, ylabel : what the axes show, with the unit.
    references : {label: value}, one dashed horizontal line each, or None.
    markers : whether each value has a marker.
    """
    for i, (label, values) in enumerate(series.items()):
        marker = MARKERS[i % len(MARKERS)] if markers else None
        ax.plot(x, values, color=COLOURS[i % len(COLOURS)], marker=marker, label=label)
    for i, (label, value) in enumerate((references or {}).items()):
        ax.axhline(value, color=GREY, linestyle=("--", ":", "-.")[i % 3], lw=1.2, label=label)
    if np.array_equal(x, np.round(x)):  # such as epochs
        ax.xaxis.set_major_locator(ticker.MaxNLocator("auto", integer=True))
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.legend(frameon=False)
    return ax


def learning_curves(
    ax: Axes,
    history: Mapping[str, Sequence[float]],
    *,
    references: Mapping[str, float] | None = None,
    pixels: int = 784,
    ylabel: str = "nats per pixel",
) -> Axes:
    """Draw on ``ax`` the training loss and the validation loss by epoch.

    Parameters
    ----------
    history : the dict returned by ``training.fit``.
    references : {label: value}, one dashed horizontal line each, in the unit of ``ylabel``.
    pixels : number by which the losses per image are divided.
    ylabel : what is drawn, with the unit.
    """
    epochs = range(1, len(history["loss"]) + 1)
    series = {"training": history["loss"], "validation": history["val_loss"]}
    series = {name: np.divide(values, pixels) for name, values in series.items()}
    options = dict(xlabel="epoch", ylabel=ylabel, references=references)
    return curves(ax, epochs, series, markers=len(epochs) <= 50, **options)


def log_scale(ax: Axes, *sides: str) -> Axes:
    """Make the ``sides`` of ``ax`` ("x" or "y") logarithmic; label 1, 2, 5, 10, 20, ..."""
    for side in sides:
        getattr(ax, f"set_{side}scale")("log")
        axis = getattr(ax, f"{side}axis")
        axis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(ticker.StrMethodFormatter("{x:,g}"))
        axis.set_minor_locator(ticker.NullLocator())
    return ax


def intervals(
    ax: Axes,
    labels: Sequence[str],
    values: Sequence[float],
    lows: Sequence[float],
    highs: Sequence[float],
    *,
    xlabel: str,
    reference: float | None = None,
) -> Axes:
    """Draw one dot per label with its interval on ``ax``, top to bottom.

    Parameters
    ----------
    labels : (n,), names of the rows.
    values, lows, highs : (n,) each, the dots and the ends of their intervals.
    xlabel : what the values are, with the unit.
    reference : position of a dashed vertical line, or None.
    """
    y = np.arange(len(labels))[::-1]
    errors = np.array([np.subtract(values, lows), np.subtract(highs, values)])
    ax.errorbar(values, y, xerr=errors, fmt="o", color=COLOURS[0], capsize=3)
    ax.set_yticks(y, labels)
    ax.set(xlabel=xlabel, ylim=(-0.6, len(labels) - 0.4))
    if reference is not None:
        ax.axvline(reference, color=GREY, linestyle="--", lw=1.2)
    return ax


def number_table(
    ax: Axes,
    values: np.ndarray,
    row_labels: Sequence,
    column_labels: Sequence,
    *,
    form: str = "{:.3g}",
    xlabel: str = "",
    ylabel: str = "",
) -> Axes:
    """Draw a matrix on ``ax`` as shaded cells that contain their numbers.

    Parameters
    ----------
    values : (rows, columns); a cell with NaN stays empty.
    row_labels, column_labels : names of the rows and columns.
    form : format string of a number.
    xlabel, ylabel : what the columns and the rows are.
    """
    values = np.asarray(values, float)
    bounds = dict(vmin=np.nanmin(values), vmax=np.nanmax(values))
    cells = ax.imshow(values, cmap="Blues", aspect="auto", **bounds)
    for (i, j), value in np.ndenumerate(values):
        if np.isfinite(value):
            red, green, blue, _ = np.power(cells.to_rgba(value), 2.2)  # linear in light
            dark = 0.2126 * red + 0.7152 * green + 0.0722 * blue < EQUAL_CONTRAST
            colour = "white" if dark else "black"
            ax.text(j, i, form.format(value), ha="center", va="center", color=colour, size=9)
    ax.set_xticks(range(len(column_labels)), column_labels)
    ax.set_yticks(range(len(row_labels)), row_labels)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax
