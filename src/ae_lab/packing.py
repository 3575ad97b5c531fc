"""Arrays of a layer as text in JSON, for a page that computes without Keras."""

from base64 import b64encode

import numpy as np


def packed_layer(kernel: np.ndarray, bias: np.ndarray, activation: str, bits: int = 8) -> dict:
    """A layer as a dict for JSON; its arrays are little-endian bytes, written in base64.

    Parameters
    ----------
    kernel : (inputs, units), the weights; those of a convolution are flattened to this shape.
    bias : (units,), the biases.
    activation : name of the activation.
    bits : 8 or 16, the size of a weight. Each weight is a whole number times the scale of its unit.

    Returns
    -------
    dict with ``activation``, ``bits``, ``weights`` (inputs, units), ``scales`` (units,) and
    ``biases`` (units,), the last two as 32-bit floats.
    """
    scale = np.maximum(np.abs(kernel).max(axis=0), 1e-12) / (2 ** (bits - 1) - 1)
    return {
        "activation": activation,
        "bits": bits,
        "weights": base64(np.round(kernel / scale).astype(f"<i{bits // 8}")),
        "scales": base64(scale.astype("<f4")),
        "biases": base64(bias.astype("<f4")),
    }


def base64(content: np.ndarray | bytes) -> str:
    """``content``, bytes or the bytes of an array, as base64 text."""
    return b64encode(bytes(content) if isinstance(content, bytes) else content.tobytes()).decode()
