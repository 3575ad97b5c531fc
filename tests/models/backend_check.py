"""Every builder on one Keras backend: a fit lowers the loss, a saved model gives the same output.

Run by test_backends.py in a separate process, because Keras chooses its backend at import.
Prints one JSON object {kind: {"losses": [...], "difference": float}}.
"""

import json
import sys
import tempfile
from pathlib import Path

import keras
import numpy as np

from ae_lab import models, training

EPOCHS = 3


def strokes(count=64):
    """Bars at random positions, learnable in a few steps: (count, 28, 28, 1) in [0, 1]."""
    rng = np.random.default_rng(0)
    x = np.zeros((count, 28, 28, 1), "float32")
    for image, start in zip(x, rng.integers(4, 20, count), strict=True):
        image[4:24, start : start + 4] = 1
    return x


def check(build) -> dict:
    x = strokes()
    training.seed_everything(3)
    model = build()
    options = {"epochs": EPOCHS, "batch_size": 16, "learning_rate": 2e-3}
    history = training.fit(model, x, validation=x[:16], **options)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        again = keras.saving.load_model(path)
    first, second = (m.get_layer("encoder").predict(x, verbose=0) for m in (model, again))
    gap = max(
        float(np.abs(a - b).max())
        for a, b in zip(keras.tree.flatten(first), keras.tree.flatten(second), strict=True)
    )
    return {"losses": history["loss"], "difference": gap}


if __name__ == "__main__":
    json.dump({kind: check(build) for kind, build in models.AUTOENCODERS.items()}, sys.stdout)
