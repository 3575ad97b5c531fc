"""The denoising kind."""

from ae_lab.layers import Bottleneck, GaussianCorruption
from ae_lab.models.parts import IMAGE_SHAPE, autoencoder, dense_decoder, dense_encoder


def denoising(
    *,
    stddev=0.5,
    latent_dim=128,
    hidden=(512,),
    activation="relu",
    code_activation="relu",
    image_shape=IMAGE_SHAPE,
):
    """The denoising autoencoder: corrupted in training, asked for the clean image.

    Vincent et al. (2008), with Gaussian corruption of standard deviation ``stddev`` clipped to
    [0, 1]. At inference nothing is added: hand it noisy images and it cleans them.

    Raises
    ------
    LabError
        If a size is not a whole number of at least 1 or ``stddev`` is out of range.
    """
    encoder = dense_encoder(latent_dim, hidden, activation, code_activation, image_shape)
    decoder = dense_decoder(latent_dim, hidden[::-1], activation, "sigmoid", image_shape)
    corruption = GaussianCorruption(stddev, name="corruption")
    return autoencoder(
        encoder, Bottleneck(name="bottleneck"), decoder, name="denoising", corruption=corruption
    )
