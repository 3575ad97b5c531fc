"""How sharp an image is, and what a network costs."""

import keras
import numpy as np

from ae_lab.validation import check_images


def gradient_energy(x) -> np.ndarray:
    """Sum of squared differences of neighbouring pixels, by rows and columns: (n,).

    A blurred image has less of it than the sharp one that it came from.
    """
    x = check_images(x).astype(np.float64)
    down, right = np.diff(x, axis=1), np.diff(x, axis=2)
    return (down**2).sum(axis=(1, 2, 3)) + (right**2).sum(axis=(1, 2, 3))


def multiply_adds(model) -> int:
    """Multiplications with an addition that one image costs, in dense and convolutional layers.

    A convolution costs its kernel once a place of its output, a transposed one once a place of
    its input; biases and activations are not counted.
    """
    return sum(_cost(layer) for layer in model.layers)


def _cost(layer) -> int:
    if isinstance(layer, keras.Model):
        return multiply_adds(layer)
    if isinstance(layer, keras.layers.Conv2DTranspose):
        return int(np.prod(layer.input.shape[1:3]) * np.prod(layer.kernel.shape))
    if isinstance(layer, keras.layers.Conv2D):
        return int(np.prod(layer.output.shape[1:3]) * np.prod(layer.kernel.shape))
    return int(np.prod(layer.kernel.shape)) if isinstance(layer, keras.layers.Dense) else 0
