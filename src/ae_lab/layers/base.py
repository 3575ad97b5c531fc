"""What all layers share: the configuration in a saved model, output shapes, random numbers."""

import inspect

import keras
from keras import KerasTensor, ops

from ae_lab.layers.fast import uniform


class Layer(keras.layers.Layer):
    """A layer whose output has the shape of its input.

    A saved model stores the arguments of ``__init__``; each is an attribute of the same name.
    """

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        names = set(inspect.signature(self.__init__).parameters) - {"kwargs"}
        return super().get_config() | {name: getattr(self, name) for name in sorted(names)}


class Seeded(Layer):
    """A layer with its own random generator; ``seed`` is a whole number or None."""

    def __init__(self, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def uniform(self, x: KerasTensor) -> KerasTensor:
        """Random numbers in [0, 1), one per pixel of the images ``x``, new at each call."""
        return uniform(ops.shape(x), self.seed_generator)
