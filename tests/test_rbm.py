"""RBMs compared with enumeration, for a machine with few enough states."""

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


def test_free_energy_agrees_with_enumeration():
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


def test_means_agree_with_enumeration():
    m, p = machine(), joint(machine())
    np.testing.assert_allclose(m.mean_hidden(V), (p @ H) / p.sum(1, keepdims=True))
    np.testing.assert_allclose(m.mean_visible(H), (p.T @ V) / p.sum(0)[:, None])


def test_a_long_chain_visits_states_with_their_probability():
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


def test_an_rbm_starts_from_the_means_of_the_data():
    v = np.random.default_rng(0).random((50, 4)) * [0.2, 1, 0, 0] + [0, 0, 1, 0]
    start = {"seed": 0, "epochs": 1, "learning_rate": 0}
    real, _ = rbm.fit_rbm(3 * v, 2, visible="gaussian", **start)
    np.testing.assert_allclose(real.visible_bias, 3 * v.mean(axis=0), rtol=1e-5)
    pixels, _ = rbm.fit_rbm(v, 2, **start)  # probabilities that are never exactly 0 or 1
    mean = np.array([*v.mean(axis=0)[:2], 0.99, 0.01])
    np.testing.assert_allclose(1 / (1 + np.exp(-pixels.visible_bias)), mean, rtol=1e-5)
    assert np.abs(pixels.kernel).max() < 0.1 and not pixels.hidden_bias.any()
    with pytest.raises(LabError, match="learning_rate"):
        rbm.fit_rbm(v, 2, **start | {"learning_rate": -0.1})


def test_training_raises_the_likelihood_of_the_data():
    data = np.repeat(V[[3, 12]], 200, axis=0)
    trained, errors = rbm.fit_rbm(data, HIDDEN, seed=3, epochs=60)

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
    _, errors = rbm.fit_rbm(v, 8, seed=rng, epochs=40, learning_rate=2e-3, **kinds)
    assert errors[-1] < 0.7 * errors[0]


def test_rectified_units_have_their_mean_and_no_free_energy():
    m = machine(hidden="rectified")
    np.testing.assert_array_equal(m.mean_hidden(V), np.maximum(V @ m.kernel + m.hidden_bias, 0))
    assert m.sample_hidden(V, np.random.default_rng(0)).min() >= 0
    with pytest.raises(LabError, match="rectified"):
        m.free_energy(V)


def test_the_unrolled_network_equals_the_stack_up_and_down():
    rng = np.random.default_rng(6)
    x = (rng.random((60, 16)) < 0.3).astype("float32")
    stack = rbm.pretrain_stack(x, (12, 8, 3), seed=6, epochs=2)
    model = models.deep(latent_dim=3, hidden=(12, 8), activation="sigmoid", image_shape=(4, 4, 1))
    models.unroll(model, stack)
    expected = x
    for m in stack:
        expected = m.mean_hidden(expected)
    for m in reversed(stack):
        expected = m.mean_visible(expected)
    found = model.predict(x.reshape(-1, 4, 4, 1), verbose=0).reshape(60, 16)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def plain_fit(v, units, rng, *, epochs, k, batch_size, rate, decay):
    """Contrastive divergence as in Hinton (2010), in double precision: W, b, c, errors."""

    def on(given):
        return 1 / (1 + np.exp(-given))

    def drawn(p):
        return (rng.random(p.shape, dtype="float32") < p).astype(float)

    mean = np.clip(v.mean(axis=0), 0.01, 0.99)
    w, b, c = rng.normal(0, 0.01, (v.shape[1], units)), np.log(mean / (1 - mean)), np.zeros(units)
    moves, errors = [np.zeros_like(p) for p in (w, b, c)], []
    for epoch in range(epochs):
        for rows in np.array_split(rng.permutation(len(v)), max(1, len(v) // batch_size)):
            data, n = v[rows], len(rows)
            data_on, model = on(data @ w + c), data
            for _ in range(k):
                model = drawn(on(drawn(on(model @ w + c)) @ w.T + b))
            model_on = on(model @ w + c)
            by_w = (data.T @ data_on - model.T @ model_on) / n - decay * w
            by_b, by_c = (data - model).mean(axis=0), (data_on - model_on).mean(axis=0)
            momentum = 0.5 if epoch < 2 else 0.9
            moves = [
                momentum * m + rate * d for m, d in zip(moves, (by_w, by_b, by_c), strict=True)
            ]
            w, b, c = (p + m for p, m in zip((w, b, c), moves, strict=True))
        errors.append(np.mean(np.sum((v - on(on(v @ w + c) @ w.T + b)) ** 2, axis=1)))
    return w, b, c, errors


@pytest.mark.parametrize(("k", "batch_size"), [(1, 10), (3, 10), (2, 100)])
def test_training_agrees_with_the_published_procedure(k, batch_size):
    v = (np.random.default_rng(7).random((35, 6)) < 0.4).astype(float)
    options = {"epochs": 4, "k": k, "batch_size": batch_size}
    rng = np.random.default_rng(8)
    w, b, c, errors = plain_fit(v, 5, rng, **options, rate=0.3, decay=0.05)
    found, found_errors = rbm.fit_rbm(v, 5, seed=8, **options, learning_rate=0.3, weight_decay=0.05)
    np.testing.assert_allclose(found.kernel, w, atol=1e-5)
    np.testing.assert_allclose(found.visible_bias, b, atol=1e-5)
    np.testing.assert_allclose(found.hidden_bias, c, atol=1e-5)
    np.testing.assert_allclose(found_errors, errors, rtol=1e-5)


def test_sampled_units_have_the_moments_of_their_kind():
    m, rng = machine(hidden="gaussian", visible="gaussian"), np.random.default_rng(9)
    v = np.repeat(V[[5]], 40_000, axis=0)
    drawn = m.sample_hidden(v, rng)
    np.testing.assert_allclose(drawn.mean(axis=0), m.mean_hidden(v)[0], atol=0.02)
    np.testing.assert_allclose(drawn.std(axis=0), 1, atol=0.02)
    m = machine(hidden="rectified")
    # far above 0 the noise has variance 1, far below 0 there is none, near 0 it is partly cut off
    m.hidden_bias = [9, -9, -0.3] - V[5] @ m.kernel
    drawn = m.sample_hidden(v, rng)
    np.testing.assert_allclose(drawn[:, 0].mean(), m.mean_hidden(V[[5]])[0, 0], atol=0.02)
    np.testing.assert_allclose(drawn[:, 0].std(), 1, atol=0.02)
    assert not drawn[:, 1].any()
    deviation = np.sqrt(1 / (1 + np.exp(0.3)))
    normal = np.random.default_rng(1).normal(-0.3, deviation, 400_000)
    np.testing.assert_allclose(drawn[:, 2].mean(), np.maximum(normal, 0).mean(), rtol=0.03)


def test_free_energy_of_gaussian_visible_units_has_a_quadratic_term():
    m = machine(visible="gaussian")
    v = np.random.default_rng(3).normal(size=(9, VISIBLE))
    given = v @ m.kernel + m.hidden_bias
    expected = [
        sum((v[i] - m.visible_bias) ** 2) / 2 - sum(np.log(1 + np.exp(given[i]))) for i in range(9)
    ]
    np.testing.assert_allclose(m.free_energy(v), expected)


def test_the_linear_layer_of_a_stack_has_a_hundredth_of_the_learning_rate(monkeypatch):
    rates, fit = [], rbm.fit_rbm
    monkeypatch.setattr(
        rbm, "fit_rbm", lambda *a, **o: rates.append(o["learning_rate"]) or fit(*a, **o)
    )
    rbm.pretrain_stack(V, (3, 3, 2), seed=0, epochs=1, learning_rate=0.2)
    assert rates == [0.2, 0.2, 0.002]


def test_invalid_input_is_refused():
    with pytest.raises(LabError, match="hidden must be one of bernoulli, gaussian, rectified"):
        machine(hidden="tanh")
    with pytest.raises(LabError, match="visible must be one of bernoulli, gaussian, received"):
        machine(visible="rectified")
    with pytest.raises(LabError, match="widths and units"):
        rbm.pretrain_stack(V, (3, 2), seed=0, units=[("bernoulli", "gaussian")])
    with pytest.raises(LabError, match="v must be finite"):
        rbm.fit_rbm(np.full((5, 4), np.nan), 2, seed=0)
    with pytest.raises(LabError, match="epoch 1,.* a tenth"), np.errstate(all="ignore"):
        rbm.fit_rbm(V * 1e6, 2, seed=0, visible="gaussian", hidden="gaussian", learning_rate=100)
    with pytest.raises(LabError, match="kernels of shapes"):
        models.unroll(models.deep(hidden=(4,), latent_dim=2, image_shape=(2, 2, 1)), [])


def test_a_stack_may_use_samples_instead_of_means(monkeypatch):
    seen, fit = [], rbm.fit_rbm

    def watched(x, *given, **options):
        seen.append(x)
        return fit(x, *given, **options)

    monkeypatch.setattr(rbm, "fit_rbm", watched)
    rbm.pretrain_stack(V, (3, 2), seed=0, epochs=1, binary=True)
    rbm.pretrain_stack(V, (3, 2), seed=0, epochs=1)
    assert set(np.unique(seen[1])) <= {0, 1} and not set(np.unique(seen[3])) <= {0, 1}
