"""How well images come back."""

import numpy as np

from ae_lab.errors import LabError
from ae_lab.validation import check_images

BATCH = 1_000  # rows


def reconstruct(model, x) -> np.ndarray:
    """``x_hat`` of an autoencoder, same shape as the images ``x``; nothing is corrupted.

    Of a variational one, the image decoded from ``z_mean``: the same at every call.
    """
    if len(model.get_layer("encoder").outputs) == 1:
        return predict(model, check_images(x))
    return decode(model, encode(model, x))


def encode(model, x) -> np.ndarray:
    """The codes z (n, latent_dim) that an autoencoder gives to the images ``x``.

    Of a variational one, ``z_mean``.
    """
    return predict(model.get_layer("encoder"), check_images(x))


def decode(model, z) -> np.ndarray:
    """The images (n, height, width, channels) that an autoencoder's decoder makes of codes z."""
    return predict(model.get_layer("decoder"), z)


def predict(model, x) -> np.ndarray:
    """The output of a model to the rows ``x``, the first one if there are several.

    Batch by batch: ``model.predict`` holds inputs and outputs twice, and sleeps when it is done for
    up to as long as it took (see `training.fast`).
    """
    found = None
    for start in range(0, len(x), BATCH):
        part = slice(start, start + BATCH)
        output = model.predict_on_batch(x[part])
        output = output[0] if isinstance(output, list) else output
        if found is None:
            found = np.empty((len(x), *output.shape[1:]), output.dtype)
        found[part] = output
    return found


def bce_per_pixel(x, x_hat) -> float:
    """Binary cross-entropy in nats a pixel, the mean over pixels and images."""

    def bce(x, x_hat):
        x_hat = np.clip(x_hat, 1e-7, 1 - 1e-7)
        return -np.mean(x * np.log(x_hat) + (1 - x) * np.log1p(-x_hat), axis=1)

    return _mean_over_images(bce, x, x_hat)


def bce_floor(x) -> float:
    """``bce_per_pixel`` of a perfect reconstruction: the entropy of grey pixels, not 0."""
    return bce_per_pixel(x, x)


def sse_per_image(x, x_hat) -> float:
    """Squared error summed over pixels, mean over images: Hinton & Salakhutdinov's unit."""
    return _mean_over_images(lambda x, x_hat: np.sum((x - x_hat) ** 2, axis=1), x, x_hat)


def share_lost(x, x_hat) -> float:
    """Squared error as a share of each image's own variation about its mean, mean over images.

    0 for a copy, 1 for an even grey of the right brightness.

    Raises
    ------
    LabError
        If an image has no variation, or the shapes differ.
    """

    def share(x, x_hat):
        variation = np.sum((x - x.mean(axis=1, keepdims=True)) ** 2, axis=1)
        if not variation.all():
            raise LabError(
                "x must vary within each image, received one that is the same all over: "
                "leave it out."
            )
        return np.sum((x - x_hat) ** 2, axis=1) / variation

    return _mean_over_images(share, x, x_hat)


def psnr(x, x_hat) -> float:
    """Peak signal-to-noise ratio in dB, ``-10 log10(mean squared error)``, mean over images.

    The peak is 1, the range of a pixel. An image without any error counts as 100 dB.
    """

    def decibels(x, x_hat):
        error = np.mean((x - x_hat) ** 2, axis=1)
        return -10 * np.log10(np.maximum(error, 1e-10))

    return _mean_over_images(decibels, x, x_hat)


def argmax_accuracy(x, x_hat) -> float:
    """What Keras's ``metrics=["accuracy"]`` reports for flat images.

    The share of images whose brightest pixel is in the same place: not a measure of anything
    wanted.
    """
    return _mean_over_images(lambda x, x_hat: x.argmax(axis=1) == x_hat.argmax(axis=1), x, x_hat)


def binary_accuracy(x, x_hat) -> float:
    """The share of pixels that equal the rounded reconstruction; a grey pixel never can."""
    return _mean_over_images(lambda x, x_hat: np.mean(x == (x_hat > 0.5), axis=1), x, x_hat)


def dead_units(z) -> np.ndarray:
    """True for each unit of the ReLU codes ``z`` (n, latent_dim) that no image switches on."""
    return np.asarray(z).max(axis=0) <= 0


def _mean_over_images(measure, x, x_hat) -> float:
    """Mean of what ``measure`` says of each image, from flat rows in double precision.

    A few at a time: ten thousand images in double precision, several times over, are most of
    what a notebook would ever need.
    """
    x, x_hat = np.asarray(x), np.asarray(x_hat)
    if x.shape != x_hat.shape:
        raise LabError(
            f"x and x_hat must have the same shape, received {x.shape} and {x_hat.shape}: "
            "reshape one of them."
        )
    parts = (slice(start, start + BATCH) for start in range(0, len(x), BATCH))
    return float(np.mean(np.concatenate([measure(_rows(x[p]), _rows(x_hat[p])) for p in parts])))


def _rows(images) -> np.ndarray:
    return images.reshape(len(images), -1).astype(np.float64)
