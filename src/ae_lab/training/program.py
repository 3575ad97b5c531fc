"""The training program: a functional model from the indices of a batch to its losses."""

import keras
import numpy as np
from keras import ops

from ae_lab import losses
from ae_lab.layers import ImportanceWeightedBound
from ae_lab.models import to_logits

# A loss of probabilities, and the same from the logits before the output's activation.
FROM_LOGITS = {losses.binary_cross_entropy: losses.binary_cross_entropy_from_logits}


class Resident(keras.layers.Layer):
    """Rows of an array held in memory: indices (n,) to rows (n, ...), bytes scaled to [0, 1].

    They are held, and scaled, flat: XLA's loops are slow over a last axis of one channel.
    """

    def __init__(self, rows, **kwargs):
        super().__init__(**kwargs)
        self.row_shape, self.rows = rows.shape[1:], _flat(rows)

    def build(self, input_shape):
        self.store = self.add_weight(
            shape=self.rows.shape,
            dtype=str(self.rows.dtype),
            initializer=lambda shape, dtype: ops.convert_to_tensor(self.rows),
            trainable=False,
        )

    def let_go(self):
        """Free the rows now: TensorFlow keeps each training's graphs, and they keep the rows."""
        if keras.backend.backend() == "tensorflow":
            import tensorflow

            nothing = tensorflow.zeros([0], self.store.dtype)
            for value in getattr(self.store.value, "values", [self.store.value]):
                tensorflow.raw_ops.AssignVariableOp(resource=value.handle, value=nothing)

    def call(self, index):
        taken = ops.take(self.store, index, axis=0)
        if self.rows.dtype == np.uint8:
            taken = ops.cast(taken, "float32") / 255
        return ops.reshape(taken, (-1, *self.row_shape))


def refill(program, rows):
    """Have a program whose images are its targets learn from others, as many and alike."""
    for layer in _residents(program):
        layer.store.assign(_flat(rows))


def let_go(program):
    """Free the images of a program that has been run; the models inside it are as they were."""
    for layer in _residents(program):
        layer.let_go()


def _flat(rows):
    return rows.reshape(len(rows), -1)


def _residents(program):
    return [layer for layer in program.layers if isinstance(layer, Resident)]


class MeanLoss(keras.layers.Layer):
    """Adds the batch mean of an unreduced loss; gives the loss of each image (n,)."""

    def __init__(self, loss, **kwargs):
        super().__init__(**kwargs)
        self.loss = loss

    def call(self, target, output):
        values = self.loss(target, output)
        self.add_loss(ops.mean(values))
        return values


def reconstruction(index, values):
    """The metric ``reconstruction``: what ``MeanLoss`` gives, without the penalties."""
    return values


def head_of(model, loss):
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
    rows = Resident(inputs)(index)
    return index, transform(rows) if transform else rows


def bound_program(model, inputs, samples, transform):
    index, x = _batch(inputs, transform)
    bound = ImportanceWeightedBound(to_logits(model), samples)
    return keras.Model(index, bound([x, *model.get_layer("encoder")(x)]))


def program_of(model, inputs, outputs, loss, transform=None):
    index, resident = _batch(inputs, transform)
    target = resident if outputs is inputs else Resident(outputs)(index)
    return keras.Model(index, MeanLoss(loss)(target, model(resident)))


def compiles_well(program) -> bool:
    """XLA speeds dense networks up, but not these: on a CPU oneDNN's convolutions are several times
    faster, and so is drawing the masks of dropout."""
    better_without = keras.layers.Conv2D, keras.layers.Conv2DTranspose, keras.layers.Dropout
    return not any(isinstance(layer, better_without) for layer in _all_layers(program))


def _all_layers(model):
    for layer in model.layers:
        yield layer
        yield from _all_layers(layer) if isinstance(layer, keras.Model) else ()
