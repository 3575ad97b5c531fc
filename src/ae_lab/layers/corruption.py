"""Corruptions of the images of a training batch; they do nothing at inference."""

import keras
import numpy as np
from keras import ops

from ae_lab.layers.base import Seeded
from ae_lab.layers.fast import standard_normal, uniform
from ae_lab.validation import check_between, check_whole


class Corruption(Seeded):
    """Applies ``_corrupt(x)`` of a subclass, with new random numbers at each training step."""

    def call(self, x, training=False):
        return self._corrupt(x) if training else x


@keras.saving.register_keras_serializable(package="ae_lab")
class GaussianCorruption(Corruption):
    """Adds Gaussian noise to each pixel and clips to [0, 1].

    Keras's ``GaussianNoise`` does not clip. Values outside [0, 1] would show the encoder which
    pixels are corrupted.

    Parameters
    ----------
    stddev : standard deviation in units of the pixel range, at least 0 (off).
    seed : whole number or None.
    """

    def __init__(self, stddev: float, seed: int | None = None, **kwargs):
        super().__init__(seed, **kwargs)
        self.stddev = check_between(stddev, "stddev", 0, 100)

    def _corrupt(self, x):
        noise = standard_normal(ops.shape(x), self.seed_generator)
        return ops.clip(x + self.stddev * noise, 0, 1)


class PixelCorruption(Corruption):
    """A corruption of single pixels, each chosen with the same probability.

    Parameters
    ----------
    fraction : probability that a pixel is corrupted, from 0 (off) to 1.
    seed : whole number or None.
    """

    def __init__(self, fraction: float, seed: int | None = None, **kwargs):
        super().__init__(seed, **kwargs)
        self.fraction = check_between(fraction, "fraction", 0, 1)


@keras.saving.register_keras_serializable(package="ae_lab")
class MaskingCorruption(PixelCorruption):
    """Sets each pixel to 0 with probability ``fraction``.

    The corruption of Vincent et al. (2008) and of the handout. Unlike dropout it does not scale
    the other pixels up: they keep their grey values.
    """

    def _corrupt(self, x):
        return ops.where(self.uniform(x) < self.fraction, 0.0, x)


@keras.saving.register_keras_serializable(package="ae_lab")
class Dropout(PixelCorruption):
    """Sets each value to 0 with probability ``fraction``; scales the others to keep the mean.

    Srivastava et al. (2014), like ``keras.layers.Dropout``, but with the random numbers of this
    package, so that XLA compiles networks with it into fast programs.
    """

    def _corrupt(self, x):
        return ops.where(self.uniform(x) < self.fraction, 0.0, x / (1 - self.fraction))


@keras.saving.register_keras_serializable(package="ae_lab")
class SaltAndPepperCorruption(PixelCorruption):
    """Sets each pixel to 0 or to 1, each with probability ``fraction / 2``.

    Vincent et al. (2010), section 3.3. With masking, a white pixel is certainly not corrupted.
    Here it may be, so neither black nor white shows whether a pixel is corrupted.
    """

    def _corrupt(self, x):
        drawn = self.uniform(x)
        salted = ops.where(drawn < self.fraction, 1.0, x)
        return ops.where(drawn < self.fraction / 2, 0.0, salted)


@keras.saving.register_keras_serializable(package="ae_lab")
class RandomShift(Corruption):
    """Shifts all images of a batch together by up to ``pixels`` along both axes.

    Rows and columns that leave on one side return on the other. MNIST images have a black border,
    so this equals a translation.

    Parameters
    ----------
    pixels : largest shift along each axis, a whole number of at least 0.
    seed : whole number or None.
    """

    def __init__(self, pixels: int, seed: int | None = None, **kwargs):
        super().__init__(seed, **kwargs)
        self.pixels = check_whole(pixels, "pixels", at_least=0)

    def _corrupt(self, x):
        low, high = -self.pixels, self.pixels + 1
        by = keras.random.randint((2,), low, high, seed=self.seed_generator)
        for axis in (1, 2):
            size = x.shape[axis]
            x = ops.take(x, (ops.arange(size) + by[axis - 1]) % size, axis=axis)
        return x


@keras.saving.register_keras_serializable(package="ae_lab")
class RandomSlant(Corruption):
    """Slants and zooms each image along both axes by random amounts.

    Each row moves sideways by up to ``amount`` pixels for each row between it and the middle. Then
    the columns move up or down in the same way. Together these moves slant and rotate the image,
    like different handwritings. Values between pixels are interpolated linearly. Pixels that leave
    on one side return on the other, as in `RandomShift`.

    Parameters
    ----------
    amount : largest slant in pixels per row, in [0, 1]; slants are drawn uniformly.
    zoom : largest relative change of length along an axis, in [0, 0.5], also drawn uniformly.
    seed : whole number or None.
    """

    def __init__(self, amount: float, zoom: float = 0.0, seed: int | None = None, **kwargs):
        super().__init__(seed, **kwargs)
        self.amount = check_between(amount, "amount", 0, 1)
        self.zoom = check_between(zoom, "zoom", 0, 0.5)

    def _corrupt(self, x):
        for moved, fixed in ((2, 1), (1, 2)):
            x = self._slanted(x, moved, fixed)
        return x

    def _slanted(self, x, moved, fixed):
        places = np.ogrid[:1, : x.shape[1], : x.shape[2], :1]  # pixel positions along each axis
        by = 0.0
        for amount, axis in ((self.amount, fixed), (self.zoom, moved)):
            drawn = 2 * uniform((ops.shape(x)[0], 1, 1, 1), self.seed_generator) - 1
            from_middle = places[axis].astype("float32") - (x.shape[axis] - 1) / 2
            by = by + amount * drawn * from_middle
        whole, size = ops.floor(by), x.shape[moved]
        index = ops.cast(whole, "int32") + places[moved].astype("int32")
        left, right = (
            ops.take_along_axis(x, ops.broadcast_to((index + step) % size, ops.shape(x)), moved)
            for step in (0, 1)
        )
        return (1 - (by - whole)) * left + (by - whole) * right
