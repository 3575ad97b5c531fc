"""An epoch as one call: TensorFlow's XLA loops over the steps, Keras over the epochs alone.

Where Keras loops (``steps_per_execution``), TensorFlow calls XLA anew each step and makes four new
iterators an epoch. For a small network that takes as long as its arithmetic.
"""

import math

import keras
import numpy as np


def xla_can_loop() -> bool:
    """Whether `WholeEpochs` can run: on TensorFlow, where no strategy deals a batch out."""
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow

    return not tensorflow.distribute.has_strategy()


class WholeEpochs(keras.Model):
    """A training program that is given all indices of an epoch at once."""

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

        tensorflow.while_loop(lambda i: i < tensorflow.shape(steps)[0], step, [0])
        return self.get_metrics_result()


def endless(train, held_out, held_out_batch) -> dict:
    """What ``fit`` takes: ``train`` in a new order each epoch, ``held_out`` in batches."""
    import tensorflow

    def twice(index):
        return index, index  # a metric is only asked where there is a target

    def shuffled(index):
        return tensorflow.random.shuffle(index, seed)

    seed = np.random.randint(2**31)
    epochs = tensorflow.data.Dataset.from_tensors(train).repeat().map(shuffled).map(twice)
    fed = {"x": epochs, "steps_per_epoch": 1, "shuffle": False}
    if not len(held_out):
        return fed
    batches = tensorflow.data.Dataset.from_tensor_slices(held_out).batch(held_out_batch)
    return fed | {
        "validation_data": batches.map(twice).repeat(),
        "validation_steps": math.ceil(len(held_out) / held_out_batch),
    }
