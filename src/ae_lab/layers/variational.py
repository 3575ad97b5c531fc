"""The variational bottleneck, which samples the code from a Gaussian, and a tighter bound."""

import math

import keras
from keras import ops

from ae_lab import losses
from ae_lab.layers.base import Seeded
from ae_lab.layers.fast import standard_normal
from ae_lab.validation import check_between, check_whole


@keras.saving.register_keras_serializable(package="ae_lab")
class GaussianSampling(Seeded):
    """Samples ``z = z_mean + exp(z_log_var / 2) * e`` with ``e`` from N(0, I); adds the KL penalty.

    The reparameterised sample of Kingma & Welling (2014, section 2.4). The penalty is
    ``beta * KL(N(z_mean, exp(z_log_var)) || N(0, I))`` in nats, **summed over the code, mean
    over the batch**. With a reconstruction loss in nats per image and ``beta`` 1, the total loss
    is the negative evidence lower bound (their appendix B; ``beta`` from Higgins et al., 2017).
    The layer also samples at validation: without noise the loss would not be a bound.

    Takes the pair [z_mean, z_log_var], each (n, latent_dim); returns z (n, latent_dim).

    Parameters
    ----------
    beta : weight of the KL divergence, at least 0 (off).
    seed : whole number or None.
    """

    def __init__(self, beta: float = 1.0, seed: int | None = None, **kwargs):
        super().__init__(seed, **kwargs)
        self.beta = check_between(beta, "beta", 0, 1e6)

    def call(self, moments):
        z_mean, z_log_var = moments
        terms = ops.square(z_mean) + ops.exp(z_log_var) - 1 - z_log_var
        self.add_loss(self.beta * ops.mean(ops.sum(terms, axis=-1)) / 2)
        noise = standard_normal(ops.shape(z_mean), self.seed_generator)
        return z_mean + ops.exp(z_log_var / 2) * noise

    def compute_output_shape(self, input_shape):
        return input_shape[0]


class ImportanceWeightedBound(Seeded):
    """Adds the negative importance-weighted bound to the loss; returns it per image in nats (n,).

    ``-log 1/k sum_k p(x | z_k) p(z_k) / q(z_k | x)`` with z_k from q(z | x) (Burda et al., 2015,
    equation 8). With one sample its mean is the negative evidence lower bound. With more samples
    it approaches the negative log-likelihood. `training.fit` uses it in place of the loss; it is
    not part of a model.

    Takes [x, z_mean, z_log_var]: binary images, and the moments, each (n, latent_dim).

    Parameters
    ----------
    to_logits : model from z (n, latent_dim) to the logits of the pixels, (n, height, width,
        channels).
    samples : k, whole number of at least 1.
    seed : whole number or None.
    """

    def __init__(self, to_logits: keras.Model, samples: int, seed: int | None = None, **kwargs):
        super().__init__(seed, **kwargs)
        self.to_logits = to_logits
        self.samples = check_whole(samples, "samples")

    def call(self, inputs):
        x, z_mean, z_log_var = inputs
        shape = self.samples, *ops.shape(z_mean)
        noise = standard_normal(shape, self.seed_generator)
        z = z_mean + ops.exp(z_log_var / 2) * noise
        # log p(z) - log q(z | x): the normalising constants of the two Gaussians cancel
        ratio = ops.sum((ops.square(noise) - ops.square(z) + z_log_var) / 2, axis=-1)
        logits = self.to_logits(ops.reshape(z, (-1, z_mean.shape[-1])))
        repeated = ops.tile(x, (self.samples, 1, 1, 1))
        lost = losses.binary_cross_entropy_from_logits(repeated, logits)
        weights = ratio - ops.reshape(lost, (self.samples, -1))
        values = math.log(self.samples) - ops.logsumexp(weights, axis=0)
        self.add_loss(ops.mean(values))
        return values

    def compute_output_shape(self, input_shape):
        return input_shape[0][:1]


@keras.saving.register_keras_serializable(package="ae_lab")
class Binarise(Seeded):
    """Sets each pixel to 1 with its grey value as probability, else to 0; new at each call.

    Dynamic binarisation (Salakhutdinov & Murray, 2008): published negative log-likelihoods on
    MNIST are for such images. Also active at validation. ``seed`` is a whole number or None.
    """

    def call(self, x):
        return ops.cast(self.uniform(x) < x, x.dtype)
