"""The engine "fast": the results of `fit.fit_plainly`, sooner.

A batch is a batch of *row numbers*. The images stay in memory as they are, bytes as bytes,
inside the compiled program, which gathers and scales a batch and learns from it in one step.
On TensorFlow a whole epoch is one call: Keras's loop would call XLA anew at each step and make
four new iterators per epoch, which takes as long as a small network's arithmetic.

This is the one file of the package with a ``keras.Model`` subclass and a ``train_step``.
"""

import contextlib
import logging
import math

import keras
import numpy as np
from keras import ops

from ae_lab import losses
from ae_lab.models import to_logits
from ae_lab.training.batches import (
    Batches,
    Examples,
    loss_itself,
    orders,
    shuffled,
    whole_batches,
)

WORTH_COMPILING = 1_000  # steps: with fewer, XLA compiles for longer than it saves
VALIDATED_AT_ONCE = 1_000  # images
# A loss of probabilities, and the same from the logits before the output's activation.
FROM_LOGITS = {losses.binary_cross_entropy: losses.binary_cross_entropy_from_logits}


def fit_fast(model, examples: Examples, loss, plan, transform, history) -> None:
    """The engine "fast"; parameters as in `fit.fit_plainly`."""
    rows = whole_batches(examples.count, plan.batch_size)
    held_out = np.arange(examples.count, len(examples.inputs), dtype="int32")
    steps = len(rows) // plan.batch_size
    program = program_of(model, examples, loss, transform)
    backend = keras.backend.backend()
    worth_it = backend != "torch" and plan.epochs * steps >= WORTH_COMPILING
    compiled = worth_it and compiles_well(program)
    if backend == "tensorflow":
        program, at_once = WholeEpochs(program, plan.batch_size), 1
        fed = epochs_of(rows, held_out)
    else:
        at_once = steps if backend == "jax" else 1
        batches = Batches(twice, orders(rows, plan.epochs), plan.batch_size)
        fed = {"x": batches, "steps_per_epoch": steps, "validation_data": twice(held_out)}
        fed["validation_batch_size"] = VALIDATED_AT_ONCE
    program.compile(
        optimizer=plan.optimizer(steps),
        metrics=[keras.metrics.MeanMetricWrapper(loss_itself, name="reconstruction")],
        jit_compile=compiled,
        steps_per_execution=at_once,
    )
    try:
        with _no_retracing_warning():
            program.fit(**fed, epochs=plan.epochs, callbacks=[history], shuffle=False, verbose=0)
    finally:
        let_go(program)


def twice(rows):
    """Row numbers as input and target: a metric is only asked where there is a target."""
    return rows, rows


class WholeEpochs(keras.Model):
    """A training program that is given all row numbers of an epoch at once (TensorFlow)."""

    def __init__(self, program, batch_size):
        super().__init__(program.inputs, program.outputs)
        self.batch_size = batch_size

    def train_step(self, data):
        """All steps of an epoch; the means of its figures."""
        import tensorflow

        steps = tensorflow.reshape(data[0], (-1, self.batch_size))
        self.optimizer.build(self.trainable_variables)  # no variable can be made inside the loop

        def step(i):
            super(WholeEpochs, self).train_step((steps[i], steps[i]))
            return i + 1

        def more(i):
            return i < tensorflow.shape(steps)[0]

        tensorflow.while_loop(more, step, [0], parallel_iterations=1)
        return self.get_metrics_result()


def epochs_of(rows: np.ndarray, held_out: np.ndarray) -> dict:
    """What ``fit`` takes: ``rows`` in a new order each epoch, ``held_out`` in batches.

    The datasets do not tune themselves: TensorFlow waits for one that does until its tuner
    wakes, 10, 30, 70 ms and so on after it was made, up to as long as the epoch took.
    """
    import tensorflow

    epochs = shuffled(rows).map(twice)
    batches = tensorflow.data.Dataset.from_tensor_slices(held_out).batch(VALIDATED_AT_ONCE)
    return {
        "x": epochs,
        "steps_per_epoch": 1,
        "validation_data": batches.map(twice).repeat().with_options(epochs.options()),
        "validation_steps": math.ceil(len(held_out) / VALIDATED_AT_ONCE),
    }


class Resident(keras.layers.Layer):
    """Rows of an array held in memory: numbers (n,) to rows (n, ...), bytes scaled to [0, 1].

    They are held, and scaled, flat: XLA's loops are slow over a last axis of one channel.
    """

    def __init__(self, rows, **kwargs):
        super().__init__(**kwargs)
        self.row_shape, self.rows = rows.shape[1:], rows.reshape(len(rows), -1)

    def build(self, input_shape):
        self.store = self.add_weight(
            shape=self.rows.shape,
            dtype=str(self.rows.dtype),
            initializer=lambda shape, dtype: ops.convert_to_tensor(self.rows),
            trainable=False,
        )

    def call(self, index):
        taken = ops.take(self.store, index, axis=0)
        if self.rows.dtype == np.uint8:
            taken = ops.cast(taken, "float32") / 255
        return ops.reshape(taken, (-1, *self.row_shape))


class MeanLoss(keras.layers.Layer):
    """Adds the batch mean of an unreduced loss; gives the loss of each image (n,)."""

    def __init__(self, loss, **kwargs):
        super().__init__(**kwargs)
        self.loss = loss

    def call(self, target, output):
        values = self.loss(target, output)
        self.add_loss(ops.mean(values))
        return values


def program_of(model, examples: Examples, loss, transform=None) -> keras.Model:
    """A functional model from row numbers (n,) to the loss of each image (n,)."""
    index = keras.Input((), dtype="int32", name="index")
    x = Resident(examples.inputs)(index)
    x = transform(x) if transform else x
    if loss is None:  # the model adds its loss itself
        return keras.Model(index, model(x))
    target = x if examples.targets is None else Resident(examples.targets)(index)
    output, loss = head_of(model, loss)
    return keras.Model(index, MeanLoss(loss)(target, output(x)))


def head_of(model, loss) -> tuple:
    """The model as the loss wants it: up to the logits where a loss from logits exists."""
    if loss not in FROM_LOGITS:
        return model, loss
    last = model.get_layer("decoder").layers[-1]
    if keras.activations.serialize(getattr(last, "activation", None)) != "sigmoid":
        return model, loss
    z = model.get_layer("bottleneck").output
    return keras.Model(model.input, to_logits(model)(z)), FROM_LOGITS[loss]


def compiles_well(program) -> bool:
    """XLA speeds dense networks up, but not these: on a CPU oneDNN's convolutions are several times
    faster, and so is drawing the masks of dropout."""
    better_without = keras.layers.Conv2D, keras.layers.Conv2DTranspose, keras.layers.Dropout
    return not any(
        isinstance(layer, better_without)
        or (isinstance(layer, keras.Model) and not compiles_well(layer))
        for layer in program.layers
    )


def let_go(program) -> None:
    """Free the images of a program that has been run: TensorFlow keeps each training's graphs,
    and they keep the images. The models inside are as they were."""
    if keras.backend.backend() != "tensorflow":
        return
    import tensorflow

    for layer in program.layers:
        if isinstance(layer, Resident):
            nothing, handle = tensorflow.zeros([0], layer.store.dtype), layer.store.value.handle
            tensorflow.raw_ops.AssignVariableOp(resource=handle, value=nothing)


@contextlib.contextmanager
def _no_retracing_warning():
    """Each training is a new program, which TensorFlow takes for a mistake and warns of."""

    def keep(record):
        return "retracing" not in record.getMessage()

    logger = logging.getLogger("tensorflow")
    logger.addFilter(keep)
    try:
        yield
    finally:
        logger.removeFilter(keep)
