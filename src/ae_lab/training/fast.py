"""The engine "fast": the same results as `fit.fit_plainly`, in less time.

A batch is a batch of *row indices*. The images stay in memory inside the compiled program, bytes
as bytes. One step gathers and scales a batch and updates the weights. On TensorFlow a whole epoch
is one call. Keras's loop would call XLA at each step and create four iterators per epoch; this
takes as long as the arithmetic of a small network.

This is the only file of the package with a ``keras.Model`` subclass and a ``train_step``.
"""

import math
from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from ae_lab import losses
from ae_lab.models import to_logits
from ae_lab.quiet import retracing_held_back
from ae_lab.training.batches import Plan, shuffled
from ae_lab.training.fit import History, optimizer_of

WORTH_COMPILING = 1_000  # steps; with fewer, compiling takes longer than it saves
VALIDATED_AT_ONCE = 1_000  # images


def fit_fast(model: keras.Model, plan: Plan, history: History) -> None:
    """Train ``model`` as described by ``plan``; ``history`` records the losses."""
    program = program_of(model, plan)
    held_out = np.arange(plan.count, len(plan.inputs), dtype="int32")
    backend = keras.backend.backend()
    worth_it = backend == "tensorflow" and plan.epochs * plan.steps >= WORTH_COMPILING
    # JAX runs an uncompiled step operation by operation: 30 times as long on a GPU
    compiled = backend == "jax" or (worth_it and compiles_well(program))
    if backend == "tensorflow":
        program, fed = _WholeEpochs(program, plan.batch_size), _whole_epochs(plan.rows, held_out)
    else:
        fed = {"x": plan.batches(_twice), "steps_per_epoch": plan.steps}
        fed |= {"validation_data": _twice(held_out), "validation_batch_size": VALIDATED_AT_ONCE}
    program.compile(
        optimizer_of(plan),
        metrics=[keras.metrics.MeanMetricWrapper(lambda _, loss: loss, name="reconstruction")],
        jit_compile=compiled,
        steps_per_execution=plan.steps if backend == "jax" else 1,
    )
    program.optimizer.build(program.trainable_variables)  # else the step is traced twice
    try:
        with retracing_held_back():
            program.fit(**fed, epochs=plan.epochs, callbacks=[history], shuffle=False, verbose=0)
    finally:
        let_go(program)


def _twice(rows):
    """Row indices as input and target: Keras computes a metric only if there is a target."""
    return rows, rows


class _WholeEpochs(keras.Model):
    """A training program whose input is all row indices of an epoch at once (TensorFlow)."""

    def __init__(self, program, batch_size):
        super().__init__(program.inputs, program.outputs, name="whole_epochs")
        self.batch_size = batch_size

    def train_step(self, data):
        """Run all steps of an epoch; return the means of its metrics."""
        import tensorflow

        steps = tensorflow.reshape(data[0], (-1, self.batch_size))

        def step(i):
            super(_WholeEpochs, self).train_step((steps[i], steps[i]))
            return [i + 1]

        count = tensorflow.shape(steps)[0]
        tensorflow.while_loop(lambda i: i < count, step, [0], parallel_iterations=1)
        return self.get_metrics_result()


def _whole_epochs(rows, held_out) -> dict:
    """Arguments of ``fit``: ``rows`` in a new order each epoch, ``held_out`` in batches."""
    import tensorflow

    epochs = shuffled(rows).map(_twice)
    validation = tensorflow.data.Dataset.from_tensor_slices(held_out).batch(VALIDATED_AT_ONCE)
    return {
        "x": epochs,
        "steps_per_epoch": 1,
        "validation_data": validation.map(_twice).repeat().with_options(epochs.options()),
        "validation_steps": math.ceil(len(held_out) / VALIDATED_AT_ONCE),
    }


class _Resident(keras.layers.Layer):
    """An array held in memory: from row indices (n,) to rows (n, ...), bytes scaled to [0, 1].

    The rows are stored and scaled flat: XLA's loops are slow if the last axis has one channel.
    """

    def __init__(self, rows: np.ndarray):
        super().__init__()
        self.row_shape, self.scaled = rows.shape[1:], rows.dtype == np.uint8
        self.store = keras.Variable(rows.reshape(len(rows), -1), trainable=False)

    def call(self, index):
        taken = ops.take(self.store, index, axis=0)
        if self.scaled:
            taken = ops.cast(taken, "float32") / 255
        return ops.reshape(taken, (-1, *self.row_shape))


class _MeanLoss(keras.layers.Layer):
    """Adds the batch mean of an unreduced loss; outputs the loss of each image (n,)."""

    def __init__(self, loss):
        super().__init__()
        self.loss = loss

    def call(self, target, output):
        values = self.loss(target, output)
        self.add_loss(ops.mean(values))
        return values


def program_of(model: keras.Model, plan: Plan) -> keras.Model:
    """``model`` and ``plan`` as one program: from row indices (n,) to the loss per image (n,)."""
    index = keras.Input((), dtype="int32", name="index")
    x = _Resident(plan.inputs)(index)
    x = plan.transform(x) if plan.transform else x
    if plan.loss is None:
        return keras.Model(index, model(x))
    target = x if plan.targets is None else _Resident(plan.targets)(index)
    output, loss = head_of(model, plan.loss)
    return keras.Model(index, _MeanLoss(loss)(target, output(x)))


def head_of(model: keras.Model, loss: Callable) -> tuple[keras.Model, Callable]:
    """``model`` up to its logits, and ``loss`` computed from logits, where both exist."""
    if loss is not losses.binary_cross_entropy:
        return model, loss
    last = model.get_layer("decoder").layers[-1]
    if keras.activations.serialize(getattr(last, "activation", None)) != "sigmoid":
        return model, loss
    z = model.get_layer("bottleneck").output
    return keras.Model(model.input, to_logits(model)(z)), losses.binary_cross_entropy_from_logits


def compiles_well(program: keras.Model) -> bool:
    """Whether XLA makes ``program`` faster, as it does for dense networks.

    On a CPU, convolutions are several times faster with oneDNN than with XLA. Keras's own random
    numbers are also faster without XLA (see `layers.fast.uniform`).
    """
    better_without = keras.layers.Conv2D, keras.layers.Conv2DTranspose, keras.layers.Dropout
    return not any(
        isinstance(layer, better_without)
        or (isinstance(layer, keras.Model) and not compiles_well(layer))
        for layer in program.layers
    )


def let_go(program: keras.Model) -> None:
    """Free the images held by a finished ``program``; the models inside remain usable.

    TensorFlow keeps the graphs of each training, and these keep the images.
    """
    if keras.backend.backend() != "tensorflow":
        return
    import tensorflow

    for layer in program.layers:
        if isinstance(layer, _Resident):
            nothing, handle = tensorflow.zeros([0], layer.store.dtype), layer.store.value.handle
            tensorflow.raw_ops.AssignVariableOp(resource=handle, value=nothing)
