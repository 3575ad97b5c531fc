"""The contractive kind."""

import keras
from keras import layers

from ae_lab.errors import LabError
from ae_lab.layers import Bottleneck, ContractiveBottleneck, ContractiveCode, RandomStep
from ae_lab.models.blocks import IMAGE_SHAPE, autoencoder, dense_decoder, dense_encoder
from ae_lab.validation import check_whole


def contractive(
    *,
    weight=0.1,
    latent_dim=128,
    hidden=(),
    activation="relu",
    code_activation="sigmoid",
    step=0.01,
    image_shape=IMAGE_SHAPE,
):
    """The contractive autoencoder: an encoder whose Jacobian has its price (Rifai et al., 2011).

    Without hidden layers the code is sigmoid and the price exact, in the code layer itself;
    with them it is Hutchinson's estimate from one random step an image, for any code.

    Parameters
    ----------
    weight : nats an image for each unit of the squared Frobenius norm; 0 is the plain kind.
    latent_dim, hidden, activation, image_shape : as in `undercomplete`.
    code_activation : of the code behind hidden layers.
    step : length in each pixel of the random step, used with hidden layers only.

    Raises
    ------
    LabError
        If a size is not a whole number of at least 1, a number is out of range, or the code
        without hidden layers is not sigmoid.
    """
    check_whole(latent_dim, "latent_dim")
    parts = (latent_dim, hidden[::-1], activation, "sigmoid", image_shape)
    if hidden:
        encoder = dense_encoder(latent_dim, hidden, activation, code_activation, image_shape)
        return _estimated(encoder, dense_decoder(*parts), weight, step)
    if code_activation != "sigmoid":
        raise LabError(
            f"code_activation must be sigmoid without hidden layers, received {code_activation!r}: "
            "the exact price is that of a sigmoid; add a hidden layer for the estimated one."
        )
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
