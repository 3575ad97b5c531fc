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


# 04: sparse codes

STRONGEST, SOME = 25, 2_000  # units that are compared; images that are enough for a mean


def kl_target(model: "keras.Model", _: Dataset) -> float:
    """The target of the KL penalty in the bottleneck; NaN for a model without one."""
    return getattr(_bottleneck(model), "target", np.nan)


def kl_weight(model: "keras.Model", _: Dataset) -> float:
    """The weight of the penalty in the bottleneck; NaN for a model without one."""
    return getattr(_bottleneck(model), "weight", np.nan)


def shared_by_digit(model: "keras.Model", mnist: Dataset) -> float:
    """Share of their 25 strongest units that two test images of the same digit share."""
    z = evaluation.encode(model, mnist.x_test[:SOME])
    strongest = min(STRONGEST, z.shape[1])
    return evaluation.shared_units(z, mnist.y_test[:SOME], strongest)[0]


def dead(model: "keras.Model", mnist: Dataset) -> float:
    """Units that no test image activates."""
    return evaluation.dead_units(evaluation.encode(model, mnist.x_test)).sum()


def most_active(model: "keras.Model", mnist: Dataset) -> float:
    """Units that are not 0 for a test image, the most of all images."""
    return np.count_nonzero(evaluation.encode(model, mnist.x_test), axis=1).max()


def likeness_to_images(model: "keras.Model", mnist: Dataset) -> float:
    """Median correlation of unit j of the decoder with training image j minus the mean image.

    0 for a decoder of another shape.
    """
    rows = model.get_layer("decoder").get_weights()[0]  # (units, pixels)
    images = mnist.x_train[: len(rows)].reshape(-1, mnist.x_train[0].size)
    if rows.shape != images.shape:
        return 0.0
    pairs = zip(rows, images - images.mean(axis=0), strict=True)
    return float(np.median([np.corrcoef(a, b)[0, 1] for a, b in pairs]))


def probe_error(model: "keras.Model", mnist: Dataset) -> float:
    """Share of the test images that a linear classifier of 2,000 images' codes gets wrong."""
    options = dict(images=SOME, strengths=[1e-2])
    return 1 - evaluation.probe_accuracy(lambda x: evaluation.encode(model, x), mnist, **options)


def _bottleneck(model: "keras.Model") -> object:
    return next((layer for layer in model.layers if layer.name == "bottleneck"), None)
