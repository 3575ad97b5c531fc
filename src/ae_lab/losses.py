"""Losses, pure and unreduced: tensors in, one number per image out.

Convention: **sum over pixels (or latents), no mean over the batch**, in nats per image or
squared error per image, pixels in [0, 1]. Averages over pixels would change what a penalty's
weight means; `training` takes the mean over the batch, `evaluation` divides by the number of
pixels where a figure is published that way.

``x`` and ``x_hat`` are images (n, height, width, channels) in [0, 1]: what is to be
reconstructed, and the reconstruction.
"""

import math

import keras
from keras import ops
from numpy.typing import ArrayLike

EPSILON = 1e-7  # Keras's own fuzz factor: keeps log(0) away, costs under 1e-4 nats per image


@keras.saving.register_keras_serializable(package="ae_lab")
def squared_error(x: ArrayLike, x_hat: ArrayLike):
    """Squared error per image, ``sum((x - x_hat)**2)`` (n,), as Hinton & Salakhutdinov (2006)."""
    x, x_hat = _rows(x), _rows(x_hat)
    return ops.sum(ops.square(x - x_hat), axis=-1)


@keras.saving.register_keras_serializable(package="ae_lab")
def binary_cross_entropy(x: ArrayLike, x_hat: ArrayLike):
    """Binary cross-entropy per image, ``-sum(x log x_hat + (1-x) log(1-x_hat))``, in nats (n,).

    For grey ``x`` its minimum is not 0 but the entropy of the pixels themselves
    (45.5 nats on MNIST's test images).
    """
    x, x_hat = _rows(x), ops.clip(_rows(x_hat), EPSILON, 1 - EPSILON)
    return -ops.sum(x * ops.log(x_hat) + (1 - x) * ops.log(1 - x_hat), axis=-1)


@keras.saving.register_keras_serializable(package="ae_lab")
def binary_cross_entropy_from_logits(x: ArrayLike, logits: ArrayLike):
    """``binary_cross_entropy(x, sigmoid(logits))`` without forming the sigmoid, shape (n,).

    ``softplus(logits) - x * logits``: cheaper, and exact where the sigmoid saturates.
    """
    x, logits = _rows(x), _rows(logits)
    return ops.sum(ops.softplus(logits) - x * logits, axis=-1)


@keras.saving.register_keras_serializable(package="ae_lab")
def multinomial_cross_entropy(x: ArrayLike, x_hat: ArrayLike):
    """Cross-entropy of counts under chances, ``-sum(x log x_hat) / sum(x)``, nats per count (n,).

    ``x`` are the counts of each row, or anything in proportion to them; ``x_hat`` are the chances
    of what is counted, positive and with the sum 1, as a softmax gives them. It is the loss of a
    document's words in Hinton & Salakhutdinov (2006, supporting material). A row without counts
    costs 0.
    """
    x, x_hat = _rows(x), ops.clip(_rows(x_hat), EPSILON, 1)
    return -ops.sum(x * ops.log(x_hat), axis=-1) / ops.maximum(ops.sum(x, axis=-1), EPSILON)


@keras.saving.register_keras_serializable(package="ae_lab")
def categorical_cross_entropy_from_logits(labels: ArrayLike, logits: ArrayLike):
    """Cross-entropy in nats of whole-number ``labels`` (n,) under ``logits`` (n, classes)."""
    return keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)


def _rows(images):
    """Images as (n, pixels): XLA's loops are slow over a last axis of one channel."""
    pixels = math.prod(images.shape[1:])  # static, so that a symbolic batch stays symbolic
    return ops.reshape(images, (-1, pixels))
