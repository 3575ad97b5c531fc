"""The contractive kind."""

import keras
from keras import layers

from ae_lab.checks import check_whole
from ae_lab.layers import Bottleneck, ContractiveBottleneck, ContractiveCode, RandomStep
from ae_lab.models.parts import IMAGE_SHAPE, autoencoder, dense_decoder, dense_encoder


def contractive(
    *,
    weight=0.1,
    latent_dim=128,
    hidden=(),
    activation="relu",
    step=0.01,
    image_shape=IMAGE_SHAPE,
):
    """The contractive autoencoder: an encoder whose Jacobian has its price (Rifai et al., 2011).

    The code is sigmoid. Without hidden layers the price is exact and lives in the code layer
    itself; with them it is Hutchinson's estimate from one random step an image.

    Parameters
    ----------
    weight : nats an image for each unit of the squared Frobenius norm; 0 is the plain kind.
    latent_dim, hidden, activation, image_shape : as in `undercomplete`.
    step : length in each pixel of the random step, used with hidden layers only.

    Raises
    ------
    LabError
        If a size is not a whole number of at least 1, or a number is out of range.
    """
    check_whole(latent_dim, "latent_dim")
    parts = (latent_dim, hidden[::-1], activation, "sigmoid", image_shape)
    if hidden:
        encoder = dense_encoder(latent_dim, hidden, activation, "sigmoid", image_shape)
        return _estimated(encoder, dense_decoder(*parts), weight, step)
    x = keras.Input(image_shape)
    code = ContractiveCode(latent_dim, weight, name="code")(layers.Flatten()(x))
    encoder = keras.Model(x, code, name="encoder")
    bottleneck = Bottleneck(name="bottleneck")
    return autoencoder(encoder, bottleneck, dense_decoder(*parts), name="contractive")


def _estimated(encoder, decoder, weight, step):
    x = keras.Input(encoder.input_shape[1:], name="x")
    x_near = RandomStep(step, name="random_step")(x)
    bottleneck = ContractiveBottleneck(weight, step, name="bottleneck")
    return keras.Model(x, decoder(bottleneck([encoder(x), encoder(x_near)])), name="contractive")
