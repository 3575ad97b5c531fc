"""Builders, one a kind, side by side: plain functional models.

Every autoencoder is ``x -> encoder -> bottleneck -> decoder -> x_hat`` with a sub-model named
``encoder``, a layer named ``bottleneck`` and a sub-model named ``decoder``; it takes and gives
images ``(n, height, width, channels)`` in [0, 1].
"""

import math

import keras
from keras import layers

from ae_lab.checks import check_whole
from ae_lab.layers import Bottleneck, GaussianCorruption, RandomShift

IMAGE_SHAPE = (28, 28, 1)


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


AUTOENCODERS = {"undercomplete": undercomplete, "denoising": denoising}


def autoencoder(encoder, bottleneck, decoder, *, name, corruption=None):
    """Join the parts: ``decoder(bottleneck(encoder(corruption(x))))``."""
    x = keras.Input(encoder.input_shape[1:], name="x")
    z = bottleneck(encoder(corruption(x) if corruption else x))
    return keras.Model(x, decoder(z), name=name)


def dense_encoder(latent_dim, hidden, activation, code_activation, image_shape):
    """Flatten, hidden layers, code: images (n, height, width, channels) to z (n, latent_dim)."""
    check_whole(latent_dim, "latent_dim")
    x = keras.Input(image_shape)
    h = _dense_stack(layers.Flatten()(x), hidden, activation)
    z = layers.Dense(latent_dim, activation=code_activation, name="code")(h)
    return keras.Model(x, z, name="encoder")


def dense_decoder(latent_dim, hidden, activation, output_activation, image_shape):
    """Mirror of ``dense_encoder``; its last layer is the output activation alone.

    That layer apart lets `training` take the loss from the logits before it.
    """
    z = keras.Input((latent_dim,))
    h = _dense_stack(z, hidden, activation)
    h = layers.Dense(math.prod(image_shape), name="logits")(h)
    h = layers.Reshape(image_shape)(h)
    x_hat = layers.Activation(output_activation, name="x_hat")(h)
    return keras.Model(z, x_hat, name="decoder")


def _dense_stack(h, widths, activation):
    for width in widths:
        h = layers.Dense(check_whole(width, "hidden width"), activation=activation)(h)
    return h


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
