"""Prepare a photo of handwritten digits like MNIST, and apply the models to it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import softmax

from ae_lab import plotting
from ae_lab.errors import LabError
from ae_lab.lab.display import png
from ae_lab.lab.handwriting.digit import Found, find_digits, prepare
from ae_lab.lab.handwriting.digit import like_mnist as like_mnist
from ae_lab.lab.handwriting.photo import read_photo as read_photo

if TYPE_CHECKING:
    import keras

UNSURE = 0.5  # with a lower probability the result is marked as unsure
USUAL = 0.99  # share of the test images whose error counts as usual


@dataclass(frozen=True)
class Verdict:
    """The results for the n digits of one photo.

    Parameters
    ----------
    photo : float (height, width).
    found : result of `find_digits` for the photo.
    x, x_hat : the prepared digits and their reconstructions, (n, 28, 28, 1) each.
    z : their codes, (n, ...).
    probabilities : (n, classes), from the classifier; None without one.
    errors : squared errors of the reconstructions, (n,).
    usual_error : 99 % of the test images have a smaller squared error; None without test images.
    """

    photo: np.ndarray
    found: Found
    x: np.ndarray
    z: np.ndarray
    x_hat: np.ndarray
    probabilities: np.ndarray | None
    errors: np.ndarray
    usual_error: float | None

    @property
    def sentence(self) -> str:
        """The results in words: classes, probabilities, and drawings that look unlike digits."""
        said = ["No classifier was given."]
        if self.probabilities is not None:
            said = [f"The classifier reads {''.join(map(str, self.probabilities.argmax(1)))}:"]
            for p in self.probabilities:
                ranked = np.argsort(-p)[:3]
                shares = ", ".join(f"{label} with {p[label]:.1%}" for label in ranked)
                said.append(shares + (" (unsure)." if p.max() < UNSURE else "."))
        if self.usual_error is not None:
            for i in np.flatnonzero(self.errors > self.usual_error):
                which = "This" if len(self.x) == 1 else f"Drawing {i + 1}"
                said.append(
                    f"{which} does not look like a digit: the squared error of its reconstruction "
                    f"is {self.errors[i]:.1f}; 99 % of the test images have an error below "
                    f"{self.usual_error:.1f}."
                )
        if n := self.found.left_out:
            more = "another drawing" if n == 1 else f"{n} other drawings"
            said.append(f"Left out: {more} of about the same size.")
        return " ".join(said)


def judge(
    photo: np.ndarray,
    model: "keras.Model",
    classifier: "keras.Model | None" = None,
    test_images: np.ndarray | None = None,
) -> Verdict:
    """Prepare the digits of a photo like MNIST, and apply the models to them.

    Parameters
    ----------
    photo : grey image (height, width) in [0, 1], from `read_photo`; a LabError if no digit is
        found in it.
    model : an autoencoder, trained or from ``models.load_model``.
    classifier : model from images to logits (n, classes), or None.
    test_images : float (n, 28, 28, 1), from which the usual error is computed; or None.
    """
    from ae_lab import evaluation  # imports Keras, which this module must not

    found = find_digits(photo)
    x = prepare(found)
    z = evaluation.encode(model, x)
    x_hat = evaluation.decode(model, z)
    probabilities = usual = None
    if classifier:
        probabilities = softmax(classifier.predict_on_batch(x).astype(np.float64), axis=-1)
    if test_images is not None:
        rest = test_images - evaluation.reconstruct(model, test_images)
        usual = float(np.quantile(np.sum(rest**2, axis=(1, 2, 3)), USUAL))
    errors = np.sum((x - x_hat) ** 2, axis=(1, 2, 3))
    return Verdict(photo, found, x, z, x_hat, probabilities, errors, usual)


def draw_verdict(verdict: Verdict):
    """A figure with one row per digit: each step from the photo to the ``verdict``."""
    found, n = verdict.found, len(verdict.x)
    grey = {"cmap": "gray", "vmin": 0, "vmax": 1}
    reads = verdict.probabilities is not None
    size = verdict.z[0].size
    codes = plotting.code_pictures(verdict.z.reshape(n, -1), tall=1, fill=np.nan)
    fig, axes = plotting.figure(n, 6 + reads, height=2.4 * n)
    for i, row in enumerate(np.reshape(axes, (n, -1))):
        box = found.boxes[i]
        strokes = (found.ink * (found.labels == i + 1))[box]
        pictures = [
            ("photo", verdict.photo, grey),
            ("ink, without lines", found.ink, grey),
            ("its strokes", strokes, grey),
            ("as in MNIST", verdict.x[i, ..., 0], grey),
            (f"code, {size} numbers", codes[i], {"cmap": "viridis"}),
            ("reconstruction", verdict.x_hat[i, ..., 0], grey),
        ]
        for ax, (title, image, colours) in zip(row, pictures, strict=not reads):
            ax.imshow(image, **colours)
            ax.set(title=title, xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        rows, columns = box
        width, height = columns.stop - columns.start, rows.stop - rows.start
        frame = {"fill": False, "color": plotting.COLOURS[1], "lw": 1.5}
        for ax in row[:2]:
            corner = columns.start, rows.start
            ax.add_patch(plotting.plt.Rectangle(corner, width, height, **frame))
        if reads:
            _draw_probabilities(row[-1], verdict.probabilities[i])
        for ax in row:
            ax.title.set_fontsize(9)
    return fig


def save_verdict(verdict: Verdict, path: str | Path) -> None:
    """Write the figure of ``verdict`` as a PNG to ``path``; a LabError if that fails."""
    picture = png(draw_verdict(verdict), dpi=150)
    try:
        Path(path).write_bytes(picture)
    except OSError as error:
        raise LabError(f"{path} cannot be written ({error.strerror}): name another file.") from None


def _draw_probabilities(ax, probabilities):
    ax.barh(range(len(probabilities)), probabilities, color=plotting.COLOURS[0])
    ax.set(title=f"read as {probabilities.argmax()}", xlim=(0, 1), xlabel="probability")
    ax.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    ax.set_yticks(range(len(probabilities)))
    ax.tick_params(labelsize=8)
    ax.invert_yaxis()
