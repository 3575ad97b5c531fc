"""Training: `fit` for autoencoders, `fit_classifier` for classifiers, and `seed_everything`.

Both check their arguments and pass them to one of two engines, which give the same results.
``engine="plain"`` is `training.fit.fit_plainly`: Keras's ``compile`` and ``fit``, easy to read.
``engine="fast"``, the default, is `training.fast.fit_fast`, which takes a fraction of the time.

Both functions raise a ``LabError`` if an array or a number is not as described, or if the training
diverges. They issue a ``RuntimeWarning`` if the final loss, without penalties, is more than 10 %
above that of a constant output.
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
# Loss per pixel of the constant output 0.5; a network with a larger loss has learned nothing.
BLANK = {losses.binary_cross_entropy: math.log(2), losses.squared_error: 0.25}


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and the backend; call this before building a model or a layer.

    ``seed``, a whole number from 0 to 2**32 - 1, determines everything random: initial weights,
    the order of the batches, and the noise of layers, whose own seed is drawn when they are built.
    Memory that Keras holds for earlier models is freed; those models still work.
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
    """Train an autoencoder to output ``targets``; the learning rate decays along a cosine.

    Parameters
    ----------
    model : an autoencoder of `models`, trained in place.
    x, validation : images (n, height, width, channels), floats in [0, 1], or bytes. Bytes stand
        for bytes / 255 and need a quarter of the memory, for example ``mnist.train_images``.
    loss : a function of `losses`, unreduced, per image.
    epochs : number of passes over ``x``, at least 1.
    targets, validation_targets : images to reconstruct if they differ from the input, else None.
    batch_size : images per step, at least 1. If it does not divide the number of images, some of
        the first images are used twice per epoch.
    learning_rate : learning rate of the first step; it decays to 0 along half a cosine.
    weight_decay : decoupled weight decay (AdamW), 0 for none.
    optimizer : "adam", or "sgd" for gradient descent with a momentum of 0.9.
    tied : True to keep the decoder's weights equal to the transposed weights of the encoder (see
        `models.tied`).
    transform : layer applied to each batch before it becomes input and target, for example
        `layers.Binarise`, or None.
    samples : for a variational model, the number of samples of `layers.ImportanceWeightedBound`,
        which then replaces the loss and the bottleneck's penalty; or None.
    on_epoch : function of (epoch, logs), called after each epoch, or None.
    engine : "fast" or "plain".

    Returns
    -------
    dict of lists with one number per epoch: ``loss`` and ``val_loss`` (with the penalties),
    ``reconstruction`` and ``val_reconstruction`` (without), means per image; in nats for binary
    cross-entropy.
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
    """Train a classifier with outputs logits (n, classes) on its cross-entropy in nats.

    Returns a dict as `fit` does; ``reconstruction`` is the cross-entropy without penalties.

    Parameters
    ----------
    model : a classifier of `models`, trained in place.
    x, validation : inputs (n, ...), floats, or bytes that stand for bytes / 255.
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
    """Train with the ``engine``; warn if the final loss is more than 10 % above ``blank``."""
    if engine not in ENGINES:
        raise LabError(f"engine must be one of {', '.join(ENGINES)}, received {engine!r}.")
    history = History(plan)
    ENGINES[engine](model, plan, history)
    if (ended := history.figures["reconstruction"][-1]) > 1.1 * blank:
        warnings.warn(
            f"the training did not learn: its final loss is {ended:.4g} per image, but that of a "
            f"constant output is {blank:.4g}; lower the learning rate",
            RuntimeWarning,
            stacklevel=3,
        )
    return history.figures
