"""Measures of the exercises: the structure of a model, and the precision of its codes."""

import numpy as np
import pytest

from ae_lab import evaluation, models
from ae_lab.lab import measures
from ae_lab.lab.exercises import Desk, check


@pytest.fixture(scope="module")
def few(sample):
    return sample.first(30, 20, 40)


def test_hidden_layers_are_counted_without_the_code(few):
    deep = models.deep(hidden=(6, 5, 4), activation="sigmoid")
    shallow = models.deep(hidden=(6,))
    assert [measures.hidden_layers(model, few) for model in (deep, shallow)] == [3, 1]
    assert [measures.sigmoid_layers(model, few) for model in (deep, shallow)] == [3, 0]


def test_parameters_of_a_kind_are_those_of_its_layers(few):
    plain = models.undercomplete(latent_dim=3)
    assert measures.noise(models.denoising(stddev=0.25, hidden=(4,)), few) == 0.25
    assert measures.beta(models.variational(beta=16, hidden=(4,)), few) == 16
    assert measures.noise(plain, few) == measures.beta(plain, few) == -1


def test_levels_are_the_largest_number_of_values(few):
    codes = np.array([[0, 1.5], [0, 2.5], [1, 3.5], [1, 1.5]], "float32")
    assert measures.levels(codes, few) == 3 and measures.rows(codes, few) == 4


def test_images_are_compared_with_the_first_test_images(few):
    x_hat = few.x_test[:7] / 2
    expected = evaluation.sse_per_image(few.x_test[:7], x_hat)
    assert measures.images_sse(x_hat, few) == expected > 0


def test_an_object_that_cannot_be_measured_is_refused(few):
    """A classifier has no encoder; an array of another shape has no squared error."""
    desk = Desk(few, {"deep.pca30_sse": 1.0, "autoencoder.sse_at_20_bytes": 1.0})
    said = check("05.2", models.perceptron(), "a", desk)
    assert said.right is False and "encoder" in said.words
    codes = np.arange(10.0)[:, None]
    said = check("09.3", {"codes": codes, "images": np.zeros((10, 3))}, "a", desk)
    assert said.right is False and "(10, 3)" in said.words
