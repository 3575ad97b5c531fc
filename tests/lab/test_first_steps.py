"""The exercises of notebook 00: correct answers, and refused ones."""

import numpy as np
import pytest

from ae_lab import evaluation, models
from ae_lab.lab.exercises import Desk, check


@pytest.fixture(scope="module")
def desk(sample):
    return Desk(dataset=sample.first(1_000, 20, 400))


def autoencoder(images, size=8):
    """A linear autoencoder equal to PCA of these images; without images, with random weights."""
    linear = {"code_activation": "linear", "output_activation": "linear"}
    model = models.undercomplete(latent_dim=size, **linear)
    if images is not None:
        mean, components = evaluation.principal_subspace(images, size)
        mean = np.ravel(mean)
        model.set_weights([components, -mean @ components, components.T, mean])
    return model


def right(id, answer, desk):
    return check(id, answer, "a", desk).right


def test_the_best_single_picture_is_the_mean_image(desk):
    x = desk.dataset.x_train
    mean = x.mean(axis=0)
    for picture in (mean, mean[..., 0], mean.ravel()):
        assert right("00.1", picture, desk)
    zeros = x[desk.dataset.y_train == 0].mean(axis=0)
    others = 0 * mean, 0 * mean + 0.5, zeros, x[0], mean[::-1], mean[:5], mean * np.nan, x
    assert not any(right("00.1", picture, desk) for picture in others)


def test_only_the_rounded_test_images_count_as_rounded(desk):
    x = desk.dataset.x_test
    assert right("00.2", np.round(x), desk) and right("00.2", x > 0.5, desk)
    others = x, np.round(x[::-1]), np.zeros_like(x), 1 - np.round(x), np.round(x[1:]), x * np.nan
    assert not any(right("00.2", images, desk) for images in others)


def test_a_network_trained_on_zeros_is_recognised(desk):
    x, labels = desk.dataset.x_train, desk.dataset.y_train
    assert right("00.3", autoencoder(x[labels == 0]), desk)
    for images in (x, x[labels == 7], None):
        assert not right("00.3", autoencoder(images), desk)
