"""The variational autoencoder compared with sampling, and its likelihood with an exact one."""

import keras
import numpy as np
import pytest
import scipy.stats

from ae_lab import evaluation, layers, models, training
from ae_lab.errors import LabError

SHAPE = (4, 4, 1)
X = np.random.default_rng(0).random((40, *SHAPE)).astype("float32")


def small(**options):
    keras.utils.set_random_seed(2)
    return models.variational(latent_dim=2, hidden=(8,), image_shape=SHAPE, **options)


def moments(n=3, d=2, seed=1):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)).astype("float32"), rng.normal(size=(n, d)).astype("float32")


def test_kl_agrees_with_sampling():
    z_mean, z_log_var = (a.astype(float) for a in moments())
    q = scipy.stats.norm(z_mean, np.exp(z_log_var / 2))
    z = q.rvs((400_000, *z_mean.shape), random_state=3)
    sampled = (q.logpdf(z) - scipy.stats.norm.logpdf(z)).mean(axis=0)
    np.testing.assert_allclose(evaluation.kl_divergence(z_mean, z_log_var), sampled, atol=0.02)


@pytest.mark.parametrize(("options", "beta"), [({}, 1), ({"beta": 3.0}, 3)])
def test_the_penalty_is_the_kl_summed_over_the_code_and_averaged_over_images(options, beta):
    z_mean, z_log_var = moments()
    layer = layers.GaussianSampling(**options)
    layer([z_mean, z_log_var])
    expected = beta * evaluation.kl_divergence(z_mean, z_log_var).sum(axis=1).mean()
    assert float(layer.losses[0]) == pytest.approx(expected, rel=1e-5)


def test_samples_have_the_given_moments():
    z_mean, z_log_var = (np.repeat(a, 60_000, axis=0) for a in moments(n=1))
    z = keras.ops.convert_to_numpy(layers.GaussianSampling(seed=4)([z_mean, z_log_var]))
    np.testing.assert_allclose(z.mean(axis=0), z_mean[0], atol=0.03)
    np.testing.assert_allclose(z.var(axis=0), np.exp(z_log_var[0]), rtol=0.05)


def test_the_model_samples_at_inference_but_reconstructs_from_the_mean():
    model = small()
    first, second = (model.predict(X, verbose=0) for _ in range(2))
    assert np.abs(first - second).max() > 1e-3
    z_mean, z_log_var = model.get_layer("encoder").predict(X, verbose=0)
    np.testing.assert_allclose(evaluation.encode(model, X), z_mean, atol=1e-6)
    for found, given in zip(evaluation.posterior(model, X), (z_mean, z_log_var), strict=True):
        np.testing.assert_allclose(found, given, atol=1e-6)
    expected = model.get_layer("decoder").predict(z_mean, verbose=0)
    np.testing.assert_allclose(evaluation.reconstruct(model, X), expected, atol=1e-6)


def test_only_a_variational_model_has_a_posterior():
    with pytest.raises(LabError, match="posterior .* received 'undercomplete'"):
        evaluation.posterior(models.undercomplete(latent_dim=2, image_shape=SHAPE), X)


def test_the_loss_is_the_negative_lower_bound():
    model = small()
    history = training.fit(model, X, validation=X, epochs=1, learning_rate=0.0)
    z_mean, z_log_var = model.get_layer("encoder").predict(X, verbose=0)
    kl = evaluation.kl_divergence(z_mean, z_log_var).sum(axis=1).mean()
    assert history["val_loss"][0] - history["val_reconstruction"][0] == pytest.approx(kl, rel=1e-4)


@pytest.mark.slow
def test_with_beta_zero_the_loss_is_the_reconstruction_error():
    history = training.fit(small(beta=0), X, validation=X, epochs=2)
    assert history["loss"] == history["reconstruction"]


def test_the_nll_agrees_with_a_linear_gaussian_model():
    """x = A z + noise: p(x) and the posterior are known; q is less exact than the posterior."""
    rng = np.random.default_rng(5)
    a, noise = rng.normal(size=(4, 2)), 0.7
    x = rng.normal(size=(6, 2)) @ a.T + noise * rng.normal(size=(6, 4))
    precision = np.eye(2) + a.T @ a / noise**2
    z_mean = x @ a @ np.linalg.inv(precision) / noise**2
    z_log_var = np.log(np.tile(1.5 * np.diag(np.linalg.inv(precision)), (6, 1)))

    def log_likelihood(z):
        return scipy.stats.norm.logpdf(x[:, None], z @ a.T, noise).sum(axis=2)

    found = evaluation.importance_nll(
        z_mean, z_log_var, log_likelihood, samples=20_000, seed=5, at_once=5_000
    )
    exact = -scipy.stats.multivariate_normal(np.zeros(4), a @ a.T + noise**2 * np.eye(4)).logpdf(x)
    np.testing.assert_allclose(found, exact, atol=0.05)


def test_with_one_sample_the_nll_is_the_negative_lower_bound_on_average():
    model, x = small(), evaluation.binarise(X, seed=1)
    z_mean, z_log_var = model.get_layer("encoder").predict(x, verbose=0)
    given = evaluation.bernoulli_log_likelihood(model, x)
    rng = np.random.default_rng(6)
    one = [
        evaluation.importance_nll(z_mean, z_log_var, given, samples=1, seed=seed).mean()
        for seed in range(400)
    ]
    many = evaluation.importance_nll(z_mean, z_log_var, given, samples=500, seed=6).mean()
    z = z_mean[:, None] + np.exp(z_log_var / 2)[:, None] * rng.normal(size=(len(x), 400, 2))
    bound = evaluation.kl_divergence(z_mean, z_log_var).sum(1).mean() - given(z).mean()
    assert np.mean(one) == pytest.approx(bound, abs=0.05)
    assert many < np.mean(one)


def bound_of(model, x, samples):
    """The layer's bound, mean over many samples."""
    layer = layers.ImportanceWeightedBound(models.to_logits(model), samples, seed=9)
    moments = model.get_layer("encoder").predict(x, verbose=0)
    drawn = [keras.ops.convert_to_numpy(layer([x, *moments])) for _ in range(300)]
    assert drawn[0].shape == (len(x),)
    return float(np.mean(drawn))


@pytest.mark.slow
@pytest.mark.parametrize("samples", [1, 5])
def test_the_importance_weighted_bound_equals_the_likelihood_estimate(samples):
    model, x = small(), evaluation.binarise(X, seed=1)
    given = evaluation.bernoulli_log_likelihood(model, x)
    moments = model.get_layer("encoder").predict(x, verbose=0)
    estimates = [
        evaluation.importance_nll(*moments, given, samples=samples, seed=seed).mean()
        for seed in range(300)
    ]
    assert bound_of(model, x, samples) == pytest.approx(np.mean(estimates), abs=0.05)


@pytest.mark.slow
def test_more_samples_tighten_the_bound_that_training_minimises():
    x = evaluation.binarise(X, seed=1)
    held = {"validation": x, "epochs": 1, "learning_rate": 0.0}
    tight, loose = (
        np.mean([training.fit(small(), x, samples=k, **held)["val_loss"] for _ in range(3)])
        for k in (50, 1)
    )
    assert tight < loose - 0.05
    learned = training.fit(small(), x, validation=x, samples=5, epochs=20, learning_rate=1e-2)
    assert learned["loss"][-1] < learned["loss"][0] - 0.2


def test_pixel_likelihood_is_the_cross_entropy_of_binary_images():
    model, x = small(), evaluation.binarise(X, seed=1)
    z = np.random.default_rng(7).normal(size=(len(x), 1, 2))
    x_hat = model.get_layer("decoder").predict(z[:, 0], verbose=0)
    expected = -16 * evaluation.bce_per_pixel(x, x_hat)
    found = evaluation.bernoulli_log_likelihood(model, x)(z).mean()
    assert found == pytest.approx(expected, rel=1e-4)
    with pytest.raises(LabError, match="grey"):
        evaluation.bernoulli_log_likelihood(model, X)


def test_the_mean_of_binary_images_is_the_grey_image():
    x = np.repeat(X[:1], 20_000, axis=0)
    np.testing.assert_allclose(evaluation.binarise(x).mean(axis=0), X[0], atol=0.02)
    drawn = keras.ops.convert_to_numpy(layers.Binarise(seed=1)(x))
    assert set(np.unique(drawn)) == {0, 1}
    np.testing.assert_allclose(drawn.mean(axis=0), X[0], atol=0.02)


@pytest.mark.filterwarnings("ignore:the training did not learn")
@pytest.mark.slow
def test_a_transformed_batch_is_both_input_and_target():
    """The loss of a copying network is close to 0 on binary images, but not on grey ones."""
    keras.utils.set_random_seed(1)
    model = models.undercomplete(latent_dim=16, code_activation="linear", image_shape=SHAPE)
    model.get_layer("encoder").layers[-1].set_weights([np.eye(16) * 60, np.full(16, -30)])
    model.get_layer("decoder").get_layer("logits").set_weights([np.eye(16), np.zeros(16)])
    options = {"validation": X, "epochs": 1, "learning_rate": 0.0}
    history = training.fit(model, X, transform=layers.Binarise(seed=1), **options)
    assert history["loss"][0] < 1e-3
    assert training.fit(model, X, **options)["loss"][0] > 1


def test_active_units_vary_with_the_image():
    z_mean = np.stack([np.linspace(-1, 1, 50), np.full(50, 2.0)], axis=1)
    assert list(evaluation.active_units(z_mean)) == [True, False]
