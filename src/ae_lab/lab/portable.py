"""A dense decoder as arrays in JSON, for a page that decodes without Keras."""

from base64 import b64encode

import keras
import numpy as np

from ae_lab.errors import LabError

ACTIVATIONS = ("linear", "relu", "gelu", "silu", "sigmoid", "tanh")
LEVELS = 127  # a weight is stored as a signed byte times the scale of its unit


def portable_decoder(model: keras.Model) -> dict:
    """The decoder of a model with two latents, with weights as bytes, ready for JSON.

    The weights of each unit are divided by the largest of them and rounded to 255 levels. Scales
    and biases are 32-bit floats, little-endian. All arrays are base64.

    Parameters
    ----------
    model : an autoencoder of `models` with a dense decoder, a code of two numbers and images of
        one channel; a LabError names what a page cannot compute.

    Returns
    -------
    dict with ``shape`` [height, width] and ``layers``, a list of dicts with ``activation``,
    ``weights`` (inputs, units), ``scales`` (units,) and ``biases`` (units,).
    """
    decoder = model.get_layer("decoder")
    _, height, width, channels = decoder.output_shape
    if decoder.input_shape[-1] != 2 or channels != 1:
        raise LabError(
            "the decoder must map 2 latents to images of 1 channel, received "
            f"{decoder.input_shape[-1]} and {channels}: build it with latent_dim=2."
        )
    packed = []
    for layer in decoder.layers:
        if isinstance(layer, keras.layers.Dense):
            packed.append(_packed(layer))
        elif isinstance(layer, keras.layers.Activation) and packed[-1]["activation"] == "linear":
            packed[-1]["activation"] = _name(layer)
        elif not isinstance(layer, keras.layers.InputLayer | keras.layers.Reshape):
            raise LabError(
                f"a portable decoder must be dense, received a layer {type(layer).__name__}: "
                "use a builder with dense layers."
            )
    return {"shape": [height, width], "layers": packed}


def _packed(layer) -> dict:
    kernel, bias = layer.get_weights()
    scale = np.maximum(np.abs(kernel).max(axis=0), 1e-12) / LEVELS
    return {
        "activation": _name(layer),
        "weights": _base64(np.round(kernel / scale).astype("int8")),
        "scales": _base64(scale.astype("<f4")),
        "biases": _base64(bias.astype("<f4")),
    }


def _name(layer) -> str:
    name = keras.activations.serialize(layer.activation)
    if name not in ACTIVATIONS:
        raise LabError(
            f"the activation must be one of {', '.join(ACTIVATIONS)}, received {name!r}: "
            "build the decoder with one of these."
        )
    return name


def _base64(array: np.ndarray) -> str:
    return b64encode(array.tobytes()).decode()
