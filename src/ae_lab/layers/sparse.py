"""Sparse bottlenecks: two add a penalty on activity, two keep only the largest activations.

Ng's lecture notes *Sparse autoencoder* (2011); Makhzani & Frey, *k-Sparse Autoencoders* (2013)
and *Winner-Take-All Autoencoders* (2015).
"""

import keras
from keras import ops

from ae_lab.layers.base import Layer
from ae_lab.layers.fast import keep_largest
from ae_lab.validation import check_at_most, check_between, check_whole

EPSILON = 1e-7
LARGEST_WEIGHT = 1e6


class _SparseBottleneck(Layer):
    """What the four bottlenecks share: the name "bottleneck"."""

    def __init__(self, name="bottleneck", **kwargs):
        super().__init__(name=name, **kwargs)


@keras.saving.register_keras_serializable(package="ae_lab")
class KLSparsity(_SparseBottleneck):
    """Penalises units of a sigmoid code whose mean activation differs from ``target``.

    Adds ``weight * sum_j KL(target || mean_j)`` in nats per image. ``mean_j`` is the mean
    activation of unit j over the batch; KL is the divergence of two Bernoulli distributions
    (Ng, 2011). The penalty is computed from batch means and is not divided by the batch size, so
    the weight means the same for every batch size. A Keras activity regulariser would divide.

    Parameters
    ----------
    target : desired mean activation, in [0.0001, 0.9999].
    weight : nats per image for each nat of divergence, at least 0 (off).
    """

    def __init__(self, target: float = 0.05, weight: float = 1.0, **kwargs):
        super().__init__(**kwargs)
        self.target = check_between(target, "target", 1e-4, 1 - 1e-4)
        self.weight = check_between(weight, "weight", 0, LARGEST_WEIGHT)

    def call(self, z):
        mean = ops.clip(ops.mean(z, axis=0), EPSILON, 1 - EPSILON)
        on = self.target * ops.log(self.target / mean)
        off = (1 - self.target) * ops.log((1 - self.target) / (1 - mean))
        self.add_loss(self.weight * ops.sum(on + off))
        return z


@keras.saving.register_keras_serializable(package="ae_lab")
class L1Sparsity(_SparseBottleneck):
    """Adds ``weight * sum_j |z_j|``, mean over the batch: a penalty on the size of activations.

    Parameters
    ----------
    weight : nats (or squared error) per image for one unit of activation, at least 0 (off).
    """

    def __init__(self, weight: float = 0.1, **kwargs):
        super().__init__(**kwargs)
        self.weight = check_between(weight, "weight", 0, LARGEST_WEIGHT)

    def call(self, z):
        self.add_loss(self.weight * ops.sum(ops.mean(ops.abs(z), axis=0)))
        return z


@keras.saving.register_keras_serializable(package="ae_lab")
class KSparse(_SparseBottleneck):
    """Keeps the ``k`` largest activations of each image and sets the others to zero.

    At inference the ``alpha * k`` largest are kept, rounded (Makhzani & Frey, 2013, section 2).
    The gradient flows only through the activations that are kept. If several activations tie
    for the last place, all of them are kept. ``k`` may be changed between two trainings.

    Parameters
    ----------
    k : activations kept per image in training, at least 1 and at most the number of units.
    alpha : at inference, ``alpha`` times as many activations are kept; at least 1.
    """

    def __init__(self, k: int, alpha: float = 1.0, **kwargs):
        super().__init__(**kwargs)
        self.k = check_whole(k, "k")
        self.alpha = check_between(alpha, "alpha", 1, 1e6)

    def build(self, input_shape):
        check_at_most(self.k, "k", input_shape[-1], "number of units")
        self.built = True

    def call(self, z, training=False):
        kept = self.k if training else min(round(self.alpha * self.k), z.shape[-1])
        # textbook: ops.where(z >= ops.top_k(z, kept)[0][:, -1:], z, 0)
        return keep_largest(z, kept, axis=-1)


@keras.saving.register_keras_serializable(package="ae_lab")
class WinnerTakeAll(_SparseBottleneck):
    """For each unit, keeps a ``share`` of its activations in the batch, the largest; others are 0.

    Lifetime sparsity (Makhzani & Frey, 2015, section 2): each unit competes with itself on other
    images, so no unit can die. Off at inference, where only the activation function (ReLU) acts.

    Parameters
    ----------
    share : share of the images of a batch, in (0, 1]; each unit keeps at least one activation.
    """

    def __init__(self, share: float = 0.05, **kwargs):
        super().__init__(**kwargs)
        self.share = check_between(share, "share", 1e-6, 1)

    def call(self, z, training=False):
        if not training:
            return z
        kept = ops.round(self.share * ops.cast(ops.shape(z)[0], "float32"))
        return keep_largest(z, ops.maximum(1.0, kept), axis=0)
