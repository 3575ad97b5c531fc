"""The description of one training, and the order of its rows.

Images keep their type, bytes or floats, until a batch of them is needed as floats.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import keras
import numpy as np

from ae_lab.data.mnist import as_floats
from ae_lab.errors import LabError
from ae_lab.validation import check_between, check_same_shape, check_whole

OPTIMIZERS = "adam", "sgd"


@dataclass(frozen=True)
class Plan:
    """One training, as the engines receive it.

    Parameters
    ----------
    inputs : rows (n, ...), first those for training, then those for validation; bytes or float32.
    targets : array (n, ...) of bytes, float32 or labels; None if the inputs are the targets.
    count : number of rows for training.
    loss : function of (targets, outputs), one number per image; None if the model adds its loss
        with ``add_loss`` and outputs it per image.
    epochs, batch_size, learning_rate, weight_decay, optimizer, transform, on_epoch : as in
        `training.fit`.
    """

    inputs: np.ndarray
    targets: np.ndarray | None
    count: int
    loss: Callable | None
    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float = 0.0
    optimizer: str = "adam"
    transform: keras.layers.Layer | None = None
    on_epoch: Callable[[int, dict], object] | None = None

    def __post_init__(self):
        check_whole(self.epochs, "epochs")
        check_whole(self.batch_size, "batch_size")
        check_between(self.learning_rate, "learning_rate", 0, math.inf)
        check_between(self.weight_decay, "weight_decay", 0, math.inf)
        if self.optimizer not in OPTIMIZERS:
            raise LabError(
                f"optimizer must be one of {', '.join(OPTIMIZERS)}, received {self.optimizer!r}."
            )

    @property
    def steps(self) -> int:
        """Batches per epoch."""
        return math.ceil(self.count / self.batch_size)

    @property
    def rows(self) -> np.ndarray:
        """Indices of the training rows; the first ones are repeated to fill the last batch."""
        return np.resize(np.arange(self.count, dtype="int32"), self.steps * self.batch_size)

    def batch(self, rows: np.ndarray | slice) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and targets of the ``rows`` with these indices, as floats."""
        x = as_floats(self.inputs[rows])
        return x, x if self.targets is None else as_floats(self.targets[rows])

    def batches(self, batch: Callable) -> Iterator[tuple]:
        """``batch(rows)`` for the row indices of each batch; their order is new in each epoch."""
        for order in orders(self.rows, self.epochs):
            for rows in order.reshape(-1, self.batch_size):
                yield batch(rows)


def joined(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Rows of ``first`` (training), then of ``second`` (validation): bytes if both are bytes."""
    check_same_shape(first.shape[1:], second.shape[1:], "training", "validation rows")
    if not first.dtype == second.dtype == np.uint8:
        first, second = (as_floats(part).astype("float32", copy=False) for part in (first, second))
    return np.concatenate([first, second])


def orders(rows: np.ndarray, epochs: int) -> list[np.ndarray]:
    """``rows`` in a new order for each of ``epochs``, determined by `seed_everything`."""
    if keras.backend.backend() == "tensorflow":
        return list(shuffled(rows).take(epochs).as_numpy_iterator())
    rng = np.random.default_rng(np.random.randint(2**31))
    return [rng.permutation(rows) for _ in range(epochs)]


def shuffled(rows: np.ndarray):
    """The same orders of ``rows`` as in ``orders``, as an endless TensorFlow dataset."""
    import tensorflow

    seed = np.random.randint(2**31)
    options = tensorflow.data.Options()
    options.autotune.enabled = False  # its thread would delay the end by up to an epoch's time
    epochs = tensorflow.data.Dataset.from_tensors(rows).repeat()
    return epochs.map(lambda x: tensorflow.random.shuffle(x, seed)).with_options(options)
