"""Each loss against its formula, written in NumPy with float64."""

import math

import keras
import numpy as np
import pytest
from keras import ops

from ae_lab import losses

OF_IMAGES = [
    losses.squared_error,
    losses.binary_cross_entropy,
    losses.binary_cross_entropy_from_logits,
]
SHAPE = (5, 4, 3, 2)
rng = np.random.default_rng(0)
X = rng.random(SHAPE).astype("float32")
LOGITS = rng.normal(0, 2, SHAPE).astype("float32")


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits.astype("float64")))


def value(loss, *arguments):
    return ops.convert_to_numpy(loss(*(ops.convert_to_tensor(a) for a in arguments)))


def slow_cross_entropy(x, x_hat):
    sums = []
    for image, image_hat in zip(x, x_hat, strict=True):
        pairs = zip(image.ravel().tolist(), image_hat.ravel().tolist(), strict=True)
        sums.append(-sum(p * math.log(q) + (1 - p) * math.log(1 - q) for p, q in pairs))
    return sums


def test_squared_error_is_summed_over_pixels_and_not_over_images():
    x_hat = sigmoid(LOGITS)
    expected = [((a - b) ** 2).sum() for a, b in zip(X, x_hat, strict=True)]
    assert value(losses.squared_error, X, x_hat.astype("float32")) == pytest.approx(
        expected, rel=1e-5
    )


def test_cross_entropy_agrees_with_its_formula_for_probabilities_and_logits():
    expected = slow_cross_entropy(X, sigmoid(LOGITS))
    from_probabilities = value(losses.binary_cross_entropy, X, sigmoid(LOGITS).astype("float32"))
    assert from_probabilities == pytest.approx(expected, rel=1e-5)
    assert value(losses.binary_cross_entropy_from_logits, X, LOGITS) == pytest.approx(
        expected, rel=1e-5
    )


def test_a_constant_half_costs_log_two_per_pixel():
    x = rng.random((3, 28, 28, 1)).astype("float32")
    expected = pytest.approx([784 * math.log(2)] * 3, rel=1e-5)
    assert value(losses.binary_cross_entropy, x, np.full_like(x, 0.5)) == expected
    assert value(losses.binary_cross_entropy_from_logits, x, np.zeros_like(x)) == expected


def test_logits_stay_exact_where_probabilities_saturate():
    x, logits = np.zeros((1, 2), "float32"), np.full((1, 2), 100, "float32")
    assert value(losses.binary_cross_entropy_from_logits, x, logits) == pytest.approx([200])
    assert np.isfinite(value(losses.binary_cross_entropy, x, np.ones_like(x))).all()


def test_correct_black_and_white_pixels_cost_almost_nothing():
    x = np.array([[0, 1, 1, 0]], "float32")
    assert value(losses.binary_cross_entropy, x, x)[0] == pytest.approx(0, abs=1e-5)
    assert value(losses.squared_error, x, x)[0] == 0


def test_class_cross_entropy_is_minus_the_log_of_the_softmax():
    logits = rng.normal(0, 3, (6, 4)).astype("float32")
    labels = np.array([0, 1, 2, 3, 1, 0], "int32")
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = -np.log(softmax[np.arange(6), labels])
    assert value(losses.categorical_cross_entropy_from_logits, labels, logits) == pytest.approx(
        expected, rel=1e-4
    )


@pytest.mark.parametrize("loss", [*OF_IMAGES, losses.categorical_cross_entropy_from_logits])
def test_the_loss_of_a_saved_model_is_found_by_name(loss):
    assert keras.losses.deserialize(keras.losses.serialize(loss)) is loss
    assert keras.saving.get_registered_name(loss) == f"ae_lab>{loss.__name__}"


@pytest.mark.parametrize("loss", OF_IMAGES)
@pytest.mark.parametrize("shape", [(1, 28, 28, 1), (7, 5), (3, 2, 2, 3)])
def test_losses_return_one_number_per_image(loss, shape):
    x = np.full(shape, 0.25, "float32")
    values = value(loss, x, x)
    assert values.shape == (shape[0],)
    assert values == pytest.approx([values[0]] * shape[0])


def test_the_loss_of_counts_is_the_cross_entropy_per_count():
    counts = np.array([[3, 0, 1], [0, 0, 2], [0, 0, 0]], "float32")[:, None, None, :]
    chances = np.array([[0.5, 0.25, 0.25], [0.2, 0.2, 0.6], [0.1, 0.1, 0.8]], "float32")
    found = value(losses.multinomial_cross_entropy, counts, chances[:, None, None, :])
    expected = [-(3 * math.log(0.5) + math.log(0.25)) / 4, -math.log(0.6), 0]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    again = value(losses.multinomial_cross_entropy, 7 * counts, chances[:, None, None, :])
    np.testing.assert_allclose(again, expected, rtol=1e-6)


def test_proportional_probabilities_minimise_the_loss_of_counts():
    counts = np.array([[5, 3, 2]], "float32")[:, None, None, :]
    best, other = counts / 10, np.array([[0.4, 0.4, 0.2]], "float32")[:, None, None, :]
    cost = [value(losses.multinomial_cross_entropy, counts, x)[0] for x in (best, other)]
    assert cost[0] < cost[1]
