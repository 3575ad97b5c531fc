"""A photograph of one handwritten digit, prepared as MNIST was and sent through the models."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import softmax

from ae_lab import plotting
from ae_lab.errors import LabError
from ae_lab.lab.display import png
from ae_lab.lab.handwriting.digit import find_digit, like_mnist
from ae_lab.lab.handwriting.photo import read_photo as read_photo

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Verdict:
    """One photo's way through the models.

    ``photo`` float (height, width), ``box`` the digit's slices in it, ``x`` and ``x_hat``
    (1, 28, 28, 1), ``z`` (1, ...), ``probabilities`` (classes,) or None without a classifier.
    """

    photo: np.ndarray
    box: tuple[slice, slice]
    x: np.ndarray
    z: np.ndarray
    x_hat: np.ndarray
    probabilities: np.ndarray | None

    @property
    def sentence(self) -> str:
        """The classifier's verdict in words."""
        if self.probabilities is None:
            return "No classifier was at hand to read it."
        ranked = np.argsort(-self.probabilities)[:3]
        shares = ", ".join(f"{label} with {self.probabilities[label]:.1%}" for label in ranked)
        return f"The classifier reads {ranked[0]}: {shares}."


def judge(
    photo: np.ndarray, model: "keras.Model", classifier: "keras.Model | None" = None
) -> Verdict:
    """Prepare a photo's digit as MNIST was, and send it through the models.

    Parameters
    ----------
    photo : grey image (height, width) in [0, 1], from `read_photo`; a LabError if no digit is
        found in it.
    model : an autoencoder, trained or from ``models.load_model``.
    classifier : gives logits (n, classes) for images; or None.
    """
    from ae_lab import evaluation  # imports Keras, which this module must not

    x = like_mnist(photo)
    z = evaluation.encode(model, x)
    probabilities = None
    if classifier:
        probabilities = softmax(classifier.predict_on_batch(x)[0].astype(np.float64))
    return Verdict(photo, find_digit(photo).box, x, z, evaluation.decode(model, z), probabilities)


def draw_verdict(verdict: Verdict):
    """A figure: the photo, what the model saw, the code, the reconstruction, the ``verdict``."""
    grey = {"cmap": "gray", "vmin": 0, "vmax": 1}
    size = verdict.z.size
    (square,) = plotting.code_pictures(verdict.z.reshape(1, -1), tall=1, fill=np.nan)
    pictures = [
        ("input", verdict.photo, grey),
        ("what the model saw", verdict.x[0, ..., 0], grey),
        (f"code, {size} numbers", square, {"cmap": "viridis"}),
        ("reconstruction", verdict.x_hat[0, ..., 0], grey),
    ]
    reads = verdict.probabilities is not None
    fig, axes = plotting.figure(1, len(pictures) + reads, height=2.4)
    for ax, (title, image, colours) in zip(axes, pictures, strict=not reads):
        ax.imshow(image, **colours)
        ax.set(title=title, xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    rows, columns = verdict.box
    width, height = columns.stop - columns.start, rows.stop - rows.start
    frame = {"fill": False, "color": plotting.COLOURS[1], "lw": 1.5}
    corner = columns.start, rows.start
    axes[0].add_patch(plotting.plt.Rectangle(corner, width, height, **frame))
    if reads:
        _draw_probabilities(axes[-1], verdict.probabilities)
    for ax in axes:
        ax.title.set_fontsize(9)
    return fig


def save_verdict(verdict: Verdict, path: str | Path) -> None:
    """Write the figure of ``verdict`` as a PNG to ``path``; a LabError if that cannot be."""
    picture = png(draw_verdict(verdict), dpi=150)
    try:
        Path(path).write_bytes(picture)
    except OSError as error:
        raise LabError(f"{path} cannot be written: {error.strerror}: name another.") from None


def _draw_probabilities(ax, probabilities):
    ax.barh(range(len(probabilities)), probabilities, color=plotting.COLOURS[0])
    ax.set(title=f"read as {probabilities.argmax()}", xlim=(0, 1), xlabel="probability")
    ax.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    ax.set_yticks(range(len(probabilities)))
    ax.tick_params(labelsize=8)
    ax.invert_yaxis()
