"""How well images come back."""

import numpy as np

from ae_lab.checks import check_images
from ae_lab.errors import LabError

BATCH = 1_000


def reconstruct(model, x) -> np.ndarray:
    """``x_hat`` of an autoencoder, same shape as the images ``x``; nothing is corrupted.

    Of a variational one, the image decoded from ``z_mean``: the same at every call.
    """
    if len(model.get_layer("encoder").outputs) == 1:
        return model.predict(check_images(x), batch_size=BATCH, verbose=0)
    return model.get_layer("decoder").predict(encode(model, x), batch_size=BATCH, verbose=0)


def encode(model, x) -> np.ndarray:
    """The codes z (n, latent_dim) that an autoencoder gives to the images ``x``.

    Of a variational one, ``z_mean``.
    """
    codes = model.get_layer("encoder").predict(check_images(x), batch_size=BATCH, verbose=0)
    return codes[0] if isinstance(codes, list) else codes


def bce_per_pixel(x, x_hat) -> float:
    """Binary cross-entropy in nats a pixel, the mean over pixels and images."""
    x, x_hat = _pair(x, x_hat)
    x_hat = np.clip(x_hat, 1e-7, 1 - 1e-7)
    return float(-np.mean(x * np.log(x_hat) + (1 - x) * np.log1p(-x_hat)))


def bce_floor(x) -> float:
    """``bce_per_pixel`` of a perfect reconstruction: the entropy of grey pixels, not 0."""
    return bce_per_pixel(x, x)


def sse_per_image(x, x_hat) -> float:
    """Squared error summed over pixels, mean over images: Hinton & Salakhutdinov's unit."""
    x, x_hat = _pair(x, x_hat)
    return float(np.mean(np.sum((x - x_hat) ** 2, axis=tuple(range(1, x.ndim)))))


def share_lost(x, x_hat) -> float:
    """Squared error as a share of each image's own variation about its mean, mean over images.

    0 for a copy, 1 for an even grey of the right brightness.

    Raises
    ------
    LabError
        If an image has no variation, or the shapes differ.
    """
    x, x_hat = (a.reshape(len(a), -1) for a in _pair(x, x_hat))
    variation = np.sum((x - x.mean(axis=1, keepdims=True)) ** 2, axis=1)
    if not variation.all():
        raise LabError(
            "x must vary within each image, received one that is the same all over: leave it out."
        )
    return float(np.mean(np.sum((x - x_hat) ** 2, axis=1) / variation))


def psnr(x, x_hat) -> float:
    """Peak signal-to-noise ratio in dB, ``-10 log10(mean squared error)``, mean over images.

    The peak is 1, the range of a pixel. An image without any error counts as 100 dB.
    """
    x, x_hat = _pair(x, x_hat)
    error = np.mean((x - x_hat) ** 2, axis=tuple(range(1, x.ndim)))
    return float(np.mean(-10 * np.log10(np.maximum(error, 1e-10))))


def argmax_accuracy(x, x_hat) -> float:
    """What Keras's ``metrics=["accuracy"]`` reports for flat images.

    The share of images whose brightest pixel is in the same place: not a measure of anything
    wanted.
    """
    x, x_hat = (a.reshape(len(a), -1) for a in _pair(x, x_hat))
    return float(np.mean(x.argmax(axis=1) == x_hat.argmax(axis=1)))


def binary_accuracy(x, x_hat) -> float:
    """The share of pixels that equal the rounded reconstruction; a grey pixel never can."""
    x, x_hat = _pair(x, x_hat)
    return float(np.mean(x == (x_hat > 0.5)))


def dead_units(z) -> np.ndarray:
    """True for each unit of the ReLU codes ``z`` (n, latent_dim) that no image switches on."""
    return np.asarray(z).max(axis=0) <= 0


def _pair(x, x_hat):
    x, x_hat = np.asarray(x, np.float64), np.asarray(x_hat, np.float64)
    if x.shape != x_hat.shape:
        raise LabError(
            f"x and x_hat must have the same shape, received {x.shape} and {x_hat.shape}: "
            "reshape one of them."
        )
    return x, x_hat
