"""What the builders share: encoder, decoder, and how they are joined to a bottleneck."""

import math

import keras
from keras import layers

from ae_lab.validation import check_whole

IMAGE_SHAPE = (28, 28, 1)


def autoencoder(encoder, bottleneck, decoder, *, name, corruption=None):
    """Join the parts: ``decoder(bottleneck(encoder(corruption(x))))``."""
    x = keras.Input(encoder.input_shape[1:], name="x")
    z = bottleneck(encoder(corruption(x) if corruption else x))
    return keras.Model(x, decoder(z), name=name)


def to_logits(model):
    """The decoder of ``model`` without its last layer, the output activation: z to logits."""
    decoder = model.get_layer("decoder")
    return keras.Model(decoder.input, decoder.layers[-1].input)


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
