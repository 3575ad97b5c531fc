"""The classifier that the autoencoders feed."""

import keras
from keras import layers

from ae_lab.layers import RandomShift
from ae_lab.models.blocks import IMAGE_SHAPE
from ae_lab.validation import check_whole


def classifier(
    *, input_shape=IMAGE_SHAPE, classes=10, widths=(32, 64, 64), dense=128, dropout=0.4, shift=0
):
    """A small convolutional network: images to logits (n, classes).

    The first of ``widths`` is a 5x5 convolution, the others 3x3, each with ReLU. A side longer
    than 7 pixels is halved by the stride, so that one recipe serves a 28x28 image and an 8x4
    code. There is no batch normalisation: on a CPU it costs about as much as the
    convolutions.

    Parameters
    ----------
    shift : in training, move each batch by up to so many pixels; 0 for none.

    Raises
    ------
    LabError
        If ``classes`` is not a whole number of at least 2, or a width not of at least 1.
    """
    check_whole(classes, "classes", at_least=2)
    x = keras.Input(input_shape, name="x")
    h = RandomShift(shift)(x) if shift else x
    for i, width in enumerate(widths):
        h = _convolution(h, check_whole(width, "width"), 3 if i else 5)
    h = layers.Dropout(dropout)(layers.Flatten()(h))
    h = layers.Dense(dense, activation="relu", kernel_initializer="he_normal")(h)
    h = layers.Dropout(dropout)(h)
    return keras.Model(x, layers.Dense(classes, name="logits")(h), name="classifier")


def _convolution(h, width, kernel):
    strides = 2 if min(h.shape[1:3]) > 7 else 1
    options = {"padding": "same", "activation": "relu", "kernel_initializer": "he_normal"}
    return layers.Conv2D(width, kernel, strides=strides, **options)(h)
