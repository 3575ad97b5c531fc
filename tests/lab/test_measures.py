"""Measures of the exercises' checks, on models with known outputs."""

import keras
import numpy as np
import pytest

from ae_lab import data, evaluation, models
from ae_lab.lab import measures
from ae_lab.models.blocks import autoencoder


@pytest.fixture(scope="module")
def few(sample):
    return sample.first(30, 20, 40)


@pytest.fixture(scope="module")
def copying():
    """An autoencoder that returns its input."""
    x, z = keras.Input((28, 28, 1)), keras.Input((784,))
    encoder = keras.Model(x, keras.layers.Flatten()(x), name="encoder")
    decoder = keras.Model(z, keras.layers.Reshape((28, 28, 1))(z), name="decoder")
    return autoencoder(encoder, None, decoder, name="copying")


@pytest.fixture(scope="module")
def always_three():
    """A classifier that always answers 3."""
    x = keras.Input((28, 28, 1))
    h = keras.layers.Flatten()(x)
    answer = keras.layers.Dense(10, kernel_initializer="zeros")
    model = keras.Model(x, answer(h))
    answer.set_weights([answer.get_weights()[0], np.eye(10)[3]])
    return model


def test_the_structure_of_a_model_is_counted(few):
    dense = models.undercomplete(latent_dim=5)
    convolutional = models.convolutional(widths=(2, 3), code_channels=1)
    cnn = models.classifier(input_shape=(8, 4, 1), widths=(2, 2, 2), dense=3)
    assert [measures.inputs(model, few) for model in (dense, cnn)] == [784, 32]
    assert [measures.outputs(model, few) for model in (dense, cnn)] == [784, 10]
    counted = [measures.convolutions(model, few) for model in (dense, convolutional, cnn)]
    assert counted == [0, 6, 3]


def test_accuracy_counts_outputs_equal_to_the_labels(few, always_three, copying):
    share = np.mean(few.y_test == 3)
    assert 0 < share == measures.accuracy(always_three, few)
    assert share == measures.accuracy_on(always_three, 1 - few.x_test, few)
    assert share == measures.accuracy_through(always_three, copying, few)


def test_pixels_in_another_order_are_recognised(few):
    x = few.x_test
    order = np.random.default_rng(8).permutation(784)
    shuffled = x.reshape(-1, 784)[:, order].reshape(x.shape)
    assert measures.rearranged(shuffled, few) == 1
    for other in (x, 1 - x, shuffled[:5], shuffled.reshape(-1, 784), shuffled[::-1]):
        assert measures.rearranged(other, few) == 0


def test_a_copy_is_as_sharp_as_the_images_and_repairs_nothing(few, copying):
    x = few.x_test
    assert measures.sharpness(copying, few) == 1
    holed = data.add_square_hole(x, 10, seed=0)
    assert measures.hole_sse(copying, few) == evaluation.sse_per_image(x, holed) > 0
    assert measures.noise_sse(copying, few) == measures.untouched_noise_sse(copying, few) > 0
