"""Two classifiers: a convolutional network, and one that starts from an encoder's weights."""

from collections.abc import Sequence

import keras
from keras import layers

from ae_lab.layers import Dropout, RandomShift
from ae_lab.models.blocks import IMAGE_SHAPE
from ae_lab.validation import check_between, check_whole


def classifier(
    *,
    input_shape: tuple[int, int, int] = IMAGE_SHAPE,
    classes: int = 10,
    widths: Sequence[int] = (32, 64, 64),
    dense: int = 128,
    dropout: float = 0.4,
    shift: int = 0,
) -> keras.Model:
    """A small convolutional network: images (n, height, width, channels) to logits (n, classes).

    Strides halve sides longer than 7 pixels, so the same network works for 28x28 images and for
    8x4 codes. There is no batch normalisation: on a CPU it takes about as long as the
    convolutions.

    Parameters
    ----------
    input_shape : (height, width, channels).
    classes : number of classes, at least 2.
    widths : channels of the convolutions; the first is 5x5, the others 3x3, each with ReLU.
    dense : width of the dense layer before the logits.
    dropout : share of units dropped before and after the dense layer, from 0 to 1.
    shift : in training, each batch is shifted by up to this number of pixels; 0 for none.
    """
    check_whole(classes, "classes", at_least=2)
    x = keras.Input(input_shape, name="x")
    h = RandomShift(shift)(x) if shift else x
    relu = {"activation": "relu", "kernel_initializer": "he_normal"}
    for i, width in enumerate(widths):
        size, strides = 3 if i else 5, 2 if min(h.shape[1:3]) > 7 else 1
        h = layers.Conv2D(check_whole(width, "width"), size, strides, padding="same", **relu)(h)
    h = Dropout(dropout)(layers.Flatten()(h))
    h = layers.Dense(dense, **relu)(h)
    h = Dropout(dropout)(h)
    return keras.Model(x, layers.Dense(classes, name="logits")(h), name="classifier")


def perceptron(
    *,
    units: int = 1_000,
    classes: int = 10,
    input_dropout: float = 0.2,
    dropout: float = 0.5,
    image_shape: tuple[int, int, int] = IMAGE_SHAPE,
) -> keras.Model:
    """One hidden layer of sigmoid units, named "code": images to logits (n, classes).

    ``start_from_encoder`` copies the weights of an autoencoder into it. Dropout as in Srivastava
    et al. (2014).

    Parameters
    ----------
    units : width of the hidden layer.
    classes : number of classes, at least 2.
    input_dropout, dropout : share of pixels and of hidden units dropped, in [0, 0.95].
    image_shape : (height, width, channels).
    """
    check_whole(classes, "classes", at_least=2)
    x = keras.Input(image_shape, name="x")
    h = layers.Flatten()(x)
    h = Dropout(check_between(input_dropout, "input_dropout", 0, 0.95))(h)
    h = layers.Dense(check_whole(units, "units"), activation="sigmoid", name="code")(h)
    h = Dropout(check_between(dropout, "dropout", 0, 0.95))(h)
    return keras.Model(x, layers.Dense(classes, name="logits")(h), name="perceptron")


def start_from_encoder(network: keras.Model, model: keras.Model) -> None:
    """Copy the code layer's weights of an autoencoder into a perceptron of the same width.

    ``network`` is from ``perceptron`` and is changed in place. ``model`` is an autoencoder without
    hidden layers. A penalty in its code layer is not copied.
    """
    code = model.get_layer("encoder").get_layer("code")
    network.get_layer("code").set_weights(code.get_weights())
