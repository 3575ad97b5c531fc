"""Loss functions, pure and unreduced: they take tensors and return one number per image.

Convention: **sum over pixels (or latents), no mean over the batch**, in nats per image or
squared error per image, with pixels in [0, 1]. A mean over pixels would change the meaning of a
penalty's weight. `training` takes the mean over the batch. `evaluation` divides by the number of
pixels where the literature reports a value per pixel.

``x`` (the images to reconstruct) and ``x_hat`` (their reconstructions) have the shape
(n, height, width, channels) and values in [0, 1].
"""

import math

import keras
from keras import ops
from numpy.typing import ArrayLike

EPSILON = 1e-7  # Keras's epsilon: avoids log(0) and changes a loss by less than 1e-4 nats per image


@keras.saving.register_keras_serializable(package="ae_lab")
def squared_error(x: ArrayLike, x_hat: ArrayLike):
    """Squared error per image, ``sum((x - x_hat)**2)`` (n,); Hinton & Salakhutdinov (2006)."""
    x, x_hat = _rows(x), _rows(x_hat)
    return ops.sum(ops.square(x - x_hat), axis=-1)


@keras.saving.register_keras_serializable(package="ae_lab")
def binary_cross_entropy(x: ArrayLike, x_hat: ArrayLike):
    """Binary cross-entropy per image, ``-sum(x log x_hat + (1-x) log(1-x_hat))``, in nats (n,).

    For grey ``x`` the minimum is not 0 but the entropy of the pixels, which is 45.5 nats for
    MNIST's test images.
    """
    x, x_hat = _rows(x), ops.clip(_rows(x_hat), EPSILON, 1 - EPSILON)
    return -ops.sum(x * ops.log(x_hat) + (1 - x) * ops.log(1 - x_hat), axis=-1)


@keras.saving.register_keras_serializable(package="ae_lab")
def binary_cross_entropy_from_logits(x: ArrayLike, logits: ArrayLike):
    """``binary_cross_entropy(x, sigmoid(logits))`` (n,), computed without the sigmoid.

    ``softplus(logits) - x * logits`` is faster, and exact where the sigmoid saturates.
    """
    x, logits = _rows(x), _rows(logits)
    return ops.sum(ops.softplus(logits) - x * logits, axis=-1)


@keras.saving.register_keras_serializable(package="ae_lab")
def multinomial_cross_entropy(x: ArrayLike, x_hat: ArrayLike):
    """Cross-entropy of counts, ``-sum(x log x_hat) / sum(x)``, in nats per count (n,).

    ``x`` are the counts of each row, or values proportional to them. ``x_hat`` are the predicted
    probabilities, which are positive and sum to 1, for example the output of a softmax. Hinton &
    Salakhutdinov (2006, supporting material) use this loss for the words of a document. The loss
    of a row without counts is 0.
    """
    x, x_hat = _rows(x), ops.clip(_rows(x_hat), EPSILON, 1)
    return -ops.sum(x * ops.log(x_hat), axis=-1) / ops.maximum(ops.sum(x, axis=-1), EPSILON)


@keras.saving.register_keras_serializable(package="ae_lab")
def categorical_cross_entropy_from_logits(labels: ArrayLike, logits: ArrayLike):
    """Cross-entropy in nats of integer ``labels`` (n,) given ``logits`` (n, classes)."""
    return keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)


def _rows(images):
    """Images as (n, pixels): XLA's loops are slow if the last axis has one channel."""
    pixels = math.prod(images.shape[1:])  # static, so that a symbolic batch stays symbolic
    return ops.reshape(images, (-1, pixels))
