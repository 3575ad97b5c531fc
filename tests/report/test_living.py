"""A decoder as bytes reproduces Keras's images; a page contains it as data, never as markup."""

from base64 import b64decode

import keras
import numpy as np
import pytest
from scipy.special import erf, expit

from ae_lab import models
from ae_lab.errors import LabError
from ae_lab.lab.portable import portable_decoder
from helpers import living, notebook, render, with_output

SHAPE = (6, 5, 1)
COMPUTE = {
    "linear": lambda x: x,
    "gelu": lambda x: x * (1 + erf(x / np.sqrt(2))) / 2,
    "silu": lambda x: x / (1 + np.exp(-x)),
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "sigmoid": expit,
}


def plane(activation="gelu", **options):
    keras.utils.set_random_seed(3)
    options = {"latent_dim": 2, "hidden": (12, 8), "image_shape": SHAPE} | options
    return models.variational(activation=activation, **options)


def decode(packed, z):
    for layer in packed["layers"]:
        scales, biases = (np.frombuffer(b64decode(layer[n]), "<f4") for n in ("scales", "biases"))
        weights = np.frombuffer(b64decode(layer["weights"]), "int8").reshape(-1, len(biases))
        z = COMPUTE[layer["activation"]](z @ weights * scales + biases)
    return z.reshape(-1, *packed["shape"])


@pytest.mark.parametrize("activation", ["gelu", "silu", "relu", "tanh"])
def test_the_packed_decoder_agrees_with_keras(activation):
    model, z = plane(activation), np.random.default_rng(1).normal(size=(20, 2))
    expected = model.get_layer("decoder").predict(z, verbose=0)[..., 0]
    np.testing.assert_allclose(decode(portable_decoder(model), z), expected, atol=0.02)


@pytest.mark.parametrize(
    "model, words",
    [
        (lambda: plane(latent_dim=3), "2 latents"),
        (lambda: plane("softplus"), "softplus"),
        (lambda: models.convolutional(), "received"),
    ],
)
def test_models_that_a_page_cannot_compute_are_refused(model, words):
    with pytest.raises(LabError, match=words):
        portable_decoder(model())


def test_only_a_page_with_an_interactive_figure_has_a_script():
    packed = portable_decoder(plane()) | {"name": "<script>alert(1)</script>"}
    still = render(notebook("# T", "Words."))
    alive = render(with_output(notebook("# T", "%%x"), *living(packed)))
    assert "<script" not in still and "script-src" not in still
    assert alive.count("<script") == 1 and "script-src" in alive
