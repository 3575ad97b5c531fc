"""The sparse autoencoder: penalties, selections and measures compared with slow references."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from ae_lab import evaluation, layers, losses, models, training
from ae_lab.errors import LabError
from ae_lab.layers.fast import keep_largest

SHAPE = (6, 5, 1)
RANDOM = np.random.default_rng(0)
X = RANDOM.random((40, *SHAPE)).astype("float32")
CODES = RANDOM.normal(size=(20, 12)).astype("float32")
BOTTLENECKS = [
    (layers.KLSparsity(0.1, 2.0), "sigmoid"),
    (layers.L1Sparsity(0.01), "relu"),
    (layers.KSparse(3, 2.0), "linear"),
    (layers.WinnerTakeAll(0.2), "relu"),
]
EACH = pytest.mark.parametrize("bottleneck, code", BOTTLENECKS, ids=lambda b: type(b).__name__)


def small(bottleneck, code="linear"):
    keras.utils.set_random_seed(0)
    copy = type(bottleneck).from_config(bottleneck.get_config())
    return models.sparse(
        bottleneck=copy, latent_dim=40, hidden=(), code_activation=code, image_shape=SHAPE
    )


def through(layer, z, training=True):
    return ops.convert_to_numpy(layer(ops.convert_to_tensor(z), training=training))


def penalty(layer, z):
    through(layer, z)
    return float(sum(layer.losses))


def gradient(layer, z):
    """Gradient of the penalty plus the output's sum of squares with respect to z."""
    z = tf.constant(z)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(z)
        squares = tf.reduce_sum(layer(z, training=True) ** 2)
        added = tf.add_n(layer.losses) if layer.losses else tf.constant(0.0)
    return [
        np.zeros_like(z) if g is None else g.numpy()
        for g in (tape.gradient(added, z), tape.gradient(squares, z))
    ]


def test_the_kl_penalty_agrees_with_the_loop_of_the_lecture_notes():
    z = RANDOM.random((9, 4)).astype("float32")
    target, total = 0.1, 0.0
    for j in range(4):
        mean = sum(float(z[i, j]) for i in range(9)) / 9
        total += target * np.log(target / mean) + (1 - target) * np.log((1 - target) / (1 - mean))
    assert penalty(layers.KLSparsity(target, 3.0), z) == pytest.approx(3 * total, rel=1e-5)


def test_the_kl_penalty_is_zero_at_its_target_and_finite_at_the_ends():
    assert penalty(layers.KLSparsity(0.3), np.full((5, 4), 0.3)) == pytest.approx(0, abs=1e-5)
    assert np.isfinite(penalty(layers.KLSparsity(0.3), np.zeros((5, 4), "float32")))
    assert np.isfinite(penalty(layers.KLSparsity(0.3), np.ones((5, 4), "float32")))


def test_a_small_weight_has_an_effect():
    z = np.full((5, 4), 0.6, "float32")
    dear, cheap = (penalty(layers.KLSparsity(0.3, weight), z) for weight in (2.0, 0.5))
    assert cheap == pytest.approx(dear / 4)


def test_the_l1_penalty_is_the_mean_over_images_of_the_sum_over_units():
    truth = 0.5 * np.mean([sum(abs(a) for a in row) for row in CODES.tolist()])
    assert penalty(layers.L1Sparsity(0.5), CODES) == pytest.approx(truth, rel=1e-5)


@pytest.mark.parametrize("layer", [layers.KLSparsity(0.1, 2.0), layers.L1Sparsity(0.3)])
def test_the_gradient_of_a_shared_weight_does_not_depend_on_the_batch_size(layer):
    z = RANDOM.uniform(0.1, 0.9, (6, 4)).astype("float32")
    one = gradient(layer, z)[0]
    five = gradient(layer, np.tile(z, (5, 1)))[0]
    assert np.allclose(np.sum(one, axis=0), np.sum(five, axis=0), rtol=1e-4)
    assert np.abs(one).max() > 0


def test_the_kl_gradient_agrees_with_finite_differences():
    z = RANDOM.uniform(0.2, 0.8, (5, 3)).astype("float32")
    layer, step = layers.KLSparsity(0.1, 1.0), np.zeros_like(z)
    step[2, 1] = 1e-2
    slope = (penalty(layer, z + step) - penalty(layer, z - step)) / 2e-2
    assert gradient(layer, z)[0][2, 1] == pytest.approx(slope, rel=1e-2)


@pytest.mark.parametrize("training, kept", [(True, 3), (False, 6)])
def test_k_sparse_keeps_the_largest_values_of_a_sort(training, kept):
    z = through(layers.KSparse(3, alpha=2.0), CODES, training)
    for before, after in zip(CODES, z, strict=True):
        survivors = np.argsort(before)[-kept:]
        truth = np.zeros_like(before)
        truth[survivors] = before[survivors]
        assert np.array_equal(after, truth)


def test_k_sparse_keeps_at_most_all_units():
    few = CODES[:3]  # fewer images than units
    assert np.array_equal(through(layers.KSparse(7, alpha=4.0), few, training=False), few)
    assert np.array_equal(through(layers.KSparse(12), few), few)
    with pytest.raises(LabError, match="k must be at most 12"):
        layers.KSparse(13)(CODES)


def test_k_may_be_reduced_between_trainings():
    model = small(layers.KSparse(20))
    for k in (20, 2):
        model.get_layer("bottleneck").k = k
        assert (np.count_nonzero(evaluation.encode(model, X), axis=1) == k).all()


@pytest.mark.parametrize("kept", [1, 3, 12])
def test_the_fast_selection_agrees_with_the_textbook_line(kept):
    z = ops.convert_to_tensor(CODES)
    textbook = ops.where(z >= ops.top_k(z, kept)[0][:, -1:], z, 0)
    assert np.array_equal(keep_largest(z, kept, axis=-1), textbook)
    along_images = keep_largest(ops.transpose(z), kept, axis=0)
    assert np.array_equal(ops.transpose(along_images), textbook)


def test_the_fast_selection_keeps_all_ties():
    z = np.array([[2.0, 1.0, 1.0, 0.0]], "float32")
    assert np.array_equal(keep_largest(z, 2, axis=-1), [[2, 1, 1, 0]])


@pytest.mark.parametrize("share, kept", [(0.25, 5), (0.01, 1), (1.0, 20)])
def test_each_unit_wins_on_its_share_of_the_batch(share, kept):
    z = through(layers.WinnerTakeAll(share), CODES)
    for before, after in zip(CODES.T, z.T, strict=True):
        truth = np.where(before >= np.sort(before)[-kept], before, 0)
        assert np.array_equal(after, truth)


def test_winner_take_all_is_off_at_inference():
    assert np.array_equal(through(layers.WinnerTakeAll(0.05), CODES, training=False), CODES)


@pytest.mark.parametrize("layer", [layers.KSparse(3), layers.WinnerTakeAll(0.1)])
def test_the_gradient_flows_only_through_the_kept_values(layer):
    z = through(layer, CODES)
    assert np.allclose(gradient(layer, CODES)[1], 2 * z)
    assert 0 < np.count_nonzero(z) < z.size


@EACH
def test_a_sparse_model_learns_and_can_be_saved_and_loaded(bottleneck, code, tmp_path):
    model = small(bottleneck, code)
    history = training.fit(
        model,
        X,
        validation=X,
        epochs=3,
        batch_size=10,
        learning_rate=1e-2,
        loss=losses.squared_error,
    )
    assert history["loss"][-1] < history["loss"][0]
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert np.array_equal(again(X), model(X))
    assert again.get_layer("bottleneck").get_config() == model.get_layer("bottleneck").get_config()


def test_the_default_is_a_wide_code_with_the_kl_penalty():
    model = models.sparse()
    assert model.get_layer("encoder").output_shape == (None, 1_000)
    assert isinstance(model.get_layer("bottleneck"), layers.KLSparsity)


def test_training_moves_the_mean_activation_to_the_target():
    model = small(layers.KLSparsity(0.1, 100.0), "sigmoid")
    assert evaluation.mean_activation(evaluation.encode(model, X)).mean() > 0.3
    training.fit(model, X, validation=X, epochs=10, batch_size=5, learning_rate=3e-2)
    mean = evaluation.mean_activation(evaluation.encode(model, X))
    assert np.abs(mean - 0.1).mean() < 0.03


@pytest.mark.parametrize("build, name", [
    (lambda: layers.KLSparsity(0), "target"), (lambda: layers.KLSparsity(1), "target"),
    (lambda: layers.KLSparsity(weight=-0.1), "weight"), (lambda: layers.L1Sparsity("1"), "weight"),
    (lambda: layers.L1Sparsity(-0.1), "weight"),
    (lambda: layers.KSparse(0), "k"), (lambda: layers.KSparse(2.0), "k"),
    (lambda: layers.KSparse(2, 0.5), "alpha"), (lambda: layers.WinnerTakeAll(0), "share"),
    (lambda: layers.WinnerTakeAll(1.5), "share"),
])  # fmt: skip
def test_numbers_out_of_range_are_refused(build, name):
    with pytest.raises(LabError, match=f"^{name} must be"):
        build()


def test_sparsities_of_codes_known_by_hand():
    one_hot, equal = np.eye(5), np.ones((5, 5))
    for measure in (evaluation.lifetime_sparsity, evaluation.population_sparsity):
        assert np.allclose(measure(one_hot), 1)
        assert np.allclose(measure(equal), 0)
    lonely = np.array([[2.0, 1], [0, 1], [0, 1]])
    assert np.allclose(evaluation.lifetime_sparsity(lonely), [1, 0])
    assert np.allclose(evaluation.population_sparsity(lonely), [0.2, 1, 1])
    assert np.isnan(evaluation.lifetime_sparsity(np.zeros((3, 2)))).all()


def test_class_selectivity_agrees_with_a_loop():
    labels = np.arange(20) % 3
    for unit, found in enumerate(evaluation.class_selectivity(CODES, labels)):
        means = sorted(np.abs(CODES[labels == c, unit]).mean() for c in range(3))
        rest = (means[0] + means[1]) / 2
        assert found == pytest.approx((means[2] - rest) / (means[2] + rest), rel=1e-4)


def test_shared_units_agree_with_a_loop_over_pairs():
    labels = np.arange(20) % 3
    top = [set(np.argsort(np.abs(row))[-4:].tolist()) for row in CODES]
    shares = {True: [], False: []}
    for i in range(20):
        for j in range(i):
            shares[bool(labels[i] == labels[j])].append(len(top[i] & top[j]) / 4)
    found = evaluation.shared_units(CODES, labels, 4)
    assert found == pytest.approx((np.mean(shares[True]), np.mean(shares[False])))
    assert evaluation.shared_units(CODES, labels, 12) == (1, 1)
    wide, two = np.random.default_rng(1).normal(size=(20, 500)), np.arange(20) % 2
    top = np.argsort(np.abs(wide))[:, -60:]
    common = [
        len(np.intersect1d(top[i], top[j])) / 60 for i in range(20) for j in range(i % 2, i, 2)
    ]
    assert evaluation.shared_units(wide, two, 60)[0] == pytest.approx(np.mean(common))


def test_the_summary_equals_its_parts():
    labels, z = np.arange(20) % 3, np.maximum(CODES, 0)
    summary = evaluation.sparsity_summary(z, labels, 4)
    assert summary["lifetime sparsity"] == np.nanmean(evaluation.lifetime_sparsity(z))
    assert summary["class selectivity"] == np.nanmean(evaluation.class_selectivity(z, labels))
    assert summary["median activation"] == np.median(evaluation.mean_activation(z))
    shared = summary["shared, same class"], summary["shared, other class"]
    assert shared == evaluation.shared_units(z, labels, 4)


def test_measures_refuse_arrays_that_are_not_codes():
    for shape in [(4,), (4, 1), (1, 4), (2, 2, 2)]:
        with pytest.raises(LabError, match="z must be codes of shape"):
            evaluation.mean_activation(np.zeros(shape))
    assert evaluation.class_means(np.eye(2), np.array([0, 1])).tolist() == np.eye(2).tolist()
    with pytest.raises(LabError, match="at least 2 classes"):
        evaluation.class_means(CODES, np.zeros(20))
    with pytest.raises(LabError, match="strongest must be at most 12"):
        evaluation.shared_units(CODES, np.arange(20) % 2, 13)


def test_there_is_one_mean_activation_per_unit():
    assert evaluation.mean_activation([[1, 2], [3, 4], [5, 9]]).tolist() == [3, 5]


def test_the_code_of_a_sparse_model_is_the_decoders_input():
    model = small(layers.KSparse(3, alpha=2.0))
    z = evaluation.encode(model, X)
    assert np.allclose(z, layers.KSparse(6)(model.get_layer("encoder")(X)), atol=1e-6)
    assert np.allclose(model.get_layer("decoder")(z), model(X), atol=1e-5)


def test_the_probe_separates_classes_with_the_best_validated_strength():
    z = np.random.default_rng(2).normal(size=(300, 6)).astype("float32") * [1, 100, 1, 1, 1, 1]
    labels = (z[:, 0] + z[:, 1] / 100 > 0).astype(int)
    probe, errors = evaluation.linear_probe(
        z[:200], labels[:200], z[200:250], labels[200:250], [100, 1e-2, 1e-4]
    )
    assert list(errors) == [100, 1e-2, 1e-4]
    assert np.mean(probe(z[200:250]) != labels[200:250]) == min(errors.values())
    assert np.mean(probe(z[250:]) == labels[250:]) > 0.9


def test_units_started_from_images_respond_most_to_their_own_image():
    model = small(layers.KSparse(1))
    models.start_from_images(model, X)
    flat = (X - X.mean(axis=0)).reshape(40, -1)
    unit = flat / np.linalg.norm(flat, axis=1, keepdims=True)
    assert np.allclose(model.get_layer("encoder")(X), flat @ unit.T, atol=1e-4)
    nothing = np.zeros((1, 40), "float32")
    assert np.allclose(
        model.get_layer("decoder").get_layer("logits")(nothing), X.mean(axis=0).reshape(1, -1)
    )
    with pytest.raises(LabError, match="images must be 40"):
        models.start_from_images(model, X[:5])
