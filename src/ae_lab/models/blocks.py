"""What the builders share: dense encoder and decoder, joining the parts, counting operations."""

import math
from collections.abc import Sequence

import keras
from keras import layers

from ae_lab.validation import check_whole

IMAGE_SHAPE = (28, 28, 1)


def autoencoder(
    encoder: keras.Model,
    bottleneck: layers.Layer | None,
    decoder: keras.Model,
    *,
    name: str,
    corruption: layers.Layer | None = None,
) -> keras.Model:
    """Join the parts: ``decoder(bottleneck(encoder(corruption(x))))``.

    Parameters
    ----------
    encoder : model named "encoder", from images to the bottleneck's input.
    bottleneck : layer named "bottleneck" that returns the code z; None for the identity.
    decoder : model named "decoder", from z to images.
    name : name of the model, which is its kind.
    corruption : layer of `layers.corruption` before the encoder, or None.
    """
    x = keras.Input(encoder.input_shape[1:], name="x")
    bottleneck = bottleneck or layers.Identity(name="bottleneck")
    z = bottleneck(encoder(corruption(x) if corruption else x))
    return keras.Model(x, decoder(z), name=name)


def to_logits(model: keras.Model) -> keras.Model:
    """The decoder of ``model`` without its output activation: from z to logits."""
    decoder = model.get_layer("decoder")
    return keras.Model(decoder.input, decoder.layers[-1].input)


def multiply_adds(model: keras.Model) -> int:
    """Multiply-add operations per image in the dense and convolutional layers of ``model``.

    A dense layer uses its kernel once, a convolution once per position of its output, and a
    transposed convolution once per position of its input. Biases and activations are not counted.
    """
    total = 0
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            total += multiply_adds(layer)
        elif isinstance(layer, layers.Dense | layers.Conv2D | layers.Conv2DTranspose):
            images = layer.input if isinstance(layer, layers.Conv2DTranspose) else layer.output
            total += math.prod(images.shape[1:-1]) * math.prod(layer.kernel.shape)
    return total


def dense_encoder(
    latent_dim: int,
    hidden: Sequence[int],
    activation: str,
    code_activation: str,
    image_shape: tuple[int, int, int],
    initializer: str = "glorot_uniform",
) -> keras.Model:
    """A dense encoder: images (n, height, width, channels) to z (n, latent_dim).

    Parameters
    ----------
    latent_dim : size of the code, at least 1.
    hidden : widths of the hidden layers, from the image to the code.
    activation, code_activation : names of Keras activations, of the hidden layers and of the code.
    image_shape : (height, width, channels).
    initializer : name of a Keras initializer for the kernels of the hidden layers.
    """
    check_whole(latent_dim, "latent_dim")
    x = keras.Input(image_shape)
    h = _dense_stack(layers.Flatten()(x), hidden, activation, initializer)
    z = layers.Dense(latent_dim, activation=code_activation, name="code")(h)
    return keras.Model(x, z, name="encoder")


def dense_decoder(
    latent_dim: int,
    hidden: Sequence[int],
    activation: str,
    output_activation: str,
    image_shape: tuple[int, int, int],
    initializer: str = "glorot_uniform",
) -> keras.Model:
    """Mirror of ``dense_encoder``: z (n, latent_dim) to images (n, height, width, channels).

    The output activation is a separate last layer, so that `training` can compute the loss from
    the logits before it (``to_logits``).

    Parameters
    ----------
    latent_dim, activation, image_shape, initializer : as in ``dense_encoder``.
    hidden : widths of the hidden layers, from the code to the image.
    output_activation : name of a Keras activation.
    """
    z = keras.Input((latent_dim,))
    h = _dense_stack(z, hidden, activation, initializer)
    h = layers.Dense(math.prod(image_shape), name="logits")(h)
    h = layers.Reshape(image_shape)(h)
    x_hat = layers.Activation(output_activation, name="x_hat")(h)
    return keras.Model(z, x_hat, name="decoder")


def _dense_stack(h, widths, activation, initializer):
    given = {"activation": activation, "kernel_initializer": initializer}
    for width in widths:
        h = layers.Dense(check_whole(width, "hidden width"), **given)(h)
    return h
