"""Penalties on the encoder's Jacobian: the exact one in closed form, and an estimate."""

import keras
from keras import ops

from ae_lab.layers.base import Layer, Seeded
from ae_lab.validation import check_between

SMALLEST_STEP = 1e-4  # with a smaller step, rounding errors exceed the difference of two codes


@keras.saving.register_keras_serializable(package="ae_lab")
class ContractiveCode(keras.layers.Dense):
    """Sigmoid code ``h = sigmoid(x W + b)`` with a penalty on the norm of its Jacobian.

    The penalty is ``weight * ||dh/dx||_F**2`` per image. For one sigmoid layer this equals
    ``weight * sum_j (h_j (1 - h_j))**2 * sum_i W_ij**2`` (Rifai et al., 2011). The gradient flows
    to W both through h and through the norm of W.

    Parameters
    ----------
    units : size of the code, at least 1.
    weight : nats per image for each unit of the squared norm, at least 0 (off).
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
        del config["activation"]  # always sigmoid: the formula holds for no other
        return config


@keras.saving.register_keras_serializable(package="ae_lab")
class RandomStep(Seeded):
    """``x + step * e`` with a new ``e`` of random signs at each call, also at inference.

    Hutchinson's estimate needs directions with mean 0 and variance 1. Random signs have both,
    and give the estimate with the smallest variance (Hutchinson, 1990).

    Parameters
    ----------
    step : change of each pixel, in units of the pixel range, from 0.0001 to 1.
    seed : whole number or None.
    """

    def __init__(self, step: float, seed: int | None = None, **kwargs):
        super().__init__(seed, **kwargs)
        self.step = check_between(step, "step", SMALLEST_STEP, 1)

    def call(self, x):
        return x + self.step * ops.where(self.uniform(x) < 0.5, -1.0, 1.0)


@keras.saving.register_keras_serializable(package="ae_lab")
class ContractiveBottleneck(Layer):
    """Takes the codes of ``x`` and of ``RandomStep(step)(x)``; returns the first.

    Over the random ``e``, the mean of ``||(f(x + step e) - f(x)) / step||**2`` is ``||J||_F**2``,
    up to terms of the order of ``step`` (Hutchinson, 1990). This needs one more pass through the
    encoder, of any depth, but not the whole Jacobian. ``weight`` times the mean of this estimate
    over the batch is added to the loss.

    Parameters
    ----------
    weight : nats per image for each unit of the squared norm, at least 0 (off).
    step : the step of the ``RandomStep``, in units of the pixel range, from 0.0001 to 1.
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
