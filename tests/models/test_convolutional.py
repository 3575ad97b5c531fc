"""The convolutional autoencoder: sizes, operations counted by hand, sharpness of known images."""

import numpy as np
import pytest

from ae_lab import evaluation, layers, models, training
from ae_lab.errors import LabError


@pytest.mark.parametrize("side, code", [(28, 4), (56, 7), (112, 14), (33, 5)])
def test_an_image_is_reconstructed_in_its_own_size(side, code):
    model = models.convolutional(image_shape=(side, side, 1))
    assert model.output_shape == (None, side, side, 1)
    assert model.get_layer("encoder").output_shape == (None, code, code, 8)


def test_the_weights_do_not_depend_on_the_images_size():
    small, large = (models.convolutional(image_shape=(s, s, 1)) for s in (28, 56))
    large.set_weights(small.get_weights())
    x = np.zeros((1, 56, 56, 1), "float32")
    x[:, 4:24, 4:24] = 1
    assert large.predict(x, verbose=0).shape == x.shape


@pytest.mark.parametrize("activation, negative", [("relu", False), ("linear", True)])
def test_only_a_linear_code_has_negative_numbers(activation, negative):
    training.seed_everything(1)
    model = models.convolutional(code_activation=activation)
    x = np.random.default_rng(1).random((8, 28, 28, 1), "float32")
    z = evaluation.encode(model, x)
    assert (z < 0).any() == negative
    assert (z > 0).any()


def test_multiply_adds_agree_with_counts_by_hand():
    model = models.convolutional(widths=(4,), code_channels=2, image_shape=(8, 8, 1))
    encoder = 4 * 4 * (9 * 1 * 4) + 2 * 2 * (9 * 4 * 2)
    decoder = 2 * 2 * (9 * 2 * 4) + 4 * 4 * (9 * 4 * 1)
    assert models.multiply_adds(model) == encoder + decoder
    dense = models.undercomplete(latent_dim=3, image_shape=(8, 8, 1))
    assert models.multiply_adds(dense) == 2 * 64 * 3


def test_gradient_energy_of_an_edge_and_of_the_same_edge_blurred():
    edge = np.zeros((1, 2, 4, 1))
    edge[:, :, 2:] = 1
    blurred = np.broadcast_to(np.array([0, 0.25, 0.75, 1])[None, None, :, None], edge.shape)
    assert evaluation.gradient_energy(edge) == pytest.approx([2])
    assert evaluation.gradient_energy(blurred) == pytest.approx([2 * (0.25**2 * 2 + 0.5**2)])


@pytest.mark.slow
def test_a_fit_with_corruption_lowers_the_loss():
    x = np.zeros((32, 8, 8, 1), "float32")
    x[::2, :, :4] = x[1::2, 4:] = 1
    training.seed_everything(1)
    model = models.convolutional(
        widths=(4,), image_shape=(8, 8, 1), corruption=layers.GaussianCorruption(0.1)
    )
    history = training.fit(model, x, validation=x, epochs=8, batch_size=8, learning_rate=0.01)
    assert history["loss"][-1] < 0.9 * history["loss"][0]


def test_a_too_small_image_is_refused():
    with pytest.raises(LabError, match="halved 3 times, received 2x2"):
        models.convolutional(image_shape=(2, 2, 1))
