"""Measures of the variational autoencoder's exercises."""

import numpy as np
import pytest

from ae_lab import models
from ae_lab.lab import measures


@pytest.fixture(scope="module")
def few(sample):
    return sample.first(30, 20, 40)


def test_the_weight_of_the_divergence_is_that_of_the_bottleneck(few):
    sizes = {"latent_dim": 3, "hidden": (4,)}
    assert measures.beta(models.variational(**sizes, beta=784), few) == 784
    assert measures.beta(models.undercomplete(**sizes), few) == -1


def test_the_divergence_is_a_sum_over_latents_and_a_mean_over_images(few):
    model = models.variational(latent_dim=3, hidden=(4,))
    code = model.get_layer("encoder").get_layer("code")
    code.set_weights([np.zeros((4, 6)), 2 * np.eye(6)[0]])  # one mean is 2, each deviation 1
    assert measures.divergence(model, few) == pytest.approx(2)


def test_estimates_are_compared_row_by_row(few):
    ink = few.x_test.sum(axis=(1, 2, 3))
    estimates = np.stack([ink + 5, ink + 2, ink + 1])
    assert measures.estimate_rows(estimates, few) == 3
    assert measures.estimate_rows(ink, few) == 0
    assert measures.first_estimate(estimates, few) == pytest.approx(ink.mean() + 5)
    assert measures.first_gain(estimates, few) == pytest.approx(3, rel=1e-4)
    assert measures.second_gain(estimates, few) == pytest.approx(1, rel=1e-4)


def test_estimates_belong_to_the_first_test_images_in_their_order(few):
    ink = few.x_test.sum(axis=(1, 2, 3))
    assert measures.follows_ink(ink[None], few) == pytest.approx(1)
    assert measures.follows_ink(np.roll(ink, 1)[None], few) < 0.7
    assert measures.follows_ink(np.ones((1, 40)), few) == 0
    assert measures.follows_ink(np.resize(ink, (1, 50)), few) == 0
