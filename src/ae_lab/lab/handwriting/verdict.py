"""What an autoencoder and the classifier make of a photographed digit, and its picture."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ae_lab import plotting
from ae_lab.errors import LabError
from ae_lab.lab.display import png
from ae_lab.lab.handwriting.digit import find_digit, like_mnist
from ae_lab.lab.handwriting.photo import read_photo

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


def reconstruct_photo(
    path: str | Path, model: "keras.Model", classifier: "keras.Model | None" = None
) -> Verdict:
    """Read a photo, prepare its digit as MNIST was, and send it through the models.

    Parameters
    ----------
    path : a PNG, JPEG or WebP file.
    model : an autoencoder, trained or from ``models.load_model``.
    classifier : gives logits (n, classes) for images; or None.

    Raises
    ------
    LabError
        If the file is no image that can be read, or no digit is found in it.
    """
    return judge(read_photo(path), model, classifier)


def judge(
    photo: np.ndarray, model: "keras.Model", classifier: "keras.Model | None" = None
) -> Verdict:
    """As ``reconstruct_photo``, for a photo that was read already.

    Parameters
    ----------
    photo : grey image (height, width) in [0, 1], from ``read_photo``.
    model, classifier : as in ``reconstruct_photo``.
    """
    from ae_lab import evaluation  # imports Keras, which this module must not

    x = like_mnist(photo)
    z = evaluation.encode(model, x)
    probabilities = _softmax(classifier.predict_on_batch(x)[0]) if classifier else None
    return Verdict(photo, find_digit(photo).box, x, z, evaluation.decode(model, z), probabilities)


def draw_verdict(verdict: Verdict):
    """A figure: the photo, what the model saw, the code, the reconstruction, the verdict."""
    columns = 4 + (verdict.probabilities is not None)
    fig, axes = plotting.figure(1, columns, height=2.4)
    _draw_photo(axes[0], verdict)
    _draw_image(axes[1], verdict.x, "what the model saw")
    _draw_code(axes[2], verdict.z[0])
    _draw_image(axes[3], verdict.x_hat, "reconstruction")
    if verdict.probabilities is not None:
        _draw_probabilities(axes[4], verdict.probabilities)
    for ax in axes[:4]:
        ax.spines[:].set_visible(False)
    for ax in axes:
        ax.title.set_fontsize(9)
    return fig


def save_verdict(verdict: Verdict, path: str | Path) -> None:
    """Write the figure of ``draw_verdict`` as a PNG.

    Parameters
    ----------
    verdict : from ``judge``.
    path : of the file to write.

    Raises
    ------
    LabError
        If the file cannot be written.
    """
    picture = png(draw_verdict(verdict), dpi=150)
    try:
        Path(path).write_bytes(picture)
    except OSError as error:
        raise LabError(f"{path} cannot be written: {error.strerror}: name another.") from None


def _draw_photo(ax, verdict):
    rows, columns = verdict.box
    ax.imshow(verdict.photo, cmap="gray", vmin=0, vmax=1)
    size = columns.stop - columns.start, rows.stop - rows.start
    ax.add_patch(
        plotting.plt.Rectangle(
            (columns.start, rows.start), *size, fill=False, color=plotting.COLOURS[1], lw=1.5
        )
    )
    ax.set(title="input", xticks=[], yticks=[])


def _draw_image(ax, x, title):
    ax.imshow(x[0, ..., 0], cmap="gray", vmin=0, vmax=1)
    ax.set(title=title, xticks=[], yticks=[])


def _draw_code(ax, z):
    """The code's numbers as squares, in rows as near to a square as they go."""
    z = z.reshape(-1)
    columns = int(np.ceil(np.sqrt(z.size)))
    squares = np.full(columns * -(-z.size // columns), np.nan)
    squares[: z.size] = z
    ax.imshow(squares.reshape(-1, columns), cmap="viridis")
    ax.set(title=f"code, {z.size} numbers", xticks=[], yticks=[])


def _draw_probabilities(ax, probabilities):
    ax.barh(range(len(probabilities)), probabilities, color=plotting.COLOURS[0])
    ax.set(title=f"read as {probabilities.argmax()}", xlim=(0, 1), xlabel="probability")
    ax.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    ax.set_yticks(range(len(probabilities)))
    ax.tick_params(labelsize=8)
    ax.invert_yaxis()


def _softmax(logits: np.ndarray) -> np.ndarray:
    odds = np.exp(np.asarray(logits, np.float64) - np.max(logits))
    return odds / odds.sum()
