"""Corruptions of the images of a training batch; off at inference."""

import keras
import numpy as np
from keras import ops

from ae_lab.layers.base import Seeded
from ae_lab.layers.fast import standard_normal, uniform
from ae_lab.validation import check_between, check_whole


class Corruption(Seeded):
    """Corrupts as ``_corrupt(x)`` of a subclass does: fresh at each step, off at inference."""

    def call(self, x, training=False):
        return self._corrupt(x) if training else x


@keras.saving.register_keras_serializable(package="ae_lab")
class GaussianCorruption(Corruption):
    """Adds Gaussian noise to each pixel and clips to [0, 1].

    Keras's ``GaussianNoise`` does not clip, and values outside [0, 1] tell the encoder which
    pixels were corrupted.

    Parameters
    ----------
    stddev : standard deviation in units of the pixel range, 0 (off) or more.
    seed : whole number or None.
    """

    def __init__(self, stddev: float, seed: int | None = None, **kwargs):
        super().__init__(seed, **kwargs)
        self.stddev = check_between(stddev, "stddev", 0, 100)

    def _corrupt(self, x):
        noise = standard_normal(ops.shape(x), self.seed_generator)
        return ops.clip(x + self.stddev * noise, 0, 1)


class PixelCorruption(Corruption):
    """A corruption of single pixels, each with the same probability.

    Parameters
    ----------
    fraction : that probability, from 0 (off) to 1.
    seed : whole number or None.
    """

    def __init__(self, fraction: float, seed: int | None = None, **kwargs):
        super().__init__(seed, **kwargs)
        self.fraction = check_between(fraction, "fraction", 0, 1)


@keras.saving.register_keras_serializable(package="ae_lab")
class MaskingCorruption(PixelCorruption):
    """Sets each pixel to 0 with probability ``fraction``.

    The corruption of Vincent et al. (2008), and the handout's. Unlike dropout it does not
    scale up the other pixels: they keep their grey values.
    """

    def _corrupt(self, x):
        return ops.where(self.uniform(x) < self.fraction, 0.0, x)


@keras.saving.register_keras_serializable(package="ae_lab")
class Dropout(PixelCorruption):
    """Sets each value to 0 with probability ``fraction`` and scales up the others to the same sum.

    Srivastava et al. (2014), as ``keras.layers.Dropout`` does it, with the draws of this package:
    a network with it gains from being compiled.
    """

    def _corrupt(self, x):
        return ops.where(self.uniform(x) < self.fraction, 0.0, x / (1 - self.fraction))


@keras.saving.register_keras_serializable(package="ae_lab")
class SaltAndPepperCorruption(PixelCorruption):
    """Sets each pixel with probability ``fraction`` to 0 or 1, equally often.

    Vincent et al. (2010), section 3.3. Unlike with masking, a white pixel may be noise too: the
    value of a pixel does not tell whether it was corrupted.
    """

    def _corrupt(self, x):
        drawn = self.uniform(x)
        salted = ops.where(drawn < self.fraction, 1.0, x)
        return ops.where(drawn < self.fraction / 2, 0.0, salted)


@keras.saving.register_keras_serializable(package="ae_lab")
class RandomShift(Corruption):
    """Moves a batch, all images alike, by up to ``pixels`` along both sides.

    Rows and columns that leave on one side come back on the other, which on MNIST's black
    margin is the same as a translation.

    Parameters
    ----------
    pixels : largest move along each side, whole number of at least 0.
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
    """Slants, and zooms, each image along both sides by random amounts of its own.

    Each row moves sideways by up to ``amount`` pixels for each row between it and the middle, and
    then each column likewise up or down: the two together slant and turn, as handwriting differs.
    Values between pixels are interpolated linearly; what leaves on one side comes back on the
    other, as in `RandomShift`.

    Parameters
    ----------
    amount : largest slant in pixels per row, in [0, 1]; slants are drawn uniformly.
    zoom : largest share by which each side is made longer or shorter, in [0, 0.5], drawn likewise.
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
        places = np.ogrid[:1, : x.shape[1], : x.shape[2], :1]  # of the pixels, along each axis
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
