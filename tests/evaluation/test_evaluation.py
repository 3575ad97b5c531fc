"""Each measure against a slow reference: a loop, a published example or another library."""

import math
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import sklearn.decomposition
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from ae_lab import evaluation, models
from ae_lab.errors import LabError
from ae_lab.lab import mcnemar

rng = np.random.default_rng(0)
X = rng.random((30, 4, 3, 1)).astype("float32")
X_HAT = rng.random((30, 4, 3, 1)).astype("float32")

METRICS = [
    evaluation.bce_per_pixel,
    evaluation.sse_per_image,
    evaluation.argmax_accuracy,
    evaluation.binary_accuracy,
]


def pairs():
    return list(zip(X.astype("float64").ravel(), X_HAT.astype("float64").ravel(), strict=True))


def test_cross_entropy_is_a_mean_over_pixels():
    expected = -sum(p * math.log(q) + (1 - p) * math.log(1 - q) for p, q in pairs()) / X.size
    assert evaluation.bce_per_pixel(X, X_HAT) == pytest.approx(expected, rel=1e-9)
    assert evaluation.bce_per_pixel(X, np.full_like(X, 0.5)) == pytest.approx(math.log(2))
    assert math.isfinite(evaluation.bce_per_pixel(np.ones((1, 2)), np.zeros((1, 2))))


def test_squared_error_is_a_sum_over_pixels_and_a_mean_over_images():
    expected = sum((p - q) ** 2 for p, q in pairs()) / len(X)
    assert evaluation.sse_per_image(X, X_HAT) == pytest.approx(expected, rel=1e-9)
    assert evaluation.sse_per_image(X.reshape(30, -1), X_HAT.reshape(30, -1)) == pytest.approx(
        expected
    )


def test_the_floor_is_the_entropy_of_grey_pixels_and_a_lower_bound():
    floor = evaluation.bce_floor(X)
    entropy = -np.mean([p * math.log(p) + (1 - p) * math.log(1 - p) for p, _ in pairs()])
    assert floor == pytest.approx(entropy, rel=1e-5)
    for other in (X_HAT, np.clip(X + 0.01, 0, 1), np.clip(X - 0.01, 0, 1)):
        assert evaluation.bce_per_pixel(X, other) > floor
    assert evaluation.bce_floor(np.round(X)) == pytest.approx(0, abs=1e-6)


def test_argmax_accuracy_depends_only_on_the_brightest_pixel():
    x = np.zeros((2, 2, 2, 1))
    x[0, 0, 1], x[1, 1, 1] = 1, 1
    x_hat = np.full_like(x, 0.1)
    x_hat[0, 0, 1], x_hat[1, 0, 0] = 0.2, 0.2
    assert evaluation.argmax_accuracy(x, x_hat) == 0.5
    theirs = keras.metrics.CategoricalAccuracy()
    theirs.update_state(X.reshape(30, -1), X_HAT.reshape(30, -1))
    assert evaluation.argmax_accuracy(X, X_HAT) == pytest.approx(float(theirs.result()))


def test_binary_accuracy_never_counts_a_grey_pixel():
    x = np.array([[0.0, 1.0, 0.6, 1.0]])
    x_hat = np.array([[0.4, 0.7, 0.6, 0.5]])
    assert evaluation.binary_accuracy(x, x_hat) == 0.5
    assert evaluation.binary_accuracy(x, x) == 0.75


@pytest.mark.parametrize("metric", METRICS)
def test_the_order_of_the_images_does_not_matter(metric):
    order = rng.permutation(len(X))
    assert metric(X[order], X_HAT[order]) == pytest.approx(metric(X, X_HAT), rel=1e-12)


@pytest.mark.parametrize("metric", METRICS)
def test_different_shapes_are_refused_and_not_broadcast(metric):
    with pytest.raises(LabError, match=r"same shape.*\(30, 4, 3, 1\) and \(1, 4, 3, 1\)"):
        metric(X, X_HAT[:1])


@pytest.mark.parametrize("components", [1, 5, 12])
def test_pca_equals_scikit_learns(components):
    flat, other = X[:20].reshape(20, -1).astype("float64"), X[20:].reshape(10, -1)
    pca = sklearn.decomposition.PCA(components, svd_solver="full").fit(flat)
    expected = pca.inverse_transform(pca.transform(other)).reshape(10, 4, 3, 1)
    received = evaluation.pca_reconstruction(X[:20], X[20:], components)
    assert received.shape == (10, 4, 3, 1)
    assert np.allclose(received, expected, atol=1e-6)


def test_the_principal_basis_is_orthonormal_with_scikit_learns_span():
    mean, basis = evaluation.principal_subspace(X, 3)
    assert np.allclose(basis.T @ basis, np.eye(3), atol=1e-10)
    assert np.allclose(mean, X.reshape(30, -1).mean(axis=0), atol=1e-6)
    theirs = sklearn.decomposition.PCA(3, svd_solver="full").fit(X.reshape(30, -1)).components_.T
    assert evaluation.subspace_angles(basis, theirs).max() < 0.01


@pytest.mark.parametrize("components", [0, 13, 2.0, True])
def test_an_invalid_number_of_components_is_refused(components):
    with pytest.raises(LabError, match="components"):
        evaluation.principal_subspace(X, components)


def test_principal_angles_are_in_degrees_and_largest_first():
    turn = math.radians(30)
    first = np.eye(4)[:, :2]
    second = np.array([[1, 0], [0, math.cos(turn)], [0, math.sin(turn)], [0, 0]])
    assert evaluation.subspace_angles(first, second) == pytest.approx([30, 0], abs=1e-5)
    assert evaluation.subspace_angles(first, 3 * first[:, ::-1]) == pytest.approx([0, 0], abs=1e-5)
    assert evaluation.subspace_angles(first, np.eye(4)[:, 2:]) == pytest.approx([90, 90])


def test_a_unit_is_dead_if_no_image_activates_it():
    z = np.array([[0, 0, 1.0, -1], [0, 0.1, 0, -2]])
    assert evaluation.dead_units(z).tolist() == [True, False, False, True]


def test_a_linear_probe_separates_classes_but_not_noise():
    labels = rng.integers(0, 3, 300)
    told = np.eye(3)[labels] * 5 + rng.normal(0, 0.3, (300, 3))

    def error(features):
        train, validation = (features[:200], labels[:200]), (features[200:], labels[200:])
        return evaluation.linear_probe(*train, *validation, [1e-2])[1][1e-2]

    assert error(told) < 0.02
    assert error(rng.normal(size=(300, 3))) > 0.45
    assert error(told.reshape(300, 3, 1, 1) * 1e-4) < 0.02  # for any shape and any scale


def test_a_linear_probe_equals_scikit_learns_logistic_regression():
    z, labels = rng.normal(size=(200, 4)), rng.integers(0, 3, 200)
    z[:, 3] = 7  # a constant feature
    probe, _ = evaluation.linear_probe(z, labels, z, labels, [1 / 200])
    theirs = LogisticRegression(tol=1e-6).fit(z / [*z[:, :3].std(axis=0), 1], labels)
    assert np.mean(probe(z) == theirs.predict(z / [*z[:, :3].std(axis=0), 1])) > 0.99


def test_an_svm_probe_equals_scikit_learns_linear_svm_and_chooses_on_held_out_rows():
    labels = rng.integers(4, 7, 300)
    z = np.eye(3)[labels - 4] + rng.normal(0, 0.5, (300, 3)) + 2
    probe, errors = evaluation.svm_probe(z, labels, 100, [1e-4, 1.0])
    # scikit-learn penalises the bias, hardly if the added feature is large
    theirs = LinearSVC(dual=False, tol=1e-8, intercept_scaling=100)
    assert np.mean(probe(z) == theirs.fit(z, labels).predict(z)) > 0.99  # fitted to all rows
    on_the_rest = theirs.fit(z[:200], labels[:200]).predict(z[200:])
    assert errors[1.0] == pytest.approx(np.mean(on_the_rest != labels[200:]), abs=0.02)
    assert errors[1.0] < errors[1e-4]


def test_an_svm_probe_predicts_the_last_fit_of_all_rows():
    """Rows of a class at another place than in the first rows move the decision."""
    z = np.r_[np.full((40, 1), -1.0), np.full((40, 1), 1.0), np.full((200, 1), 3.0)]
    labels = np.r_[np.zeros(40, int), np.ones(40, int), np.zeros(200, int)]
    probe, errors = evaluation.svm_probe(z, labels, 200, [1.0])
    assert errors == {1.0: 1.0} and np.mean(probe(z[80:]) == 0) == 1


def test_a_probe_refuses_labels_of_another_length():
    few, many = np.zeros(3), np.arange(30) % 2
    with pytest.raises(LabError, match="z_train and labels_train"):
        evaluation.linear_probe(X, few, X, many, [1e-2])
    with pytest.raises(LabError, match="z_validation and labels_validation"):
        evaluation.linear_probe(X, many, X, few, [1e-2])


def answers(both: int, only_a: int, only_b: int, neither: int):
    a = [1] * both + [1] * only_a + [0] * only_b + [0] * neither
    b = [1] * both + [0] * only_a + [1] * only_b + [0] * neither
    return np.array(a, bool), np.array(b, bool)


@pytest.mark.parametrize(("only_a", "only_b"), [(1, 5), (9, 1), (3, 3), (0, 4), (1, 0)])
def test_mcnemar_is_the_exact_binomial_test(only_a, only_b):
    n, least = only_a + only_b, min(only_a, only_b)
    tail = sum(math.comb(n, k) for k in range(least + 1)) / 2**n
    received = mcnemar(*answers(50, only_a, only_b, 7))
    assert received == (only_a, only_b, pytest.approx(min(1, 2 * tail)))


def test_mcnemar_depends_only_on_disagreement():
    assert mcnemar(*answers(5, 2, 8, 0)) == mcnemar(*answers(999, 2, 8, 40))
    assert mcnemar(*answers(5, 0, 0, 5)) == (0, 0, 1.0)
    with pytest.raises(LabError, match="correct_a and correct_b"):
        mcnemar(np.ones(2, bool), np.ones(3, bool))


@pytest.fixture(scope="module")
def denoiser():
    keras.utils.set_random_seed(0)
    return models.denoising(latent_dim=3, hidden=(5,), image_shape=(4, 3, 1))


def test_codes_and_reconstructions_equal_the_models(denoiser):
    x_hat, z = evaluation.reconstruct(denoiser, X), evaluation.encode(denoiser, X)
    assert x_hat.shape == X.shape and z.shape == (30, 3)
    assert np.allclose(denoiser.get_layer("decoder")(z), x_hat, atol=1e-6)
    assert np.allclose(denoiser(X, training=False), x_hat, atol=1e-6)


def test_a_flattened_code_is_decoded_like_the_code_itself():
    model = models.convolutional(widths=(2,), code_channels=3, image_shape=(8, 8, 1))
    z = evaluation.encode(model, rng.random((5, 8, 8, 1)).astype("float32"))
    assert z.shape == (5, 2, 2, 3)
    flat = evaluation.decode(model, z.reshape(5, -1))
    assert np.array_equal(flat, evaluation.decode(model, z))


def test_predictions_show_no_progress_bar(denoiser, capsys):
    evaluation.reconstruct(denoiser, X)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("function", [evaluation.reconstruct, evaluation.encode])
@pytest.mark.parametrize("x", [X * 255, (X * 255).astype("uint8"), X[0], X[:0]])
def test_arrays_that_are_not_images_are_refused(denoiser, function, x):
    with pytest.raises(LabError, match="^x must"):
        function(denoiser, x)


def test_the_predicted_label_has_the_largest_logit():
    x = np.eye(3, dtype="float32")[[2, 0, 1, 1]] - 5
    identity = keras.Sequential([keras.Input((3,)), keras.layers.Activation("linear")])
    assert evaluation.predict_labels(identity, x).tolist() == [2, 0, 1, 1]


def test_share_lost_of_a_copy_and_of_uniform_grey():
    x = np.random.default_rng(0).random((5, 4, 4, 1))
    grey = np.broadcast_to(x.mean(axis=(1, 2, 3), keepdims=True), x.shape)
    assert evaluation.share_lost(x, x) == 0
    assert evaluation.share_lost(x, grey) == pytest.approx(1)


def test_probe_accuracy_uses_the_requested_training_images_and_the_test_images():
    rng = np.random.default_rng(3)
    y = np.arange(300) % 3
    x = (y[:, None, None, None] == np.arange(3)).astype("float32")
    x = np.clip(x + 0.1 * rng.random(x.shape), 0, 1).astype("float32")
    parts = {"x_train": x[:100], "x_validation": x[100:150], "x_test": x[150:]}
    labels = {"y_train": y[:100], "y_validation": y[100:150], "y_test": y[150:]}
    dataset = SimpleNamespace(**parts, **labels)
    assert evaluation.probe_accuracy(lambda x: x, dataset, images=60) == 1
    blind = evaluation.probe_accuracy(lambda x: np.ones((len(x), 2)), dataset, images=60)
    assert blind == pytest.approx(1 / 3, abs=0.05)
    shuffled = SimpleNamespace(**{**vars(dataset), "y_test": (y[150:] + 1) % 3})
    assert evaluation.probe_accuracy(lambda x: x, shuffled, images=60) == 0
    with pytest.raises(LabError, match="images"):
        evaluation.probe_accuracy(lambda x: x, dataset, images=0)


def test_the_first_of_each_class_is_found_or_an_error_is_raised():
    assert evaluation.first_of_each([2, 0, 2, 1, 0], classes=3) == [1, 3, 0]
    with pytest.raises(LabError, match="none of \\[1\\]"):
        evaluation.first_of_each([0, 2], classes=3)
