"""Penalties on the encoder's Jacobian: in closed form, and estimated."""

import keras
from keras import ops

from ae_lab.layers.base import Layer, Seeded
from ae_lab.validation import check_between

SMALLEST_STEP = 1e-4  # below it, rounding exceeds the difference of two codes


@keras.saving.register_keras_serializable(package="ae_lab")
class ContractiveCode(keras.layers.Dense):
    """Sigmoid code ``h = sigmoid(x W + b)`` with a penalty on the norm of its Jacobian.

    The penalty of an image is ``weight * ||dh/dx||_F**2``, which for one sigmoid layer is
    ``weight * sum_j (h_j (1 - h_j))**2 * sum_i W_ij**2`` (Rifai et al., 2011). The kernel is the
    live one, so that the gradient reaches it both through h and through the norm.

    Parameters
    ----------
    units : size of the code.
    weight : nats per image for each unit of the squared norm, 0 (off) or more.
    """

    def __init__(self, units: int, weight: float, **kwargs):
        super().__init__(units, activation="sigmoid", **kwargs)
        self.weight = check_between(weight, "weight", 0, 1e6)

    def call(self, x):
        h = super().call(x)
        slopes = ops.square(h * (1 - h))
        norms = ops.sum(ops.square(self.kernel), axis=0)
        self.add_loss(self.weight * ops.mean(ops.sum(slopes * norms, axis=-1)))
        return h

    def get_config(self):
        config = {**super().get_config(), "weight": self.weight}
        del config["activation"]  # always the sigmoid: the formula is its own
        return config


@keras.saving.register_keras_serializable(package="ae_lab")
class RandomStep(Seeded):
    """``x + step * e`` with a fresh ``e`` of random signs, in training and at inference.

    Signs have mean 0 and variance 1, which is all that Hutchinson's estimate requires, and of
    all such directions they give it the least variance (Hutchinson, 1990).

    Parameters
    ----------
    step : length in each pixel, in units of the pixel range, from 0.0001 to 1.
    seed : whole number or None.
    """

    def __init__(self, step: float, seed: int | None = None, **kwargs):
        super().__init__(seed, **kwargs)
        self.step = check_between(step, "step", SMALLEST_STEP, 1)

    def call(self, x):
        return x + self.step * ops.where(self.uniform(x) < 0.5, -1.0, 1.0)


@keras.saving.register_keras_serializable(package="ae_lab")
class ContractiveBottleneck(Layer):
    """Takes the codes of ``x`` and of ``RandomStep(step)(x)``; passes the first one on.

    ``||(f(x + step e) - f(x)) / step||**2`` has mean ``||J||_F**2`` over the random ``e``, up to
    terms of the order of ``step`` (Hutchinson, 1990): one more pass through the encoder, however
    deep, in place of its whole Jacobian. ``weight`` times its batch mean is added to the loss.

    Parameters
    ----------
    weight : nats per image for each unit of the squared norm, 0 (off) or more.
    step : that of the ``RandomStep``.
    """

    def __init__(self, weight: float, step: float, **kwargs):
        super().__init__(**kwargs)
        self.weight = check_between(weight, "weight", 0, 1e6)
        self.step = check_between(step, "step", SMALLEST_STEP, 1)

    def call(self, codes):
        z, z_near = codes
        squared_norms = ops.sum(ops.square((z_near - z) / self.step), axis=-1)
        self.add_loss(self.weight * ops.mean(squared_norms))
        return z

    def compute_output_shape(self, input_shape):
        return input_shape[0]
