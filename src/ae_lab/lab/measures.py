"""What the check of an exercise measures on the object that was handed in.

Each takes the object and the notebook's images, and returns one number. ``exercises.toml`` calls
them by name.
"""

from typing import TYPE_CHECKING

import numpy as np

from ae_lab import evaluation, layers
from ae_lab.data import Dataset

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


# Notebook 08: the variational autoencoder


def beta(model: "keras.Model", _: Dataset) -> float:
    """The weight of the divergence; -1 for a model that is not variational."""
    weights = [layer.beta for layer in model.layers if isinstance(layer, layers.GaussianSampling)]
    return weights[0] if weights else -1


def active_latents(model: "keras.Model", mnist: Dataset) -> float:
    """The numbers of the code that vary over the test images."""
    return evaluation.active_units(evaluation.encode(model, mnist.x_test)).sum()


def estimate_rows(estimates: np.ndarray, _: Dataset) -> float:
    """The rows of a table (numbers of samples, images) of likelihoods; 0 if it is no such table."""
    return len(estimates) if estimates.ndim == 2 else 0


def first_estimate(estimates: np.ndarray, _: Dataset) -> float:
    """Mean of the first row, in nats per image."""
    return estimates[0].mean()


def first_gain(estimates: np.ndarray, _: Dataset) -> float:
    """By how many nats per image the second row is below the first."""
    return estimates[0].mean() - estimates[1].mean()


def second_gain(estimates: np.ndarray, _: Dataset) -> float:
    """By how many nats per image the third row is below the second."""
    return estimates[1].mean() - estimates[2].mean()


def follows_ink(estimates: np.ndarray, mnist: Dataset) -> float:
    """Correlation of the last row with the sum of the pixels of the first test images."""
    images = mnist.x_test[: estimates.shape[1]]
    if len(images) != estimates.shape[1] or not estimates[-1].std():
        return 0.0
    return np.corrcoef(estimates[-1], images.sum(axis=(1, 2, 3)))[0, 1]
