"""What a network costs."""

import math

import keras


def multiply_adds(model: keras.Model) -> int:
    """Multiplications with an addition per image, in dense and convolutional layers of ``model``.

    A convolution costs its kernel once per place of its output, a transposed one once per place of
    its input; biases and activations are not counted.
    """
    return sum(_cost(layer) for layer in model.layers)


def _cost(layer) -> int:
    if isinstance(layer, keras.Model):
        return multiply_adds(layer)
    if isinstance(layer, keras.layers.Conv2DTranspose):
        return math.prod(layer.input.shape[1:3]) * math.prod(layer.kernel.shape)
    if isinstance(layer, keras.layers.Conv2D):
        return math.prod(layer.output.shape[1:3]) * math.prod(layer.kernel.shape)
    return math.prod(layer.kernel.shape) if isinstance(layer, keras.layers.Dense) else 0
