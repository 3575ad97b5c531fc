"""What a training is fed: images as bytes or floats, their batches, and the order of the rows.

Images stay as they are handed over, bytes as bytes, until a batch of them is needed as floats.
"""

import math
from dataclasses import dataclass

import keras
import numpy as np

from ae_lab.errors import LabError


def as_floats(rows: np.ndarray) -> np.ndarray:
    """Bytes as floats in [0, 1]; anything else as it is."""
    return rows.astype("float32") / np.float32(255) if rows.dtype == np.uint8 else rows


def joined(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Training rows, then validation rows: as bytes if both are bytes, else as float32.

    Raises
    ------
    LabError
        If their rows differ in shape.
    """
    if first.shape[1:] != second.shape[1:]:
        raise LabError(
            f"training and validation rows must have the same shape, received {first.shape[1:]} "
            f"and {second.shape[1:]}: prepare both in the same way."
        )
    if not first.dtype == second.dtype == np.uint8:
        first, second = (as_floats(part).astype("float32", copy=False) for part in (first, second))
    return np.concatenate([first, second])


@dataclass(frozen=True)
class Examples:
    """Training rows and, behind them, validation rows.

    Parameters
    ----------
    inputs : array (n, ...), bytes or float32.
    targets : array (n, ...) of bytes, float32 or labels; None if the inputs are the targets.
    count : how many of the n rows are training rows.
    """

    inputs: np.ndarray
    targets: np.ndarray | None
    count: int

    def batch(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and targets of the rows with these numbers, as floats."""
        x = as_floats(self.inputs[rows])
        return x, x if self.targets is None else as_floats(self.targets[rows])


class Batches(keras.utils.PyDataset):
    """Batches by step, epoch after epoch without end.

    Parameters
    ----------
    batch : function of row numbers (batch_size,) that gives a batch (x, target).
    orders : for each epoch an array of row numbers.
    batch_size : rows per batch.
    """

    num_batches = None  # without end

    def __init__(self, batch, orders: list[np.ndarray], batch_size: int):
        super().__init__()
        self.batch, self.orders, self.batch_size = batch, orders, batch_size
        self.steps = math.ceil(len(orders[0]) / batch_size)

    def __getitem__(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        epoch, i = divmod(step, self.steps)
        order = self.orders[min(epoch, len(self.orders) - 1)]  # Keras may look ahead
        return self.batch(order[i * self.batch_size : (i + 1) * self.batch_size])


def whole_batches(count: int, batch_size: int) -> np.ndarray:
    """0 to ``count`` - 1, filled up from the front: a batch of another size is compiled anew."""
    return np.resize(np.arange(count, dtype="int32"), math.ceil(count / batch_size) * batch_size)


def orders(rows: np.ndarray, epochs: int) -> list[np.ndarray]:
    """``rows`` in a new order for each epoch, which follows from `seed_everything`."""
    if keras.backend.backend() == "tensorflow":
        return list(shuffled(rows).take(epochs).as_numpy_iterator())
    rng = np.random.default_rng(np.random.randint(2**31))
    return [rng.permutation(rows) for _ in range(epochs)]


def shuffled(rows: np.ndarray):
    """The same orders without end, as a ``tf.data.Dataset``, which TensorFlow reads fastest."""
    import tensorflow

    seed = np.random.randint(2**31)
    options = tensorflow.data.Options()
    options.autotune.enabled = False  # or throwing an iterator away takes as long as it lived
    epochs = tensorflow.data.Dataset.from_tensors(rows).repeat()
    return epochs.map(lambda x: tensorflow.random.shuffle(x, seed)).with_options(options)


def loss_itself(targets, values):
    """The metric of a network that gives its loss per image, without the penalties."""
    return values
