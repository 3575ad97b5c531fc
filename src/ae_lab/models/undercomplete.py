"""The undercomplete kind."""

from ae_lab.layers import Bottleneck
from ae_lab.models.blocks import IMAGE_SHAPE, autoencoder, dense_decoder, dense_encoder


def undercomplete(
    *,
    latent_dim=32,
    hidden=(),
    activation="relu",
    code_activation="relu",
    output_activation="sigmoid",
    image_shape=IMAGE_SHAPE,
):
    """The dense autoencoder: a code smaller than the image is its only constraint.

    With the defaults it is the network of the Keras blog (Chollet, 2016), 784-32-784.

    Parameters
    ----------
    latent_dim : size of the code, at least 1.
    hidden : widths of the encoder's hidden layers; the decoder mirrors them.
    activation, code_activation, output_activation : names of Keras activations; "linear" for
        all three gives the linear autoencoder, whose optimum is the PCA subspace
        (Baldi & Hornik, 1989).
    image_shape : (height, width, channels).

    Raises
    ------
    LabError
        If a size is not a whole number of at least 1.
    """
    encoder = dense_encoder(latent_dim, hidden, activation, code_activation, image_shape)
    decoder = dense_decoder(latent_dim, hidden[::-1], activation, output_activation, image_shape)
    return autoencoder(encoder, Bottleneck(name="bottleneck"), decoder, name="undercomplete")
