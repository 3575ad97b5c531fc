"""Seed, compile, fit: the one place that knows how to be fast.

A batch is a batch of *indices*. The images stay in memory as bytes, inside the compiled
program, which gathers, scales and learns from them in one step; a whole epoch runs without
returning to Python. All of it is Keras's public interface: the training program is a plain
functional model around the autoencoder whose losses go through ``add_loss``.
"""

import math
import warnings

import numpy as np

from ae_lab import losses
from ae_lab.training.distribution import distributed, seed_everything
from ae_lab.training.epochs import Plan, run, run_shards
from ae_lab.training.program import bound_program, head_of, program_of
from ae_lab.training.rows import Shards, joined
from ae_lab.validation import check_finite, check_images, check_labels, check_same_length

__all__ = ["distributed", "fit", "fit_classifier", "fit_shards", "seed_everything"]

# What answering 0.5 everywhere costs a pixel, at most: a network that does worse learned nothing.
BLANK = {losses.binary_cross_entropy: math.log(2), losses.squared_error: 0.25}


def fit(
    model,
    x,
    *,
    validation,
    loss=losses.binary_cross_entropy,
    epochs,
    targets=None,
    validation_targets=None,
    batch_size=256,
    learning_rate=3e-3,
    weight_decay=0.0,
    transform=None,
    samples=None,
    on_epoch=None,
):
    """Train an autoencoder to give ``targets`` from ``x``, with Adam and a cosine schedule.

    Parameters
    ----------
    model : an autoencoder of `models`, trained in place.
    x, validation : images (n, height, width, channels), floats in [0, 1].
    loss : a function of `losses`, unreduced, per image.
    epochs, batch_size : whole numbers, at least 1.
    targets, validation_targets : what to reconstruct where it is not the input itself.
    learning_rate : the rate at the first step; it falls to 0 along half a cosine.
    weight_decay : decoupled weight decay (AdamW), 0 for none.
    transform : layer through which each batch goes before it is input and target, such as
        `layers.Binarise`, or None.
    samples : for a variational model, the samples of `layers.ImportanceWeightedBound`, which
        then takes the place of the loss and of the bottleneck's penalty; or None.
    on_epoch : function of (epoch, logs), called after each epoch.

    Returns
    -------
    dict of lists, one number an epoch: ``loss`` and ``val_loss`` (with the penalties) and
    ``reconstruction`` and ``val_reconstruction`` (without), means an image. The last batch of an
    epoch is filled up with the first images, which count twice there.

    Raises
    ------
    LabError
        If an array or number is not as said, or training diverges.

    Warns
    -----
    RuntimeWarning
        If the training ends a tenth worse than the answer 0.5 to every pixel.
    """
    plan = Plan(epochs, batch_size, learning_rate, weight_decay)
    inputs = joined(check_images(x), check_images(validation, "validation"))
    outputs = inputs
    if targets is not None:
        check_same_length(x, targets, "x", "targets")
        check_same_length(validation, validation_targets, "validation", "validation_targets")
        outputs = joined(
            check_images(targets, "targets"),
            check_images(validation_targets, "validation_targets"),
        )
    blank = math.inf if samples else BLANK.get(loss, math.inf) * math.prod(outputs.shape[1:])
    if samples:
        program = bound_program(model, inputs, samples, transform)
    else:
        logits_or_images, loss = head_of(model, loss)
        program = program_of(logits_or_images, inputs, outputs, loss, transform)
    history = run(program, len(x), len(validation), plan, on_epoch)
    _warn_if_blind(history, blank)
    return history


def fit_classifier(
    model,
    x,
    labels,
    *,
    validation,
    validation_labels,
    epochs,
    batch_size=128,
    learning_rate=2e-3,
    weight_decay=0.0,
    on_epoch=None,
):
    """Train a classifier that gives logits (n, classes); parameters as in ``fit``.

    Raises
    ------
    LabError
        If ``x`` and ``labels`` differ in length, a label has no class, a number is out of range
        or not finite, or training diverges.
    """
    plan = Plan(epochs, batch_size, learning_rate, weight_decay)
    check_same_length(x, labels, "x", "labels")
    check_same_length(validation, validation_labels, "validation", "validation_labels")
    inputs = joined(check_finite(x), check_finite(validation, "validation"))
    classes = model.output_shape[-1]
    outputs = np.concatenate(
        [check_labels(labels, classes), check_labels(validation_labels, classes)]
    ).astype("int32")
    loss = losses.categorical_cross_entropy_from_logits
    program = program_of(model, inputs, outputs, loss)
    history = run(program, len(x), len(validation), plan, on_epoch)
    _warn_if_blind(history, math.log(classes))
    return history


def fit_shards(
    model,
    shards,
    *,
    validation,
    loss=losses.binary_cross_entropy,
    epochs,
    batch_size=256,
    learning_rate=3e-3,
    weight_decay=0.0,
    transform=None,
    on_epoch=None,
):
    """Train as ``fit`` does, on images that need not fit into memory together.

    One shard at a time is in memory, in a new order each epoch, its images in a new order too.

    Parameters
    ----------
    shards : sequence of arrays (n, height, width, channels), all of one shape, bytes or floats in
        [0, 1]; each is read when its turn comes. A file of shape (shards, n, height, width,
        channels), mapped into memory with ``mmap_mode="r"``, will do.
    validation : images, floats in [0, 1]; where shards are bytes, bytes divided by 255.

    The others, and what is returned, as in ``fit``.

    Raises
    ------
    LabError
        If a shard differs from the first, an array or number is not as said, or training diverges.
    """
    plan = Plan(epochs, batch_size, learning_rate, weight_decay)
    shards = Shards(shards, check_images(validation, "validation"))
    blank = BLANK.get(loss, math.inf) * math.prod(validation.shape[1:])
    first = shards[0]
    logits_or_images, loss = head_of(model, loss)
    program = program_of(logits_or_images, first, first, loss, transform)
    history = run_shards(program, shards, plan, on_epoch)
    _warn_if_blind(history, blank)
    return history


def _warn_if_blind(history, blank):
    """Say it of a training that ended a tenth worse than one that learns nothing."""
    ended = history["reconstruction"][-1]
    if ended > 1.1 * blank:
        warnings.warn(
            f"the training did not learn: it ended at a loss of {ended:.4g} an image, where the "
            f"same answer to everything costs {blank:.4g}; lower the learning rate",
            RuntimeWarning,
            stacklevel=3,
        )
