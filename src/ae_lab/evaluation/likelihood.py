"""The likelihood of images under a variational autoencoder, in nats per image.

These are likelihoods of *binary* images, not comparable with the cross-entropy of grey images.
"""

from collections.abc import Callable

import keras
import numpy as np
from scipy.special import logsumexp

from ae_lab.errors import LabError
from ae_lab.models import to_logits
from ae_lab.quiet import retracing_held_back
from ae_lab.validation import check_images, check_whole

ACTIVE = 0.01  # variance of a latent's mean over the images (Burda et al., 2015, section 5.2)


def binarise(x: np.ndarray, seed: int = 0) -> np.ndarray:
    """``x`` as binary images: each pixel is 1 with its grey value as probability (``seed``)."""
    drawn = np.random.default_rng(seed).random(check_images(x).shape, dtype="float32")
    return (drawn < x).astype("float32")


def kl_divergence(z_mean: np.ndarray, z_log_var: np.ndarray) -> np.ndarray:
    """KL(N(z_mean, exp(z_log_var)) || N(0, I)) of each latent, in nats (n, latent_dim).

    Kingma & Welling (2014, appendix B). The ELBO subtracts the sum over the latents. ``z_mean``
    and ``z_log_var`` are (n, latent_dim) each, as returned by `posterior`.
    """
    z_mean, z_log_var = np.asarray(z_mean, np.float64), np.asarray(z_log_var, np.float64)
    return (z_mean**2 + np.exp(z_log_var) - 1 - z_log_var) / 2


def active_units(z_mean: np.ndarray) -> np.ndarray:
    """For each latent, whether its ``z_mean`` (n, latent_dim) varies over images: (latent_dim,)."""
    return np.asarray(z_mean, np.float64).var(axis=0) > ACTIVE


def bernoulli_log_likelihood(model: keras.Model, x: np.ndarray) -> Callable:
    """The function z (n, k, latent_dim) -> log p(x | z) (n, k) for Bernoulli pixels.

    ``model`` has a flat code; ``x`` contains only 0 and 1: grey pixels have no likelihood.
    """
    x = check_images(x)
    if not np.isin(x, (0, 1)).all():
        raise LabError("x must contain only 0 and 1, received grey pixels: use binarise(x) first.")
    decode = to_logits(model)
    flat = x.reshape(len(x), -1, 1)

    def log_likelihood(z):
        with retracing_held_back():
            logits = decode.predict_on_batch(z.reshape(-1, z.shape[-1]).astype("float32"))
        logits = logits.reshape(*z.shape[:2], -1)
        # log(1 + e^l) in single precision and vectorised by NumPy: logaddexp takes four times as
        # long, and the rounding error per pixel is below 1e-7 nats.
        softplus = np.maximum(logits, 0) + np.log(1 + np.exp(-np.abs(logits)))
        return (logits @ flat - softplus.sum(axis=2, dtype=np.float64)[..., None])[..., 0]

    return log_likelihood


def importance_nll(
    z_mean: np.ndarray,
    z_log_var: np.ndarray,
    log_likelihood: Callable[[np.ndarray], np.ndarray],
    *,
    samples: int,
    seed: int,
    at_once: int = 50,
) -> np.ndarray:
    """Negative log-likelihood (n,) in nats by importance sampling from q(z | x).

    ``-log 1/k sum_k p(x | z_k) p(z_k) / q(z_k | x)`` is biased upwards; the bias shrinks as
    ``samples`` grows (Burda et al., 2015, equation 8; Rezende et al., 2014).

    Parameters
    ----------
    z_mean, z_log_var : moments of q(z | x), (n, latent_dim) each, as returned by `posterior`.
    log_likelihood : z (n, k, latent_dim) -> log p(x | z) (n, k), for the same n images.
    samples : k, whole number of at least 1.
    seed : whole number; the same seed draws the same samples.
    at_once : number of samples that are in memory at the same time.
    """
    z_mean, spread = np.asarray(z_mean, np.float64), np.exp(np.asarray(z_log_var, np.float64) / 2)
    left, weights = check_whole(samples, "samples"), []
    rng = np.random.default_rng(seed)
    while left:
        k = min(left, at_once)
        noise = rng.standard_normal((len(z_mean), k, z_mean.shape[1]))
        z = z_mean[:, None] + spread[:, None] * noise
        # log p(z) - log q(z | x): the normalising constants of the two Gaussians cancel
        ratio = ((noise**2 - z**2) / 2 + np.log(spread)[:, None]).sum(axis=2)
        weights.append(log_likelihood(z) + ratio)
        left -= k
    return np.log(samples) - logsumexp(np.concatenate(weights, axis=1), axis=1)
