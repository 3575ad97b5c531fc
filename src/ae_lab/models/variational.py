"""The variational kind."""

import keras

from ae_lab.layers import GaussianSampling
from ae_lab.models.blocks import IMAGE_SHAPE, autoencoder, dense_decoder, dense_encoder
from ae_lab.validation import check_whole


def variational(
    *,
    latent_dim=20,
    hidden=(500,),
    activation="gelu",
    beta=1.0,
    image_shape=IMAGE_SHAPE,
):
    """The variational autoencoder (Kingma & Welling, 2014): Gaussian code, Bernoulli pixels.

    Its ``encoder`` gives the pair [z_mean, z_log_var], its ``bottleneck`` a sample of the code,
    at inference too; `evaluation.reconstruct` goes through z_mean.

    Parameters
    ----------
    beta : price of the KL divergence; 1 for the evidence lower bound, 0 for none.
    Others as in ``undercomplete``.

    Raises
    ------
    LabError
        If a size is not a whole number of at least 1 or ``beta`` is out of range.
    """
    check_whole(latent_dim, "latent_dim")
    both = dense_encoder(2 * latent_dim, hidden, activation, "linear", image_shape)
    moments = keras.ops.split(both.output, 2, axis=-1)
    encoder = keras.Model(both.input, moments, name="encoder")
    decoder = dense_decoder(latent_dim, hidden[::-1], activation, "sigmoid", image_shape)
    bottleneck = GaussianSampling(beta, name="bottleneck")
    return autoencoder(encoder, bottleneck, decoder, name="variational")
