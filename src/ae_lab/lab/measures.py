"""What the check of an exercise measures on the object that was handed in.

Each takes the object and the notebook's images, and returns one number. ``exercises.toml`` calls
them by name.
"""

from typing import TYPE_CHECKING

import numpy as np

from ae_lab import evaluation
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


# Notebook 05


def hidden_layers(model: "keras.Model", _: Dataset) -> float:
    """The hidden layers of the encoder."""
    return len(_hidden(model))


def sigmoid_layers(model: "keras.Model", _: Dataset) -> float:
    """Those of them that have sigmoid units."""
    return sum(layer.activation.__name__ == "sigmoid" for layer in _hidden(model))


def _hidden(model):
    """The layers of the encoder that have weights, without the last, which is the code."""
    return [layer for layer in model.get_layer("encoder").layers if layer.weights][:-1]


# Notebook 09


def beta(model: "keras.Model", _: Dataset) -> float:
    """Weight of the KL divergence of a variational model; -1 for another kind."""
    return getattr(model.get_layer("bottleneck"), "beta", -1)


def noise(model: "keras.Model", _: Dataset) -> float:
    """Standard deviation of the Gaussian corruption; -1 for a model without one."""
    return next((layer.stddev for layer in model.layers if hasattr(layer, "stddev")), -1)


def rows(array: np.ndarray, _: Dataset) -> float:
    """The rows of an array."""
    return len(array)


def levels(codes: np.ndarray, _: Dataset) -> float:
    """The most different values that one number of the codes takes."""
    return max(len(np.unique(column)) for column in codes.reshape(len(codes), -1).T)


def images_sse(images: np.ndarray, mnist: Dataset) -> float:
    """Squared error per image of reconstructions of the first test images, as many as there are."""
    return evaluation.sse_per_image(mnist.x_test[: len(images)], images)
