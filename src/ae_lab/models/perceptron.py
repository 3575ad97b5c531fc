"""The classifier that grows out of a one-layer encoder."""

import keras
from keras import layers

from ae_lab.models.blocks import IMAGE_SHAPE
from ae_lab.validation import check_between, check_whole


def perceptron(*, units=1_000, classes=10, input_dropout=0.2, dropout=0.5, image_shape=IMAGE_SHAPE):
    """One hidden layer of sigmoid units, named ``code``: images to logits (n, classes).

    ``start_from_encoder`` gives it the weights of an autoencoder. Dropout after Srivastava et
    al. (2014).

    Raises
    ------
    LabError
        If a size is not a whole number (``classes`` at least 2), or a dropout is not in [0, 0.95].
    """
    check_whole(classes, "classes", at_least=2)
    x = keras.Input(image_shape, name="x")
    h = layers.Flatten()(x)
    h = layers.Dropout(check_between(input_dropout, "input_dropout", 0, 0.95))(h)
    h = layers.Dense(check_whole(units, "units"), activation="sigmoid", name="code")(h)
    h = layers.Dropout(check_between(dropout, "dropout", 0, 0.95))(h)
    return keras.Model(x, layers.Dense(classes, name="logits")(h), name="perceptron")


def start_from_encoder(network, model):
    """Hand a perceptron the code weights of a one-layer encoder; a penalty stays behind."""
    code = model.get_layer("encoder").get_layer("code")
    network.get_layer("code").set_weights(code.get_weights())
