"""A dense decoder as arrays in JSON, for a page that decodes without Keras."""

import keras

from ae_lab.errors import LabError
from ae_lab.packing import packed_layer

ACTIVATIONS = ("linear", "relu", "gelu", "silu", "sigmoid", "tanh")


def portable_decoder(model: keras.Model) -> dict:
    """The decoder of a model with two latents, with weights as bytes, ready for JSON.

    Parameters
    ----------
    model : an autoencoder of `models` with a dense decoder, a code of two numbers and images of
        one channel; a LabError names what a page cannot compute.

    Returns
    -------
    dict with ``shape`` [height, width] and ``layers``, a list of dicts from `packed_layer`.
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
            packed.append(packed_layer(*layer.get_weights(), _name(layer)))
        elif isinstance(layer, keras.layers.Activation) and packed[-1]["activation"] == "linear":
            packed[-1]["activation"] = _name(layer)
        elif not isinstance(layer, keras.layers.InputLayer | keras.layers.Reshape):
            raise LabError(
                f"a portable decoder must be dense, received a layer {type(layer).__name__}: "
                "use a builder with dense layers."
            )
    return {"shape": [height, width], "layers": packed}


def _name(layer) -> str:
    name = keras.activations.serialize(layer.activation)
    if name not in ACTIVATIONS:
        raise LabError(
            f"the activation must be one of {', '.join(ACTIVATIONS)}, received {name!r}: "
            "build the decoder with one of these."
        )
    return name
