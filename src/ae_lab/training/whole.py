"""An epoch as one call: TensorFlow loops over the steps, Keras over the epochs alone.

Where Keras loops (``steps_per_execution``), TensorFlow calls XLA anew each step and makes four new
iterators an epoch, which takes as long as a small network's arithmetic. It also waits for those it
throws away: one whose dataset tunes itself is gone only when its tuner wakes, 10, 30, 70 ms and so
on after it was made, each sleep twice the last. So an epoch can sleep for as long as it worked.
"""

import math

import keras
import numpy as np


def can_loop() -> bool:
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

        def more(i):
            return i < tensorflow.shape(steps)[0]

        tensorflow.while_loop(more, step, [0], parallel_iterations=1)
        return self.get_metrics_result()


def endless(train, held_out, held_out_batch) -> dict:
    """What ``fit`` takes: ``train`` in a new order each epoch, ``held_out`` in batches."""
    import tensorflow

    def twice(index):
        return index, index  # a metric is only asked where there is a target

    def shuffled(index):
        return tensorflow.random.shuffle(index, seed)

    options = tensorflow.data.Options()
    options.autotune.enabled = False  # or throwing an iterator away takes as long as it lived
    seed = np.random.randint(2**31)
    epochs = tensorflow.data.Dataset.from_tensors(train).repeat().map(shuffled).map(twice)
    fed = {"x": epochs.with_options(options), "steps_per_epoch": 1, "shuffle": False}
    if not len(held_out):
        return fed
    batches = tensorflow.data.Dataset.from_tensor_slices(held_out).batch(held_out_batch)
    return fed | {
        "validation_data": batches.map(twice).repeat().with_options(options),
        "validation_steps": math.ceil(len(held_out) / held_out_batch),
    }
