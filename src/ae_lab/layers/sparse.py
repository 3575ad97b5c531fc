"""Sparse bottlenecks: two penalties on activity, two that keep the largest activations only.

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
    """What the four share: the name "bottleneck"."""

    def __init__(self, name="bottleneck", **kwargs):
        super().__init__(name=name, **kwargs)


@keras.saving.register_keras_serializable(package="ae_lab")
class KLSparsity(_SparseBottleneck):
    """Asks each unit of a sigmoid code to have the mean activation ``target``.

    Adds ``weight * sum_j KL(target || mean_j)`` in nats per image, where ``mean_j`` is the mean
    activation of unit j over the batch and KL is that of two Bernoulli variables (Ng, 2011). It is
    a penalty on the batch mean, so it is not divided by the batch size: the weight means the same
    for every batch size, which a Keras activity regulariser would not give.

    Parameters
    ----------
    target : wanted mean activation, in [0.0001, 0.9999].
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
    """Adds ``weight * sum_j |z_j|``, mean over the batch: a penalty on the size of each activation.

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

    At inference ``alpha * k`` are kept, rounded, at most all (Makhzani & Frey, 2013, section 2).
    The gradient flows through the survivors only. Where several share the last place, all of
    them survive. ``k`` may be changed between two trainings, to let it fall.

    Parameters
    ----------
    k : activations kept per image in training, at least 1 and at most the number of units.
    alpha : factor by which more are kept at inference, at least 1.
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
        # the textbook's line: ops.where(z >= ops.top_k(z, kept)[0][:, -1:], z, 0)
        return keep_largest(z, kept, axis=-1)


@keras.saving.register_keras_serializable(package="ae_lab")
class WinnerTakeAll(_SparseBottleneck):
    """Keeps the largest activations of each unit over a training batch, a ``share`` of them.

    Lifetime sparsity (Makhzani & Frey, 2015, section 2): a unit is compared with itself on other
    images, so none can die. Off at inference, where the activation (ReLU) alone decides.

    Parameters
    ----------
    share : of the images of a batch, in (0, 1]; each unit keeps at least one activation.
    """

    def __init__(self, share: float = 0.05, **kwargs):
        super().__init__(**kwargs)
        self.share = check_between(share, "share", 1e-6, 1)

    def call(self, z, training=False):
        if not training:
            return z
        kept = ops.round(self.share * ops.cast(ops.shape(z)[0], "float32"))
        return keep_largest(z, ops.maximum(1.0, kept), axis=0)
