"""Interactive sections of a page, if their models exist: draw a digit, train a network."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from ae_lab.data import Dataset
from ae_lab.errors import LabError
from ae_lab.packing import base64
from ae_lab.report.live.weights import Layer, read_layers
from ae_lab.report.render.sanitise import anchor_of
from ae_lab.report.render.template import render_template

SIDE, PIXELS, CLASSES = 28, 784, 10
DENSE, CNN = "undercomplete", "classifier"  # names of the two models saved by notebooks
LARGEST_CODE = 64  # numbers; each has a slider
DOUBTFUL = 99  # percentile of the test errors; a drawing above it does not count as a digit
TRAINED_ON, ACROSS = 300, 20  # number of images of the network trained on the page; per row
COMPUTE = {"relu": lambda x: np.maximum(x, 0), "linear": lambda x: x}
COMPUTE["sigmoid"] = lambda x: 1 / (1 + np.exp(-x))


class Section(NamedTuple):
    """A section as ``html``, with the ``anchor`` and the ``title`` of its heading."""

    anchor: str
    title: str
    html: str


def live_sections(
    models: Path, notebooks: Sequence[str], load: Callable[[], Dataset]
) -> dict[str, list[Section]]:
    """Notebook → sections of its page; "" → sections of the index.

    ``models`` is the folder of the models that the ``notebooks`` saved. ``load`` returns the
    images, and is called only if there is a model for them. If a model is missing, or if a page
    cannot compute it, the section says so.
    """
    dense, no_dense = _layers(models, notebooks, DENSE)
    cnn, no_cnn = _layers(models, notebooks, CNN)
    images, no_images = _digits(load) if dense else (None, no_dense)
    values = {"missing": no_images}
    if images:
        values = _draw_values(dense, cnn, images) | {"missing": no_cnn}
    sections = {"": [_section("draw", "Draw a digit", **values)]}
    for name in notebooks:
        saved = {path.stem for path in (models / name).glob("*.keras")}
        if saved & {DENSE, CNN}:
            sections[name] = list(sections[""])
        if DENSE in saved and images:
            sections[name].append(_section("train", "Train it here", **_train_values(images)))
    return sections


def _section(kind: str, title: str, **values: object) -> Section:
    anchor = anchor_of(title)
    values = {"data": None, "missing": ""} | values
    html = render_template("live.html.j2", kind=kind, title=title, anchor=anchor, **values)
    return Section(anchor, title, html)


def _layers(models: Path, notebooks: Sequence[str], name: str) -> tuple[list[Layer], str]:
    """The layers of a saved model, or an empty list and the reason."""
    paths = [models / notebook / f"{name}.keras" for notebook in notebooks]
    path = next((path for path in paths if path.is_file()), None)
    if not path:
        return [], f"no notebook of this report saved a model {name}.keras"
    try:
        layers = read_layers(path)
        ends = layers[0].kernel.shape[-2] * max(layers[0].side, 1) ** 2, len(layers[-1].bias)
        code = [len(layer.bias) for layer in layers if layer.part == "encoder"]
        known = {layer.activation for layer in layers} <= COMPUTE.keys()
        wanted = (PIXELS, PIXELS) if name == DENSE else (PIXELS, CLASSES)
        if ends != wanted or not known or (name == DENSE and not 0 < code[-1] <= LARGEST_CODE):
            return [], f"{name}.keras does not take 28x28 grey images, or its code is too large"
    except LabError as error:
        return [], str(error).split(":")[0]
    return layers, ""


def _digits(load: Callable[[], Dataset]) -> tuple[Dataset | None, str]:
    """The images, or None and the reason."""
    try:
        images = load()
    except LabError as error:
        return None, str(error)
    is_mnist = images.source.startswith("MNIST")
    return (images, "") if is_mnist else (None, "the images of this report are not digits")


def _draw_values(dense: list[Layer], cnn: list[Layer], images: Dataset) -> dict:
    """Values of the template for drawing."""
    encoder = [layer for layer in dense if layer.part == "encoder"]
    decoder = [layer for layer in dense if layer.part == "decoder"]
    x = images.test_images.reshape(-1, PIXELS) / 255
    code = _through(encoder, x)
    x_hat = _through(decoder, code)
    error = np.sum((x - x_hat) ** 2, axis=1)
    limit = np.percentile(error, DOUBTFUL)
    pca = _pca(images.train_images, code.shape[1])
    each = [_typical(error, images.y_test == label) for label in range(CLASSES)]
    linear = _through(pca["decoder"], _through(pca["encoder"], x[each]))
    rows = np.concatenate([x[each], x_hat[each], linear])
    data = {
        "dense": {"encoder": _packed(encoder), "decoder": _packed(decoder)},
        "pca": {part: _packed(layers) for part, layers in pca.items()},
        "cnn": _packed(cnn) or None,
        "limit": round(float(limit), 2),
        "tops": [round(float(top), 3) for top in code.max(axis=0)],
    }
    return {"data": data, "picture": mosaic(rows, CLASSES), "numbers": code.shape[1]}


def _typical(error: np.ndarray, chosen: np.ndarray) -> int:
    """The index of the chosen image with the median error."""
    ranked = np.argsort(np.where(chosen, error, np.inf), kind="stable")
    return int(ranked[max(chosen.sum() - 1, 0) // 2])


def _train_values(images: Dataset) -> dict:
    x = images.train_images[:TRAINED_ON].reshape(-1, PIXELS) / 255
    data = {"count": len(x)}
    return {"data": data, "picture": mosaic(x, ACROSS), "source": images.source.split(":")[0]}


def _packed(layers: list[Layer]) -> list[dict]:
    return [layer.packed() for layer in layers]


def _through(layers: list[Layer], x: np.ndarray) -> np.ndarray:
    """The output of dense layers for ``x`` (n, inputs)."""
    for layer in layers:
        x = COMPUTE[layer.activation](x @ layer.kernel + layer.bias)
    return x


def _pca(images: np.ndarray, components: int) -> dict[str, list[Layer]]:
    """The first principal components of uint8 images, as two linear layers."""
    total, products = 0, 0
    for start in range(0, len(images), 5_000):  # all at once would need much memory
        rows = images[start : start + 5_000].reshape(-1, PIXELS).astype(np.float64)
        total, products = total + rows.sum(axis=0), products + rows.T @ rows  # exact: whole numbers
    mean = total / len(images) / 255
    covariance = products / len(images) / 255**2 - np.outer(mean, mean)
    basis = np.linalg.eigh(covariance)[1][:, ::-1][:, :components]
    basis *= np.sign(basis[np.abs(basis).argmax(axis=0), range(components)])  # fixes the sign
    return {
        "encoder": [Layer("encoder", basis, -mean @ basis, "linear")],
        "decoder": [Layer("decoder", basis.T, mean, "linear")],
    }


def mosaic(x: np.ndarray, across: int) -> dict:
    """PNG of images (n, 784) in [0, 1], ``across`` per row: its address, width and height."""
    tiles = x.reshape(-1, across, SIDE, SIDE).swapaxes(1, 2).reshape(-1, across * SIDE)
    packed = io.BytesIO()
    levels = np.round(255 * np.clip(tiles, 0, 1)).astype(np.uint8)
    Image.fromarray(levels).save(packed, format="png", optimize=True)
    height, width = tiles.shape
    address = f"data:image/png;base64,{base64(packed.getvalue())}"
    return {"address": address, "width": width, "height": height}
