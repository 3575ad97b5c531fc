"""One process of a training shared by several, or all of it: prints history and devices as JSON.

Run by test_distribution.py: arguments are ``alone``, or a coordinator's address, the number of
processes and this one's place.
"""

import contextlib
import json
import os
import sys

import keras
import numpy as np

from ae_lab import models, training

IMAGES = 96


def images():
    """Grey noise on a gradient: (IMAGES, 28, 28, 1) in [0, 1]."""
    rows = np.linspace(0, 200, 28)[:, None, None]
    grey = rows + np.random.default_rng(0).integers(0, 55, (IMAGES, 28, 28, 1))
    return np.uint8(grey).astype("float32") / np.float32(255)


def shared(arguments):
    """The context to train in: nothing but a seed if alone."""
    if arguments == ["alone"]:
        training.seed_everything(3)
        return contextlib.nullcontext()
    if not arguments:
        return training.distributed(3)
    coordinator, processes, place = arguments
    return training.distributed(
        3, coordinator=coordinator, processes=int(processes), place=int(place)
    )


def split_the_processor(devices: int) -> None:
    """Make several devices of TensorFlow's one; JAX is told by XLA_FLAGS."""
    import tensorflow

    parts = [tensorflow.config.LogicalDeviceConfiguration()] * devices
    processor = tensorflow.config.list_physical_devices("CPU")[0]
    tensorflow.config.set_logical_device_configuration(processor, parts)


def devices_of(model) -> int:
    """On how many devices, of all processes, the model's weights are."""
    value = model.weights[0].value
    if keras.backend.backend() == "jax":
        return len(value.sharding.device_set)
    return len(getattr(value, "values", [value]))


if __name__ == "__main__":
    if keras.backend.backend() == "tensorflow":
        split_the_processor(int(os.environ.get("DEVICES", "1")))
    x = images()
    with shared(sys.argv[1:]):
        model = models.deep(hidden=(48, 24), latent_dim=6)
        history = training.fit(model, x, validation=x[:32], epochs=4, batch_size=IMAGES)
    print(json.dumps(history | {"devices": devices_of(model)}))
