"""What the layers share: what a saved model keeps of them, their shapes, random numbers."""

import inspect

import keras
from keras import KerasTensor, ops

from ae_lab.layers.fast import uniform


class Layer(keras.layers.Layer):
    """A layer whose output has its input's shape.

    A saved model keeps the arguments of its ``__init__``, each stored under the argument's name.
    """

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        names = set(inspect.signature(self.__init__).parameters) - {"kwargs"}
        return super().get_config() | {name: getattr(self, name) for name in sorted(names)}


class Seeded(Layer):
    """A layer that draws from a ``seed`` of its own, a whole number or None."""

    def __init__(self, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def uniform(self, x: KerasTensor) -> KerasTensor:
        """Fresh numbers in [0, 1), one per pixel of the images ``x``."""
        return uniform(ops.shape(x), self.seed_generator)
