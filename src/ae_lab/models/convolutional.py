"""The convolutional kind."""

import keras
from keras import layers

from ae_lab.errors import LabError
from ae_lab.layers import Bottleneck
from ae_lab.models.blocks import IMAGE_SHAPE, autoencoder
from ae_lab.validation import check_whole


def convolutional(*, widths=(16, 32), code_channels=8, corruption=None, image_shape=IMAGE_SHAPE):
    """The convolutional autoencoder: every layer a 3x3 convolution, the code a small image.

    Each layer of the encoder halves the sides, rounding up, so that with two ``widths`` 28x28
    becomes 14, 7 and 4: the code is 4x4x8 = 128 numbers, that of the Keras blog (Chollet,
    2016). The decoder doubles the sides and cuts what is too much. Weights do not depend on the
    size of the image.

    Parameters
    ----------
    widths : channels of the layers before the code; the decoder mirrors them.
    code_channels : channels of the code.
    corruption : a corruption layer for training, or None.
    image_shape : (height, width, channels).

    Raises
    ------
    LabError
        If a width is not a whole number of at least 1, or the image is too small to halve.
    """
    sides = _halvings(image_shape[:2], len(widths) + 1)
    x = h = keras.Input(image_shape)
    for width in widths:
        h = layers.Conv2D(check_whole(width, "width"), 3, strides=2, **_relu())(h)
    z = layers.Conv2D(check_whole(code_channels, "code_channels"), 3, strides=2, **_relu())(h)
    encoder = keras.Model(x, z, name="encoder")
    decoder = _decoder(z.shape[1:], widths[::-1], sides[-2::-1], image_shape[-1])
    bottleneck = Bottleneck(name="bottleneck")
    return autoencoder(encoder, bottleneck, decoder, name="convolutional", corruption=corruption)


def _decoder(code_shape, widths, sides, channels):
    z = h = keras.Input(code_shape)
    for i, (height, width) in enumerate(sides):
        last = i == len(widths)
        options = {"padding": "same", "name": "logits"} if last else _relu()
        filters = channels if last else widths[i]
        too_much = 2 * h.shape[1] - height, 2 * h.shape[2] - width
        h = layers.Conv2DTranspose(filters, 3, strides=2, **options)(h)
        if any(too_much):
            h = layers.Cropping2D(((0, too_much[0]), (0, too_much[1])))(h)
    return keras.Model(z, layers.Activation("sigmoid", name="x_hat")(h), name="decoder")


def _halvings(side, times):
    """The sides after each halving, rounding up: the image's own first."""
    sides = [tuple(side)]
    for _ in range(times):
        if min(sides[-1]) < 2:
            raise LabError(
                f"image_shape must have sides that can be halved {times} times, received "
                f"{side[0]}x{side[1]}: use larger images or fewer widths."
            )
        sides.append(tuple(-(-s // 2) for s in sides[-1]))
    return sides


def _relu():
    return {"padding": "same", "activation": "relu", "kernel_initializer": "he_normal"}
