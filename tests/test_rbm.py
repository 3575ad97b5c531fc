"""RBMs against the enumeration of a machine small enough to count all its states."""

import itertools

import numpy as np
import pytest

from ae_lab import models, rbm
from ae_lab.errors import LabError

VISIBLE, HIDDEN = 4, 3
V = np.array(list(itertools.product([0, 1], repeat=VISIBLE)), float)
H = np.array(list(itertools.product([0, 1], repeat=HIDDEN)), float)


def machine(scale=1.0, **kinds):
    rng = np.random.default_rng(5)
    shapes = (VISIBLE, HIDDEN), (VISIBLE,), (HIDDEN,)
    return rbm.RBM(*(rng.normal(0, scale, shape) for shape in shapes), **kinds)


def energies(m):
    """E(v, h) of every pair of states, (16, 8)."""
    return -(V @ m.kernel @ H.T) - (V @ m.visible_bias)[:, None] - (H @ m.hidden_bias)[None]


def joint(m):
    weights = np.exp(-energies(m))
    return weights / weights.sum()


def exact_gradient(m, data):
    """d mean log p(v) / d(W, b, c) by enumeration."""
    p = joint(m)
    hidden_given = np.exp(-energies(m))
    hidden_given /= hidden_given.sum(axis=1, keepdims=True)
    rows = (data @ (2 ** np.arange(VISIBLE)[::-1])).astype(int)
    share = np.bincount(rows, minlength=len(V)) / len(data)
    difference = share[:, None] * hidden_given - p
    return V.T @ difference @ H, V.T @ difference.sum(1), H.T @ difference.sum(0)


def test_free_energy_is_that_of_the_enumerated_machine():
    m = machine()
    expected = -np.log(np.exp(-energies(m)).sum(axis=1))
    np.testing.assert_allclose(m.free_energy(V), expected)


def test_free_energy_of_gaussian_hidden_units_is_an_integral():
    m = machine(hidden="gaussian")
    h = np.linspace(-40, 40, 4_001)
    given = V @ m.kernel + m.hidden_bias
    integral = np.trapezoid(np.exp(given[..., None] * h - h**2 / 2), h).prod(axis=1)
    expected = -(V @ m.visible_bias) - np.log(integral)
    found = m.free_energy(V) - HIDDEN / 2 * np.log(2 * np.pi)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_means_are_the_conditional_means_of_the_enumerated_machine():
    m, p = machine(), joint(machine())
    np.testing.assert_allclose(m.mean_hidden(V), (p @ H) / p.sum(1, keepdims=True))
    np.testing.assert_allclose(m.mean_visible(H), (p.T @ V) / p.sum(0)[:, None])


def test_a_long_chain_visits_states_as_often_as_their_probability_says():
    m, rng = machine(0.7), np.random.default_rng(1)
    v = np.zeros((40_000, VISIBLE), "float32")
    for _ in range(30):
        v = m.gibbs_step(v, rng)
    rows = (v @ (2 ** np.arange(VISIBLE)[::-1])).astype(int)
    visits = np.bincount(rows, minlength=len(V)) / len(v)
    np.testing.assert_allclose(visits, joint(m).sum(axis=1), atol=0.01)


def test_contrastive_divergence_approaches_the_exact_gradient_as_k_grows():
    m, rng = machine(1.5), np.random.default_rng(2)
    data = np.repeat(V[[0, 3, 12, 15]], 10_000, axis=0)
    exact = exact_gradient(m, data)

    def distance(k):
        found = m.contrastive_divergence(data, k, rng)
        return max(np.abs(a - b).max() for a, b in zip(found, exact, strict=True))

    near, far = distance(60), distance(1)
    assert near < 0.03
    assert far > 2 * near


def test_training_raises_the_likelihood_of_the_data():
    data = np.repeat(V[[3, 12]], 200, axis=0)
    trained, errors = rbm.fit_rbm(data, HIDDEN, rng=np.random.default_rng(3), epochs=60)

    def log_likelihood(m):
        partition = np.log(np.exp(-m.free_energy(V)).sum())
        return -m.free_energy(data).mean() - partition

    even = -VISIBLE * np.log(2)
    assert log_likelihood(trained) > even + 1
    assert errors[-1] < 0.5 * errors[0]


@pytest.mark.parametrize("hidden", ["gaussian", "rectified"])
def test_real_values_are_reconstructed_better_after_training(hidden):
    rng = np.random.default_rng(4)
    v = rng.normal(size=(500, 2)) @ rng.normal(size=(2, 6))
    kinds = {"visible": "gaussian", "hidden": hidden}
    _, errors = rbm.fit_rbm(v, 8, rng=rng, epochs=40, learning_rate=2e-3, **kinds)
    assert errors[-1] < 0.7 * errors[0]


def test_rectified_units_have_their_mean_and_no_free_energy():
    m = machine(hidden="rectified")
    np.testing.assert_array_equal(m.mean_hidden(V), np.maximum(V @ m.kernel + m.hidden_bias, 0))
    assert m.sample_hidden(V, np.random.default_rng(0)).min() >= 0
    with pytest.raises(LabError, match="rectified"):
        m.free_energy(V)


def test_the_unrolled_network_is_the_stacks_way_up_and_down():
    rng = np.random.default_rng(6)
    x = (rng.random((60, 16)) < 0.3).astype("float32")
    stack = rbm.pretrain_stack(x, (12, 8, 3), rng=rng, epochs=2)
    model = models.deep(latent_dim=3, hidden=(12, 8), activation="sigmoid", image_shape=(4, 4, 1))
    models.unroll(model, stack)
    expected = x
    for m in stack:
        expected = m.mean_hidden(expected)
    for m in reversed(stack):
        expected = m.mean_visible(expected)
    found = model.predict(x.reshape(-1, 4, 4, 1), verbose=0).reshape(60, 16)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_wrong_input_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(LabError, match="hidden must be one of bernoulli, gaussian, rectified"):
        machine(hidden="tanh")
    with pytest.raises(LabError, match="v must be finite"):
        rbm.fit_rbm(np.full((5, 4), np.nan), 2, rng=rng)
    with pytest.raises(LabError, match="take a tenth"), np.errstate(all="ignore"):
        rbm.fit_rbm(V * 1e6, 2, rng=rng, visible="gaussian", hidden="gaussian", learning_rate=100)
    with pytest.raises(LabError, match="kernels of shapes"):
        models.unroll(models.deep(hidden=(4,), latent_dim=2, image_shape=(2, 2, 1)), [])
