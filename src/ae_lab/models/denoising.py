"""The denoising kind."""

from keras import layers

from ae_lab.errors import LabError
from ae_lab.layers import Bottleneck, GaussianCorruption
from ae_lab.models.blocks import IMAGE_SHAPE, autoencoder, dense_decoder, dense_encoder


def denoising(
    *,
    stddev=0.5,
    corruption=None,
    latent_dim=128,
    hidden=(512,),
    activation="relu",
    code_activation="relu",
    image_shape=IMAGE_SHAPE,
):
    """The denoising autoencoder: corrupted in training, asked for the clean image.

    Vincent et al. (2008). At inference nothing is added: hand it noisy images and it cleans
    them. For one made of convolutions, hand a corruption to ``convolutional``.

    Parameters
    ----------
    stddev : deviation of the Gaussian corruption, clipped to [0, 1]; 0 turns it off.
    corruption : another corruption layer, in place of the Gaussian one.
    latent_dim, hidden, activation, code_activation, image_shape : as in ``undercomplete``.

    Raises
    ------
    LabError
        If a size is not a whole number of at least 1, ``stddev`` is out of range, or
        ``corruption`` is no layer.
    """
    encoder = dense_encoder(latent_dim, hidden, activation, code_activation, image_shape)
    decoder = dense_decoder(latent_dim, hidden[::-1], activation, "sigmoid", image_shape)
    if corruption is None:
        corruption = GaussianCorruption(stddev, name="corruption")
    if not isinstance(corruption, layers.Layer):
        raise LabError(
            f"corruption must be a layer, received {corruption!r}: "
            "pass one of ae_lab.layers, for example MaskingCorruption(0.5)."
        )
    bottleneck = Bottleneck(name="bottleneck")
    return autoencoder(encoder, bottleneck, decoder, name="denoising", corruption=corruption)
