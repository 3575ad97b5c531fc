"""Training: `fit` for autoencoders, `fit_classifier` for classifiers, and `seed_everything`.

Both check what they are given and hand it to one of two engines with the same results.
``engine="plain"`` is `training.fit.fit_plainly`, Keras's own ``compile`` and ``fit``, to be read;
``engine="fast"``, the default, is `training.fast.fit_fast`, in a fraction of the time.

Both raise a ``LabError`` if an array or number is not as described, or if training diverges, and
give a ``RuntimeWarning`` if it ends a tenth worse than the same answer to everything.
"""

import math
import warnings
from collections.abc import Callable

import keras
import numpy as np

from ae_lab import losses, models
from ae_lab.errors import LabError
from ae_lab.layers import ImportanceWeightedBound
from ae_lab.models import to_logits
from ae_lab.training.batches import Plan, joined
from ae_lab.training.fast import fit_fast
from ae_lab.training.fit import History, fit_plainly
from ae_lab.validation import check_finite, check_images, check_labels, check_same_length

ENGINES = {"plain": fit_plainly, "fast": fit_fast}
# The loss per pixel of answering 0.5 everywhere: a network that does worse learned nothing.
BLANK = {losses.binary_cross_entropy: math.log(2), losses.squared_error: 0.25}


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and the backend, before a model or a layer is built.

    Everything drawn at random follows from ``seed``, a whole number from 0 to 2**32 - 1: first
    weights, the order of batches, and the noise of layers, which draw their own seed when they are
    built. Memory that Keras holds for earlier models is freed; those models still work.
    """
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)


def fit(
    model: keras.Model,
    x: np.ndarray,
    *,
    validation: np.ndarray,
    loss: Callable = losses.binary_cross_entropy,
    epochs: int,
    targets: np.ndarray | None = None,
    validation_targets: np.ndarray | None = None,
    batch_size: int = 256,
    learning_rate: float = 3e-3,
    weight_decay: float = 0.0,
    optimizer: str = "adam",
    tied: bool = False,
    transform: keras.layers.Layer | None = None,
    samples: int | None = None,
    on_epoch: Callable[[int, dict], object] | None = None,
    engine: str = "fast",
) -> dict[str, list[float]]:
    """Train an autoencoder to give ``targets`` from ``x``, at a rate that falls along a cosine.

    Parameters
    ----------
    model : an autoencoder of `models`, trained in place.
    x, validation : images (n, height, width, channels), floats in [0, 1] or bytes, which stand
        for bytes / 255 and take a quarter of the memory: ``mnist.train_images``.
    loss : a function of `losses`, unreduced, per image.
    epochs : passes over ``x``, a whole number of at least 1.
    targets, validation_targets : images to reconstruct where they are not the input itself.
    batch_size : images per step, a whole number of at least 1. The last batch of an epoch is
        filled up with the first images.
    learning_rate : the rate at the first step; it falls to 0 along half a cosine.
    weight_decay : decoupled weight decay (AdamW), 0 for none.
    optimizer : "adam", or "sgd" for gradient descent with a momentum of 0.9.
    tied : True to keep the decoder's weights equal to the encoder's, transposed, as
        `models.tied` says.
    transform : layer through which each batch goes before it is input and target, such as
        `layers.Binarise`, or None.
    samples : for a variational model, the samples of `layers.ImportanceWeightedBound`, which
        then takes the place of the loss and of the bottleneck's penalty; or None.
    on_epoch : function of (epoch, logs), called after each epoch.
    engine : "fast" or "plain".

    Returns
    -------
    dict of lists, one number per epoch: ``loss`` and ``val_loss`` (with the penalties) and
    ``reconstruction`` and ``val_reconstruction`` (without), means per image, with binary
    cross-entropy in nats.
    """
    inputs, outputs = _images(x, "x", validation, "validation"), None
    if targets is not None:
        check_same_length(x, targets, "x", "targets")
        check_same_length(validation, validation_targets, "validation", "validation_targets")
        outputs = _images(targets, "targets", validation_targets, "validation_targets")
    shown = inputs if outputs is None else outputs
    blank = BLANK.get(loss, math.inf) * math.prod(shown.shape[1:])
    trained = models.tied(model) if tied else model
    if samples:
        bound = ImportanceWeightedBound(to_logits(model), samples)
        given = [model.input, *model.get_layer("encoder")(model.input)]
        trained, loss, blank = keras.Model(model.input, bound(given)), None, math.inf
    numbers = epochs, batch_size, learning_rate, weight_decay, optimizer
    plan = Plan(inputs, outputs, len(x), loss, *numbers, transform, on_epoch)
    try:
        return _run(engine, trained, plan, blank)
    finally:
        if tied:
            models.tie(model)


def fit_classifier(
    model: keras.Model,
    x: np.ndarray,
    labels: np.ndarray,
    *,
    validation: np.ndarray,
    validation_labels: np.ndarray,
    epochs: int,
    batch_size: int = 128,
    learning_rate: float = 2e-3,
    weight_decay: float = 0.0,
    optimizer: str = "adam",
    on_epoch: Callable[[int, dict], object] | None = None,
    engine: str = "fast",
) -> dict[str, list[float]]:
    """Train a classifier that gives logits (n, classes), on its cross-entropy in nats.

    The dict it returns is that of `fit`; ``reconstruction`` is the cross-entropy without penalties.

    Parameters
    ----------
    model : a classifier of `models`, trained in place.
    x, validation : its inputs (n, ...), floats, or bytes that stand for bytes / 255.
    labels, validation_labels : whole numbers (n,) from 0 to classes - 1.
    epochs, batch_size, learning_rate, weight_decay, optimizer, on_epoch, engine : as in `fit`.
    """
    check_same_length(x, labels, "x", "labels")
    check_same_length(validation, validation_labels, "validation", "validation_labels")
    inputs = joined(check_finite(x), check_finite(validation, "validation"))
    classes = model.output_shape[-1]
    targets = [check_labels(labels, classes), check_labels(validation_labels, classes)]
    targets = np.concatenate(targets).astype("int32")
    loss = losses.categorical_cross_entropy_from_logits
    numbers = epochs, batch_size, learning_rate, weight_decay, optimizer
    plan = Plan(inputs, targets, len(x), loss, *numbers, on_epoch=on_epoch)
    return _run(engine, model, plan, blank=math.log(classes))


def _images(first, first_name, second, second_name) -> np.ndarray:
    return joined(check_images(first, first_name, True), check_images(second, second_name, True))


def _run(engine, model, plan, blank) -> dict[str, list[float]]:
    """Train by the engine of that name; warn if the end is a tenth worse than ``blank``."""
    if engine not in ENGINES:
        raise LabError(f"engine must be one of {', '.join(ENGINES)}, received {engine!r}.")
    history = History(plan)
    ENGINES[engine](model, plan, history)
    if (ended := history.figures["reconstruction"][-1]) > 1.1 * blank:
        warnings.warn(
            f"the training did not learn: it ended at a loss of {ended:.4g} per image, where the "
            f"same answer to everything costs {blank:.4g}; lower the learning rate",
            RuntimeWarning,
            stacklevel=3,
        )
    return history.figures
