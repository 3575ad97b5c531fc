"""What the check of an exercise measures on the object that was handed in.

Each takes the object and the notebook's images, and returns one number. ``exercises.toml`` calls
them by name.
"""

from typing import TYPE_CHECKING

import numpy as np

from ae_lab import evaluation
from ae_lab.data import Dataset, add_gaussian_noise

if TYPE_CHECKING:
    import keras


def code_size(model: "keras.Model", mnist: Dataset) -> float:
    """The numbers in the code of one image."""
    return evaluation.encode(model, mnist.x_test[:1]).size


def sse(model: "keras.Model", mnist: Dataset) -> float:
    """Squared error per test image of the reconstructions."""
    return evaluation.sse_per_image(mnist.x_test, evaluation.reconstruct(model, mnist.x_test))


def bce(model: "keras.Model", mnist: Dataset) -> float:
    """Cross-entropy per pixel of the reconstructions of the test images, in nats."""
    return evaluation.bce_per_pixel(mnist.x_test, evaluation.reconstruct(model, mnist.x_test))


def pca_sse(model: "keras.Model", mnist: Dataset) -> float:
    """Squared error per test image of PCA with as many components as the model's code has."""
    size = int(code_size(model, mnist))
    x_hat = evaluation.pca_reconstruction(mnist.x_train, mnist.x_test, size)
    return evaluation.sse_per_image(mnist.x_test, x_hat)


def mean_image_sse(_: object, mnist: Dataset) -> float:
    """Squared error per test image of the mean training image as every output."""
    return evaluation.sse_per_image(mnist.x_test, _mean_image(mnist))


def mean_image_bce(_: object, mnist: Dataset) -> float:
    """Cross-entropy per pixel of the mean training image as every output, in nats."""
    return evaluation.bce_per_pixel(mnist.x_test, _mean_image(mnist))


def _mean_image(mnist: Dataset) -> np.ndarray:
    return np.broadcast_to(mnist.x_train.mean(axis=0), mnist.x_test.shape)


# 03 and 06

STDDEV = 0.4  # of the Gaussian noise on the images to clean
MOVE = 0.1  # standard deviation of a small change of an image


def noise_in_training(model: "keras.Model", _: Dataset) -> float:
    """Strength of the model's corruption layer: a standard deviation or a share; 0 without one."""
    strengths = (getattr(x, "stddev", getattr(x, "fraction", 0)) for x in model.layers)
    return max(strengths)


def noisy_psnr(_: object, mnist: Dataset) -> float:
    """PSNR in dB of test images with Gaussian noise, against the clean images."""
    x, x_noisy = _noisy(mnist)
    return evaluation.psnr(x, x_noisy)


def cleaned_psnr(model: "keras.Model", mnist: Dataset) -> float:
    """PSNR in dB of what the model makes of test images with Gaussian noise."""
    x, x_noisy = _noisy(mnist)
    return evaluation.psnr(x, evaluation.reconstruct(model, x_noisy))


def penalty_weight(model: "keras.Model", _: Dataset) -> float:
    """Weight of the model's contractive penalty; 0 if it has none."""
    inside = [*model.layers, *model.get_layer("encoder").layers]
    return max(getattr(layer, "weight", 0) for layer in inside)


def jacobian_norm(model: "keras.Model", mnist: Dataset) -> float:
    """Squared Frobenius norm of the Jacobian of the code, the mean over ten test images."""
    return evaluation.jacobian_norm(model, mnist.x_test[:10])


def relative_contraction(model: "keras.Model", mnist: Dataset) -> float:
    """How far a small change of a test image moves the code, relative to the spread of both."""
    x = mnist.x_test[:2_000]
    return evaluation.relative_contraction(model, x, add_gaussian_noise(x, MOVE, seed=0))


def _noisy(mnist: Dataset) -> tuple[np.ndarray, np.ndarray]:
    x = mnist.x_test[:200]
    return x, add_gaussian_noise(x, STDDEV, seed=0)
