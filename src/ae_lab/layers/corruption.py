"""What is done to the images of a training batch; off at inference."""

import keras
from keras import ops

from ae_lab.checks import check_between, check_whole


@keras.saving.register_keras_serializable(package="ae_lab")
class GaussianCorruption(keras.layers.Layer):
    """Adds fresh Gaussian noise at each training step and clips to [0, 1]; off at inference.

    Keras's ``GaussianNoise`` does not clip, and values outside [0, 1] tell the encoder which
    pixels were touched.

    Parameters
    ----------
    stddev : standard deviation in units of the pixel range, 0 (off) or more.
    seed : whole number or None.

    Raises
    ------
    LabError
        If ``stddev`` is no number or out of range.
    """

    def __init__(self, stddev, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.stddev = check_between(stddev, "stddev", 0, 100)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, x, training=False):
        if not training:
            return x
        noise = keras.random.normal(ops.shape(x), stddev=self.stddev, seed=self.seed_generator)
        return ops.clip(x + noise, 0, 1)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "stddev": self.stddev, "seed": self.seed}


@keras.saving.register_keras_serializable(package="ae_lab")
class RandomShift(keras.layers.Layer):
    """Moves each training batch by up to ``pixels`` along both sides; off at inference.

    Rows and columns that leave on one side come back on the other, which on MNIST's black
    margin is the same as a translation.

    Raises
    ------
    LabError
        If ``pixels`` is not a whole number of at least 0.
    """

    def __init__(self, pixels, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.pixels = check_whole(pixels, "pixels", at_least=0)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, x, training=False):
        if not training:
            return x
        low, high = -self.pixels, self.pixels + 1
        by = keras.random.randint((2,), low, high, seed=self.seed_generator)
        for axis in (1, 2):
            size = x.shape[axis]
            x = ops.take(x, (ops.arange(size) + by[axis - 1]) % size, axis=axis)
        return x

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "pixels": self.pixels, "seed": self.seed}
