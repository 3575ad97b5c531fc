"""From images to codes and back, and measures of the reconstruction.

The code is the decoder's input. Measures take images ``x`` (n, ...) and reconstructions ``x_hat``
of the same shape, with pixels in [0, 1], and return a mean over the images.
"""

from collections.abc import Callable

import keras
import numpy as np

from ae_lab.errors import LabError
from ae_lab.quiet import retracing_held_back
from ae_lab.validation import check_images, check_same_shape, check_whole

BATCH = 1_000  # rows


def encode(model: keras.Model, x: np.ndarray) -> np.ndarray:
    """The codes z (n, ...) of the images ``x``: the input of the autoencoder's decoder.

    They are outputs of the bottleneck at inference; nothing is corrupted. For a variational
    ``model``, z is ``z_mean``, which is the same at every call.
    """
    x = check_images(x)
    return predict(code_model(model), x, compiled=False)  # the k of a bottleneck may have changed


def posterior(model: keras.Model, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """z_mean and z_log_var of q(z | x), each (n, latent_dim), of a variational ``model``."""
    encoder = model.get_layer("encoder")
    if len(encoder.outputs) != 2:
        raise LabError(
            f"posterior needs a variational model, whose encoder returns z_mean and z_log_var, "
            f"received {model.name!r}: use encode for its code."
        )
    x = check_images(x)
    with retracing_held_back():
        parts = [encoder.predict_on_batch(x[i : i + BATCH]) for i in range(0, len(x), BATCH)]
    z_mean, z_log_var = (np.concatenate(part) for part in zip(*parts, strict=True))
    return z_mean, z_log_var


def decode(model: keras.Model, z: np.ndarray) -> np.ndarray:
    """The images (n, height, width, channels) that the decoder of ``model`` computes from codes.

    ``z`` are codes (n, ...) as returned by ``encode``, or flattened to (n, numbers).
    """
    decoder = model.get_layer("decoder")
    return predict(decoder, np.reshape(z, (len(z), *decoder.input_shape[1:])))


def reconstruct(model: keras.Model, x: np.ndarray) -> np.ndarray:
    """The reconstructions ``x_hat`` (n, height, width, channels) of ``x`` by ``model``."""
    return decode(model, encode(model, x))


def repeated(model: keras.Model, x: np.ndarray, times: int) -> list[np.ndarray]:
    """``[x, r(x), r(r(x)), ...]``: ``model`` applied ``times`` times to its own output."""
    steps = [check_images(x)]
    for _ in range(check_whole(times, "times")):
        steps.append(reconstruct(model, steps[-1]))
    return steps


def code_model(model: keras.Model) -> keras.Model:
    """The part of the autoencoder ``model`` from an image to its code (see ``encode``)."""
    encoder = model.get_layer("encoder")
    if len(encoder.outputs) == 2:  # variational: the code is the mean, not a sample
        return keras.Model(encoder.input, encoder.outputs[0])
    return keras.Model(model.input, model.get_layer("bottleneck").output)


def predict(model: keras.Model, x: np.ndarray, compiled: bool = True) -> np.ndarray:
    """The output (n, ...) for the rows ``x`` of any ``model`` with one input and one output.

    It is computed batch by batch. ``model.predict`` would hold inputs and outputs twice in memory,
    and it may take twice as long, because it can block at its end. If ``compiled``, the model runs
    as a compiled program.
    """
    found = np.empty((len(x), *model.output_shape[1:]), "float32")
    with retracing_held_back():
        for start in range(0, len(x), BATCH):
            some = x[start : start + BATCH]
            output = model.predict_on_batch(some) if compiled else model(some, training=False)
            found[start : start + BATCH] = keras.ops.convert_to_numpy(output)
    return found


def bce_per_pixel(x: np.ndarray, x_hat: np.ndarray) -> float:
    """Binary cross-entropy of ``x_hat`` against ``x`` in nats per pixel."""

    def bce(x, x_hat):
        x_hat = np.clip(x_hat, 1e-7, 1 - 1e-7)
        return -np.mean(x * np.log(x_hat) + (1 - x) * np.log1p(-x_hat), axis=1)

    return _mean_over_images(bce, x, x_hat)


def bce_floor(x: np.ndarray) -> float:
    """``bce_per_pixel`` of a perfect reconstruction of ``x``: the entropy of its grey pixels."""
    return bce_per_pixel(x, x)


def sse_per_image(x: np.ndarray, x_hat: np.ndarray) -> float:
    """Squared error of ``x_hat``, summed over the pixels of ``x`` (Hinton & Salakhutdinov)."""
    return _mean_over_images(lambda x, x_hat: np.sum((x - x_hat) ** 2, axis=1), x, x_hat)


def share_lost(x: np.ndarray, x_hat: np.ndarray) -> float:
    """Squared error of ``x_hat`` relative to the variation of each image ``x`` about its mean.

    0 for a copy, 1 for a uniform grey of the same mean brightness.
    """

    def share(x, x_hat):
        variation = np.sum((x - x.mean(axis=1, keepdims=True)) ** 2, axis=1)
        if not variation.all():
            raise LabError("x must vary within each image, received a uniform one: remove it.")
        return np.sum((x - x_hat) ** 2, axis=1) / variation

    return _mean_over_images(share, x, x_hat)


def psnr(x: np.ndarray, x_hat: np.ndarray) -> float:
    """Peak signal-to-noise ratio of ``x_hat`` against ``x`` in dB.

    The peak is 1, the range of a pixel. An image without error counts as 100 dB.
    """

    def decibels(x, x_hat):
        error = np.mean((x - x_hat) ** 2, axis=1)
        return 10 * np.log10(1 / np.maximum(error, 1e-10))

    return _mean_over_images(decibels, x, x_hat)


def argmax_accuracy(x: np.ndarray, x_hat: np.ndarray) -> float:
    """Share of images whose brightest pixel is at the same place in ``x`` and ``x_hat``.

    Keras's ``metrics=["accuracy"]`` reports this for flat images; it does not measure quality.
    """
    return _mean_over_images(lambda x, x_hat: x.argmax(axis=1) == x_hat.argmax(axis=1), x, x_hat)


def binary_accuracy(x: np.ndarray, x_hat: np.ndarray) -> float:
    """Share of pixels of ``x`` equal to ``x_hat`` rounded to 0 or 1; grey pixels never are."""
    return _mean_over_images(lambda x, x_hat: np.mean(x == (x_hat > 0.5), axis=1), x, x_hat)


def _mean_over_images(measure: Callable, x, x_hat) -> float:
    """Mean over the images of ``measure``, computed from flat rows in double precision.

    Computed batch by batch: all images in double precision would need too much memory.
    """
    x, x_hat = np.asarray(x), np.asarray(x_hat)
    check_same_shape(x.shape, x_hat.shape, "x", "x_hat")
    found = []
    for start in range(0, len(x), BATCH):
        some = (images[start : start + BATCH] for images in (x, x_hat))
        found.append(measure(*(rows.reshape(len(rows), -1).astype(np.float64) for rows in some)))
    return float(np.mean(np.concatenate(found)))
