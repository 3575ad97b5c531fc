"""What the layers share: random numbers, and an output of the input's shape."""

import keras
from keras import KerasTensor, ops


class Seeded(keras.layers.Layer):
    """A layer that draws from a ``seed`` of its own, a whole number or None.

    Its output has the input's shape.
    """

    def __init__(self, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def uniform(self, x: KerasTensor) -> KerasTensor:
        """Fresh numbers in [0, 1), one per pixel of the images ``x``."""
        return keras.random.uniform(ops.shape(x), seed=self.seed_generator)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}
