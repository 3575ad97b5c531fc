"""The contractive autoencoder compared with explicit Jacobians."""

import keras
import numpy as np
import pytest

from ae_lab import evaluation, layers, losses, models, training
from ae_lab.errors import LabError

SHAPE = (3, 4, 1)
PIXELS = 12
only_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="the slow reference uses TensorFlow's tape"
)


@pytest.fixture
def x():
    return np.random.default_rng(0).random((6, *SHAPE)).astype("float32")


def build(seed=0, **options):
    training.seed_everything(seed)
    return models.contractive(**{"latent_dim": 5, "image_shape": SHAPE, "weight": 0.7, **options})


def taped_jacobian(model, x):
    """Reference Jacobians (n, latent_dim, pixels) by automatic differentiation."""
    import tensorflow as tf

    x = tf.convert_to_tensor(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        z = model.get_layer("encoder")(x)
    return tape.batch_jacobian(z, x).numpy().reshape(len(x), -1, PIXELS)


def penalty(model, x):
    model(x)
    return float(sum(model.losses))


def fitted(model, x, **options):
    options = {"validation": x, "epochs": 3, "batch_size": 3, **options}
    return training.fit(model, x, loss=losses.squared_error, **options)


@only_tensorflow
def test_closed_form_is_the_mean_squared_norm_of_the_explicit_jacobian(x):
    model = build()
    truth = 0.7 * np.mean(np.sum(taped_jacobian(model, x) ** 2, axis=(1, 2)))
    assert penalty(model, x) == pytest.approx(truth, rel=1e-5)


def test_the_penalty_does_not_depend_on_the_batch_size(x):
    model = build()
    assert penalty(model, np.concatenate([x, x])) == pytest.approx(penalty(model, x), rel=1e-5)


@only_tensorflow
def test_gradient_of_the_penalty_agrees_with_finite_differences(x):
    import tensorflow as tf

    model = build(weight=50.0)  # large enough for the digits of single precision
    kernel = model.get_layer("encoder").get_layer("code").kernel
    with tf.GradientTape() as tape:
        model(x)
        price = sum(model.losses)
    gradient = tape.gradient(price, kernel.value).numpy()
    start = np.array(kernel)
    for i, j in [(0, 0), (3, 1), (7, 4), (11, 2)]:
        prices = []
        for step in (1e-2, -1e-2):
            moved = start.copy()
            moved[i, j] += step
            kernel.assign(moved)
            prices.append(penalty(model, x))
        numeric = (prices[0] - prices[1]) / 2e-2
        assert gradient[i, j] == pytest.approx(numeric, rel=2e-2, abs=2e-2)
    assert np.abs(gradient).max() > 0.5  # the comparison above is not between zeros


@only_tensorflow
def test_estimate_approaches_the_explicit_norm_in_the_mean(x):
    model = build(hidden=(7,), activation="tanh", weight=1.0)
    truth = np.mean(np.sum(taped_jacobian(model, x) ** 2, axis=(1, 2)))
    many = np.repeat(x, 2_000, axis=0)
    assert penalty(model, many) == pytest.approx(truth, rel=0.03)


def test_random_step_moves_every_pixel_by_a_new_step_each_time(x):
    layer = layers.RandomStep(0.25, seed=1)
    first, second = (np.array(layer(x)) - x for _ in range(2))
    np.testing.assert_allclose(np.abs(first), 0.25, atol=1e-6)
    assert 0.2 < np.mean(first > 0) < 0.8
    assert not np.array_equal(first, second)


@pytest.mark.slow
def test_weight_0_is_the_plain_autoencoder_before_and_after_training(x):
    training.seed_everything(0)
    plain = models.undercomplete(latent_dim=5, code_activation="sigmoid", image_shape=SHAPE)
    free = build(weight=0.0)
    np.testing.assert_allclose(free.predict(x, verbose=0), plain.predict(x, verbose=0), atol=1e-6)
    ends = []
    for model in (plain, free):
        training.seed_everything(1)  # the same order of batches
        ends.append(fitted(model, x)["loss"][-1])
    assert ends[0] == pytest.approx(ends[1], rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("hidden", [(), (6,)])
def test_fit_lowers_the_loss_and_counts_the_penalty_once(x, hidden):
    model = build(hidden=hidden)
    history = fitted(model, x, epochs=30, learning_rate=1e-2)
    assert history["loss"][-1] < history["loss"][0]
    price = history["val_loss"][-1] - history["val_reconstruction"][-1]
    truth = 0.7 * evaluation.jacobian_norm(model, x)
    assert price == pytest.approx(truth, rel=0.02 if not hidden else 0.9)


@pytest.mark.slow
def test_a_larger_weight_ends_with_a_smaller_jacobian(x):
    ends = {}
    for weight in (0.0, 5.0):
        model = build(weight=weight)
        fitted(model, x, epochs=40, learning_rate=1e-2)
        ends[weight] = evaluation.jacobian_norm(model, x)
    assert ends[5.0] < 0.8 * ends[0.0]


@pytest.mark.parametrize("hidden", [(), (6,)])
def test_save_and_load_keep_output_penalty_and_parts(x, hidden, tmp_path):
    model = build(hidden=hidden, weight=0.3)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(model.predict(x, verbose=0), loaded.predict(x, verbose=0), atol=1e-6)
    assert [p.name for p in map(loaded.get_layer, ("encoder", "bottleneck", "decoder"))]
    if not hidden:
        assert penalty(loaded, x) == pytest.approx(penalty(model, x), rel=1e-6)


@pytest.mark.parametrize("hidden", [(), (6,)])
def test_reconstruction_is_not_random(x, hidden):
    model = build(hidden=hidden)
    np.testing.assert_array_equal(model.predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.parametrize("options", [{"weight": -1}, {"weight": "much"}, {"latent_dim": 0}])
def test_invalid_numbers_are_named(options):
    with pytest.raises(LabError, match=next(iter(options))):
        build(**options)


@pytest.mark.parametrize("step", [1e-9, 1.5])
def test_too_small_and_too_large_steps_are_refused(step):
    with pytest.raises(LabError, match="step"):
        build(hidden=(4,), step=step)
    with pytest.raises(LabError, match="step"):
        layers.RandomStep(step)


def test_a_negative_weight_is_refused_by_both_layers():
    for build_layer in (lambda: layers.ContractiveCode(4, -0.1),
                        lambda: layers.ContractiveBottleneck(-0.1, 0.1)):  # fmt: skip
        with pytest.raises(LabError, match="weight"):
            build_layer()


@only_tensorflow
@pytest.mark.parametrize("hidden", [(), (6,)])
def test_central_differences_agree_with_automatic_differentiation(x, hidden):
    model = build(hidden=hidden, activation="tanh")
    truth = taped_jacobian(model, x)
    np.testing.assert_allclose(evaluation.encoder_jacobian(model, x), truth, atol=1e-4)
    assert evaluation.jacobian_norm(model, x) == pytest.approx(
        np.mean((truth**2).sum((1, 2))), rel=1e-3
    )
    spectrum = np.mean([np.linalg.svd(j)[1] for j in truth], axis=0)
    np.testing.assert_allclose(evaluation.jacobian_spectrum(model, x), spectrum, atol=1e-3)


def test_contraction_of_a_small_step_is_the_jacobian_applied_to_it(x):
    model = build()
    step = 1e-2 * np.random.default_rng(1).standard_normal(x.shape).astype("float32")
    jacobians = evaluation.encoder_jacobian(model, x)
    moved = np.einsum("nji,ni->nj", jacobians, step.reshape(6, -1))
    truth = np.mean(np.linalg.norm(moved, axis=1) / np.linalg.norm(step.reshape(6, -1), axis=1))
    assert evaluation.contraction(model, x, x + step) == pytest.approx(truth, rel=1e-2)
    scale = evaluation.spread(x) / evaluation.spread(evaluation.encode(model, x))
    assert evaluation.relative_contraction(model, x, x + step) == pytest.approx(
        truth * scale, rel=1e-2
    )
    with pytest.raises(LabError, match="x_moved"):
        evaluation.contraction(model, x, x)


def test_spread_is_the_root_mean_square_distance_of_pairs(x):
    flat = x.reshape(6, -1)
    squares = [np.sum((flat[i] - flat[j]) ** 2) for i in range(6) for j in range(6) if i != j]
    assert evaluation.spread(x) == pytest.approx(np.sqrt(np.mean(squares)), rel=1e-5)


def test_neighbours_are_counted_without_the_point_itself():
    line = np.array([[0.0], [1.0], [10.0], [11.5]])
    swapped = line[[0, 2, 1, 3]]
    assert evaluation.neighbour_overlap(line, 3 * line + 1, k=1) == 1
    assert evaluation.neighbour_overlap(line, swapped, k=1) == 0
    assert evaluation.neighbour_overlap(line, line[[0, 1, 3, 2]], k=2) == 0.75
    assert evaluation.neighbour_agreement(line, [0, 0, 1, 2], k=1) == 0.5
    assert evaluation.neighbour_agreement(line[:3], [0, 1, 1], k=1) == pytest.approx(1 / 3)
    assert evaluation.neighbour_agreement([[0, 0], [0, 9], [1, 9], [1, 0]], [0, 1, 1, 0], k=1) == 1
    with pytest.raises(LabError, match="first and second"):
        evaluation.neighbour_overlap(line, swapped[:3], k=1)


def test_perceptron_copies_the_code_without_the_penalty(x):
    encoder = build().get_layer("encoder")
    network = models.perceptron(units=5, classes=3, image_shape=SHAPE)
    network.get_layer("code").set_weights(encoder.get_layer("code").get_weights())
    h = keras.Model(network.input, network.get_layer("code").output).predict(x, verbose=0)
    np.testing.assert_allclose(h, encoder.predict(x, verbose=0), atol=1e-6)
    assert network.predict(x, verbose=0).shape == (6, 3)
    assert not network.losses
    with pytest.raises(LabError, match="dropout"):
        models.perceptron(dropout=1.0)


def test_a_code_other_than_sigmoid_needs_a_hidden_layer():
    model = models.contractive(latent_dim=3, hidden=(4,), code_activation="linear")
    assert model.get_layer("encoder").get_layer("code").activation.__name__ == "linear"
    with pytest.raises(LabError, match="code_activation must be sigmoid"):
        models.contractive(code_activation="linear")
