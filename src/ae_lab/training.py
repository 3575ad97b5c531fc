"""Seed, compile, fit: the one place that knows how to be fast.

A batch is a batch of *indices*. The images stay in memory as bytes, inside the compiled
program, which gathers, scales and learns from them in one step; a whole epoch runs without
returning to Python. All of it is Keras's public interface: the training program is a plain
functional model around the autoencoder whose losses go through ``add_loss``.
"""

import contextlib
import logging
import math
import warnings

import keras
import numpy as np
from keras import ops

from ae_lab import losses
from ae_lab.checks import (
    check_between,
    check_finite,
    check_images,
    check_labels,
    check_same_length,
    check_whole,
)
from ae_lab.errors import LabError
from ae_lab.layers import ImportanceWeightedBound
from ae_lab.models import to_logits

# A loss of probabilities, and the same from the logits before the output's activation.
FROM_LOGITS = {losses.binary_cross_entropy: losses.binary_cross_entropy_from_logits}
# What answering 0.5 everywhere costs a pixel, at most: a network that does worse learned nothing.
BLANK = {losses.binary_cross_entropy: math.log(2), losses.squared_error: 0.25}
WORTH_COMPILING = 1_000  # steps: with fewer, XLA compiles for longer than it saves


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and the backend, before a model is built.

    Memory that Keras holds for the models before it is let go; those models still work.
    """
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)


@contextlib.contextmanager
def distributed(seed, *, coordinator=None, processes=1, place=0):
    """Seed, then build and train inside: all devices, of all processes, share every batch.

    Each process runs the same program on the same images; ``batch_size`` is that of all of them
    together, a multiple of their devices. JAX takes devices and processes, through
    ``keras.distribution``; TensorFlow the devices of one process, through ``tf.distribute``: Keras
    3's ``fit`` does not run under its strategy for several (keras-team/keras #20585).

    Parameters
    ----------
    seed : as of ``seed_everything``, the same in every process.
    coordinator : "host:port" on which the first process listens to the others.
    processes, place : how many there are, and which of them this is, from 0.

    Raises
    ------
    LabError
        If the backend has no such training.
    """
    backend = keras.backend.backend()
    if backend != "jax" and (backend != "tensorflow" or processes > 1):
        raise LabError(
            f"training must run on jax to be shared among {check_whole(processes, 'processes')} "
            f"processes' devices, received {backend}: set KERAS_BACKEND to jax (tensorflow will "
            "do for the devices of one process)."
        )
    if processes > 1:
        keras.distribution.initialize(coordinator, processes, place)
    seed_everything(seed)
    with _all_devices(backend):
        yield


def _all_devices(backend):
    if backend == "tensorflow":
        import tensorflow

        devices = [device.name for device in tensorflow.config.list_logical_devices("CPU")]
        if tensorflow.config.list_logical_devices("GPU"):
            devices = None  # the strategy's own choice: every one of them
        return tensorflow.distribute.MirroredStrategy(devices).scope()
    devices = keras.distribution.list_devices()
    return keras.distribution.DataParallel(devices=devices, auto_shard_dataset=False).scope()


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
    inputs = _joined(check_images(x), check_images(validation, "validation"))
    outputs = inputs
    if targets is not None:
        check_same_length(x, targets, "x", "targets")
        check_same_length(validation, validation_targets, "validation", "validation_targets")
        outputs = _joined(
            check_images(targets, "targets"),
            check_images(validation_targets, "validation_targets"),
        )
    blank = math.inf if samples else BLANK.get(loss, math.inf) * math.prod(outputs.shape[1:])
    if samples:
        program = _bound_program(model, inputs, samples, transform)
    else:
        logits_or_images, loss = _head(model, loss)
        program = _program(logits_or_images, inputs, outputs, loss, transform)
    optimizer = _optimizer(len(x), epochs, batch_size, learning_rate, weight_decay)
    history = _run(program, optimizer, len(x), len(validation), epochs, batch_size, on_epoch)
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
    check_same_length(x, labels, "x", "labels")
    check_same_length(validation, validation_labels, "validation", "validation_labels")
    inputs = _joined(check_finite(x), check_finite(validation, "validation"))
    classes = model.output_shape[-1]
    outputs = np.concatenate(
        [check_labels(labels, classes), check_labels(validation_labels, classes)]
    ).astype("int32")
    loss = losses.categorical_cross_entropy_from_logits
    program = _program(model, inputs, outputs, loss)
    optimizer = _optimizer(len(x), epochs, batch_size, learning_rate, weight_decay)
    history = _run(program, optimizer, len(x), len(validation), epochs, batch_size, on_epoch)
    _warn_if_blind(history, math.log(classes))
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


class _Resident(keras.layers.Layer):
    """Rows of an array held in memory: indices (n,) to rows (n, ...), bytes scaled to [0, 1]."""

    def __init__(self, rows, **kwargs):
        super().__init__(**kwargs)
        self.rows = rows

    def build(self, input_shape):
        self.store = self.add_weight(
            shape=self.rows.shape,
            dtype=str(self.rows.dtype),
            initializer=lambda shape, dtype: ops.convert_to_tensor(self.rows),
            trainable=False,
        )

    def call(self, index):
        taken = ops.take(self.store, index, axis=0)
        return ops.cast(taken, "float32") / 255 if self.rows.dtype == np.uint8 else taken


class _MeanLoss(keras.layers.Layer):
    """Adds the batch mean of an unreduced loss; gives the loss of each image (n,)."""

    def __init__(self, loss, **kwargs):
        super().__init__(**kwargs)
        self.loss = loss

    def call(self, target, output):
        values = self.loss(target, output)
        self.add_loss(ops.mean(values))
        return values


def _reconstruction(index, values):
    """The metric ``reconstruction``: what ``_MeanLoss`` gives, without the penalties."""
    return values


def _head(model, loss):
    """The model as the loss wants it: up to the logits where a loss from logits exists."""
    last = model.get_layer("decoder").layers[-1]
    if loss not in FROM_LOGITS:
        return model, loss
    if keras.activations.serialize(getattr(last, "activation", None)) != "sigmoid":
        return model, loss
    z = model.get_layer("bottleneck").output
    return keras.Model(model.input, to_logits(model)(z)), FROM_LOGITS[loss]


def _batch(inputs, transform):
    """The index of a batch, and the rows behind it."""
    index = keras.Input((), dtype="int32", name="index")
    rows = _Resident(inputs)(index)
    return index, transform(rows) if transform else rows


def _bound_program(model, inputs, samples, transform):
    index, x = _batch(inputs, transform)
    bound = ImportanceWeightedBound(to_logits(model), samples)
    return keras.Model(index, bound([x, *model.get_layer("encoder")(x)]))


def _program(model, inputs, outputs, loss, transform=None):
    index, resident = _batch(inputs, transform)
    target = resident if outputs is inputs else _Resident(outputs)(index)
    return keras.Model(index, _MeanLoss(loss)(target, model(resident)))


def _optimizer(images, epochs, batch_size, learning_rate, weight_decay):
    check_whole(epochs, "epochs")
    check_whole(batch_size, "batch_size")
    check_between(learning_rate, "learning_rate", 0, math.inf)
    check_between(weight_decay, "weight_decay", 0, math.inf)
    steps = epochs * math.ceil(images / batch_size)
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    if weight_decay:
        return keras.optimizers.AdamW(schedule, weight_decay=weight_decay)
    return keras.optimizers.Adam(schedule)


def _run(program, optimizer, train_count, validation_count, epochs, batch_size, on_epoch):
    # Each training is a new program; TensorFlow takes that for carelessness and warns at length.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    steps = math.ceil(train_count / batch_size)
    eager = keras.backend.backend() == "torch"  # which knows neither of the two below
    program.compile(
        optimizer=optimizer,
        metrics=[keras.metrics.MeanMetricWrapper(_reconstruction, name="reconstruction")],
        jit_compile=not eager and _compiles_well(program) and epochs * steps >= WORTH_COMPILING,
        steps_per_execution=1 if eager else steps,
    )
    index = np.arange(train_count + validation_count, dtype="int32")
    train, share = _own_share(_whole_batches(index[:train_count], batch_size), batch_size)
    history = program.fit(
        train,
        train,  # a metric is only asked where there is a target
        validation_data=(index[train_count:], index[train_count:]),
        validation_batch_size=min(validation_count, 1_000),
        batch_size=share,
        epochs=epochs,
        callbacks=[_Watch(steps, on_epoch)],
        verbose=0,
    )
    return history.history


def _whole_batches(index, batch_size):
    """Fill the last batch up from the front: a batch of another size is compiled anew."""
    return np.resize(index, math.ceil(len(index) / batch_size) * batch_size)


def _own_share(index, batch_size):
    """This process's part of every batch, and how many rows of a batch that is."""
    together = keras.distribution.distribution()
    processes = together.num_processes if together else 1
    if processes == 1:
        return index, batch_size
    if batch_size % processes:
        raise LabError(
            f"batch_size must be a multiple of the {processes} processes that share it, "
            f"received {batch_size}: choose one."
        )
    batches = index.reshape(-1, processes, batch_size // processes)
    return batches[:, together.data_shard_id].ravel(), batch_size // processes


def _compiles_well(program) -> bool:
    """XLA speeds dense networks up, but not these: on a CPU oneDNN's convolutions are several times
    faster, and so is drawing the masks of dropout."""
    better_without = keras.layers.Conv2D, keras.layers.Conv2DTranspose, keras.layers.Dropout
    return not any(isinstance(layer, better_without) for layer in _all_layers(program))


def _all_layers(model):
    for layer in model.layers:
        yield layer
        yield from _all_layers(layer) if isinstance(layer, keras.Model) else ()


class _Watch(keras.callbacks.Callback):
    """Stops a training that diverged, and passes each epoch's figures on."""

    def __init__(self, steps, on_epoch):
        super().__init__()
        self.steps, self.on_epoch = steps, on_epoch

    def on_epoch_end(self, epoch, logs=None):
        if not math.isfinite(logs["loss"]):
            raise LabError(
                f"training diverged: the loss must stay finite, received {logs['loss']} after "
                f"epoch {epoch + 1}, in one of the steps {epoch * self.steps + 1:,} to "
                f"{(epoch + 1) * self.steps:,}; lower the learning rate."
            )
        if self.on_epoch:
            self.on_epoch(epoch, dict(logs))


def _joined(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Training rows, then validation rows; as bytes where that loses nothing."""
    if first.shape[1:] != second.shape[1:]:
        raise LabError(
            f"training and validation rows must have the same shape, received {first.shape[1:]} "
            f"and {second.shape[1:]}: prepare both in the same way."
        )
    parts = [_as_bytes(part) for part in (first, second)]
    if any(part is None for part in parts):
        parts = [first.astype("float32"), second.astype("float32")]
    return np.concatenate(parts)


def _as_bytes(rows: np.ndarray, at_once: int = 2_000) -> np.ndarray | None:
    """``rows`` times 255 as bytes, or None if they are no bytes divided by 255.

    A few rows at once: a second copy of all of them as floats would be the most memory that a
    training takes.
    """
    found = np.empty(rows.shape, np.uint8)
    for start in range(0, len(rows), at_once):
        some = rows[start : start + at_once]
        if not (some.min() >= 0 and some.max() <= 1):
            return None
        scaled = np.round(some * 255).astype(np.uint8)
        if not np.array_equal(scaled.astype("float32") / np.float32(255), some):
            return None
        found[start : start + at_once] = scaled
    return found
