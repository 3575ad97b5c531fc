"""The layers of a model in a ``.keras`` file as arrays, read without Keras and packed as JSON."""

import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from ae_lab.errors import LabError
from ae_lab.packing import packed_layer

LARGE = 100_000  # weights; larger layers are stored with 8 bits per weight, others with 16
WITHOUT_EFFECT = set("InputLayer Flatten Reshape Identity Dropout RandomShift".split())


class Layer(NamedTuple):
    """A dense layer or a convolution.

    ``part`` is the name of its model, "encoder" or "decoder" in an autoencoder. ``kernel`` is
    (inputs, units), for a convolution (side, side, channels, units); ``bias`` is (units,).
    ``side`` is the side of the image that a convolution takes, ``stride`` its step; both are 0
    for a dense layer.
    """

    part: str
    kernel: np.ndarray
    bias: np.ndarray
    activation: str
    side: int = 0
    stride: int = 0

    def packed(self) -> dict:
        """The result of `packed_layer`; for a convolution, with its geometry.

        With 8 bits, pixels of the autoencoder change by up to 0.12. With 16 bits, pixels and the
        CNN's probabilities change by less than 0.01.
        """
        kernel = self.kernel.reshape(-1, self.kernel.shape[-1])
        bits = 8 if kernel.size > LARGE else 16
        convolution = {"side": self.side, "stride": self.stride, "kernel": len(self.kernel)}
        packed = packed_layer(kernel, self.bias, self.activation, bits)
        return packed | (convolution if self.side else {})


def read_layers(path: Path) -> list[Layer]:
    """The layers of the model in the file ``path``; a LabError if a page cannot compute it."""
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))
            content = io.BytesIO(archive.read("model.weights.h5"))
        side = config["config"]["layers"][0]["config"]["batch_shape"][1]
        with h5py.File(content) as file:
            layers: list[Layer] = []
            for part, kind, options, stored in _walk(config, file):
                if kind in ("Dense", "Conv2D"):
                    kernel, bias = stored["vars"]["0"][()], stored["vars"]["1"][()]
                    stride = options["strides"][0] if kind == "Conv2D" else 0
                    name = options["activation"]
                    layers.append(Layer(part, kernel, bias, name, side * bool(stride), stride))
                    side = -(-side // stride) if stride else side
                    if stride and options["padding"] != "same":
                        raise LabError("a convolution with padding other than 'same'")
                elif kind == "Activation":  # belongs to the layer before it
                    layers[-1] = layers[-1]._replace(activation=options["activation"])
                elif kind not in WITHOUT_EFFECT:
                    raise LabError(f"a layer {kind}")
    except Exception as error:  # a damaged file raises many types of exception
        raise LabError(
            f"{path.name} must be a dense autoencoder or a classifier saved by a notebook, "
            f"received {error or type(error).__name__}: run the notebook that saves it again."
        ) from None
    return layers


def _walk(model: dict, group: h5py.Group) -> Iterator[tuple[str, str, dict, h5py.Group]]:
    """Part, class, options and stored arrays of each layer, which Keras names by class."""
    seen = Counter()
    for layer in model["config"]["layers"]:
        kind = layer["class_name"].split(">")[-1]
        name = re.sub(r"(?<=.)([A-Z][a-z]+)", r"_\1", kind).lower()
        stored = group["layers"][f"{name}_{seen[name]}" if seen[name] else name]
        seen[name] += 1
        if kind == "Functional":
            yield from _walk(layer, stored)
        else:
            yield model["config"]["name"], kind, layer["config"], stored
