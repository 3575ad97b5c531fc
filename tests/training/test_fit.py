"""Training on tiny data: it learns, reports problems, and can be repeated exactly."""

import ast
import logging
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from ae_lab import evaluation, layers, losses, models, training
from ae_lab.errors import LabError
from ae_lab.training import batches, fast
from helpers import SIZES, SMALL, halves

pytestmark = pytest.mark.usefixtures("no_xla")
SHAPE = (4, 4, 1)
EPOCHS = 3
BATCH = 8
LINEAR = dict.fromkeys(("activation", "code_activation", "output_activation"), "linear")
BYTES = halves(40)
X = BYTES.astype("float32") / np.float32(255)
TRAIN, VALIDATION = X[:30], X[30:]  # 30 is not a multiple of the batch size


def train(model=None, x=TRAIN, *, seed=1, **options):
    training.seed_everything(seed)
    model = model or models.undercomplete(latent_dim=2, code_activation="linear", image_shape=SHAPE)
    options = {"validation": VALIDATION, "epochs": EPOCHS, "batch_size": BATCH} | options
    return model, training.fit(model, x, **options)


@pytest.fixture(scope="module")
def plain():
    """One training as in a report, compiled."""
    seen = []
    model, history = train(
        epochs=12, learning_rate=0.03, on_epoch=lambda epoch, logs: seen.append((epoch, logs))
    )
    return model, history, seen


def test_training_lowers_the_loss(plain):
    _, history, _ = plain
    assert history["loss"][-1] < 0.9 * history["loss"][0]
    assert history["val_loss"][-1] < 0.9 * history["val_loss"][0]


def test_the_history_has_a_number_per_epoch_and_is_passed_on(plain):
    _, history, seen = plain
    assert set(history) == {"loss", "val_loss", "reconstruction", "val_reconstruction"}
    assert {len(values) for values in history.values()} == {12}
    assert [epoch for epoch, _ in seen] == list(range(12))
    assert [logs["val_loss"] for _, logs in seen] == history["val_loss"]


def test_without_a_penalty_the_loss_is_the_reconstruction(plain):
    _, history, _ = plain
    assert history["loss"] == pytest.approx(history["reconstruction"], rel=1e-5)
    assert history["val_loss"] == pytest.approx(history["val_reconstruction"], rel=1e-5)


def test_the_last_validation_loss_is_that_of_the_returned_model(plain):
    model, history, _ = plain
    values = losses.binary_cross_entropy(VALIDATION, model(VALIDATION))
    assert history["val_loss"][-1] == pytest.approx(float(ops.mean(values)), rel=1e-4)


@pytest.mark.filterwarnings("ignore:the training did not learn")
def test_the_loss_of_an_epoch_is_a_mean_per_image_over_whole_batches(both_ways):
    """With a learning rate close to 0, the mean of each epoch is that of the untrained model.

    The last batch is filled up with the first images, so these count twice.
    """
    training.seed_everything(1)
    model = models.undercomplete(latent_dim=2, image_shape=SHAPE)
    values = np.array(losses.binary_cross_entropy(TRAIN, model(TRAIN)))
    whole = -(-len(TRAIN) // BATCH) * BATCH
    expected = float(np.concatenate([values, values[: whole - len(TRAIN)]]).mean())
    assert whole > len(TRAIN)
    _, history = train(model, learning_rate=1e-12, batch_size=BATCH)
    assert history["loss"] == pytest.approx([expected] * EPOCHS, rel=1e-5)
    assert history["reconstruction"] == pytest.approx([expected] * EPOCHS, rel=1e-5)


@pytest.mark.parametrize(
    ("x", "batch_size"),
    [(TRAIN, 30), (np.repeat(TRAIN[:1], 30, axis=0), 10)],
    ids=["one step per epoch", "equal images"],
)
def test_the_result_agrees_with_keras_fit(both_ways, x, batch_size):
    """With data for which the order of the images does not matter."""
    ours, history = train(x=x, batch_size=batch_size, learning_rate=0.02)
    training.seed_everything(1)
    theirs = models.undercomplete(latent_dim=2, code_activation="linear", image_shape=SHAPE)
    schedule = keras.optimizers.schedules.CosineDecay(0.02, EPOCHS * 30 // batch_size)
    theirs.compile(keras.optimizers.Adam(schedule), loss=losses.binary_cross_entropy)
    expected = theirs.fit(
        x, x, validation_data=(VALIDATION, VALIDATION), batch_size=batch_size, epochs=3, verbose=0
    ).history
    assert history["loss"] == pytest.approx(expected["loss"], rel=1e-4)
    assert history["val_loss"] == pytest.approx(expected["val_loss"], rel=1e-4)
    for mine, yours in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert mine == pytest.approx(yours, abs=1e-4)


class Punished(keras.layers.Layer):
    """A bottleneck with a penalty of 5 per image."""

    def call(self, z):
        self.add_loss(ops.mean(ops.zeros_like(z[:, 0]) + 5.0))
        return z


@pytest.mark.filterwarnings("ignore:the training did not learn")
@pytest.mark.parametrize("loss", [losses.binary_cross_entropy, losses.squared_error])
def test_a_penalty_is_in_the_loss_and_not_in_the_reconstruction(loss, both_ways):
    encoder = models.dense_encoder(2, (), "relu", "linear", SHAPE)
    decoder = models.dense_decoder(2, (), "relu", "sigmoid", SHAPE)
    model = models.autoencoder(encoder, Punished(name="bottleneck"), decoder, name="punished")
    _, history = train(model, loss=loss, epochs=1)
    for prefix in ("", "val_"):
        difference = history[f"{prefix}loss"][0] - history[f"{prefix}reconstruction"][0]
        assert difference == pytest.approx(5, rel=1e-4)


@pytest.mark.slow
def test_the_same_seed_gives_identical_weights(both_ways):
    """For a kind that draws noise during training: the seed also determines the noise."""

    def weights(seed):
        training.seed_everything(seed)
        model = models.denoising(latent_dim=2, hidden=(4,), image_shape=SHAPE)
        training.fit(model, TRAIN, validation=VALIDATION, epochs=2, batch_size=8)
        return [array for array in model.get_weights() if array.dtype == np.float32]

    first, again, other = weights(1), weights(1), weights(2)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_images_keep_their_type_in_memory():
    held = batches.joined(BYTES[:30], BYTES[30:])
    assert held.dtype == np.uint8 and np.array_equal(held, BYTES)
    for first, second in ((TRAIN, VALIDATION), (BYTES[:30], VALIDATION), (TRAIN, BYTES[30:])):
        held = batches.joined(first, second)
        assert held.dtype == np.float32 and np.array_equal(held, X)


def test_bytes_and_floats_give_the_same_training():
    from_bytes, history = train(x=BYTES[:30], validation=BYTES[30:])
    from_floats, again = train()
    assert history["loss"] == pytest.approx(again["loss"], rel=1e-5)
    for a, b in zip(from_bytes.get_weights(), from_floats.get_weights(), strict=True):
        assert a == pytest.approx(b, abs=1e-5)


def test_rows_are_stored_and_returned_unchanged():
    taken = fast._Resident(BYTES)(np.array([3, 0, 3]))
    assert np.allclose(taken, X[[3, 0, 3]], atol=1e-7)
    assert np.array_equal(fast._Resident(X * 0.7)(np.array([1])), (X * 0.7)[[1]])


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="only TensorFlow keeps them")
def test_the_images_of_a_program_are_freed_but_not_its_model():
    model = models.undercomplete(latent_dim=2, image_shape=SHAPE)
    plan = batches.Plan(BYTES, None, 30, losses.squared_error, EPOCHS, BATCH, learning_rate=0.1)
    trained = fast.program_of(model, plan)
    before = np.array(model(X))
    fast.let_go(trained)
    assert np.array_equal(model(X), before)
    with pytest.raises(Exception, match="is not in"):
        trained(np.array([1]))


def test_targets_replace_the_input_in_the_loss():
    training.seed_everything(1)
    model = models.undercomplete(latent_dim=2, image_shape=SHAPE)
    zeros = np.zeros_like
    expected = float(ops.mean(losses.squared_error(zeros(VALIDATION), model(VALIDATION))))
    _, history = train(
        model,
        loss=losses.squared_error,
        learning_rate=1e-12,
        epochs=1,
        targets=zeros(TRAIN),
        validation_targets=zeros(VALIDATION),
    )
    assert history["val_loss"] == pytest.approx([expected], rel=1e-5)


def test_logits_are_used_only_before_a_sigmoid():
    loss = losses.binary_cross_entropy
    sigmoid = models.undercomplete(latent_dim=2, image_shape=SHAPE)
    head, used = fast.head_of(sigmoid, loss)
    assert used is losses.binary_cross_entropy_from_logits
    assert np.allclose(keras.activations.sigmoid(head(X)), sigmoid(X), atol=1e-6)
    assert fast.head_of(sigmoid, losses.squared_error) == (sigmoid, losses.squared_error)
    linear = models.undercomplete(latent_dim=2, image_shape=SHAPE, **LINEAR)
    assert fast.head_of(linear, loss) == (linear, loss)


def test_a_diverging_training_is_stopped_with_an_error(both_ways):
    model = models.undercomplete(latent_dim=2, image_shape=SHAPE, **LINEAR)
    with pytest.raises(LabError, match="diverged.*epoch.*learning rate"):
        train(model, loss=losses.squared_error, learning_rate=1e25, epochs=5)


@pytest.mark.parametrize(
    ("x", "options", "words"),
    [
        (BYTES.astype("int32"), {}, "x must hold floats"),
        (TRAIN, {"engine": "slow"}, "engine must be one of plain, fast"),
        (TRAIN * 255, {}, r"x must lie in \[0, 1\]"),
        (TRAIN[..., 0], {}, "x must be images"),
        (TRAIN[:0], {}, "x must be images"),
        (TRAIN * np.nan, {}, "x must lie"),
        (TRAIN, {"validation": VALIDATION * 2}, "validation must lie"),
        (TRAIN, {"epochs": 0}, "epochs"),
        (TRAIN, {"epochs": 1.5}, "epochs"),
        (TRAIN, {"batch_size": 0}, "batch_size"),
        (TRAIN, {"batch_size": True}, "batch_size"),
        (TRAIN, {"targets": TRAIN[1:], "validation_targets": VALIDATION}, "x and targets"),
        (TRAIN, {"targets": TRAIN * 2, "validation_targets": VALIDATION}, "targets must lie"),
    ],
)
def test_invalid_input_is_refused_before_training(x, options, words):
    model = models.undercomplete(latent_dim=2, image_shape=SHAPE)
    before = model.get_weights()
    with pytest.raises(LabError, match=words):
        train(model, x, **options)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


LABELS = np.arange(40) % 2


def test_a_classifier_learns_separable_classes():
    training.seed_everything(1)
    model = models.classifier(input_shape=SHAPE, classes=2, widths=(4,), dense=8, dropout=0)
    history = training.fit_classifier(
        model,
        TRAIN,
        LABELS[:30],
        validation=VALIDATION,
        validation_labels=LABELS[30:],
        epochs=8,
        batch_size=10,
        learning_rate=0.03,
        weight_decay=1e-3,
    )
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    assert (model.predict(TRAIN, verbose=0).argmax(axis=1) == LABELS[:30]).mean() > 0.9


def test_labels_of_another_length_are_refused():
    model = models.classifier(input_shape=SHAPE, classes=2, widths=(2,), dense=2)
    with pytest.raises(LabError, match="x and labels.*30 and 29"):
        training.fit_classifier(
            model,
            TRAIN,
            LABELS[:29],
            validation=VALIDATION,
            validation_labels=LABELS[30:],
            epochs=1,
        )


def test_convolutions_are_distinguished_from_dense_networks(monkeypatch):
    monkeypatch.undo()
    dense = models.undercomplete(latent_dim=2, image_shape=SHAPE)
    convolutional = models.classifier(input_shape=SHAPE, classes=2, widths=(2,), dense=2)
    nested = keras.Sequential([keras.Input(SHAPE), convolutional])
    assert fast.compiles_well(dense)
    assert not fast.compiles_well(convolutional)
    assert not fast.compiles_well(nested)


def test_labels_and_validation_labels_must_match_their_images():
    x = np.zeros((8, 8, 8, 1), "float32")
    options = {"validation": x[:4], "epochs": 1}
    with pytest.raises(LabError, match="validation_labels"):
        training.fit_classifier(None, x, np.zeros(8), validation_labels=np.zeros(3), **options)


def test_validation_images_of_another_shape_are_refused():
    x = np.zeros((8, 8, 8, 1), "float32")
    model = models.undercomplete(latent_dim=2, image_shape=(8, 8, 1))
    with pytest.raises(LabError, match="same shape"):
        training.fit(model, x, validation=np.zeros((4, 6, 6, 1), "float32"), epochs=1)


@pytest.mark.parametrize(
    "x, labels, words",
    [
        (np.full((8, *SHAPE), np.nan), np.zeros(8, int), "x must be finite numbers"),
        (np.zeros((8, *SHAPE)), np.full(8, 2), "from 0 to 1.* from 2 to 2"),
        (np.zeros((8, *SHAPE)), np.full(8, -1), "from -1 to -1"),
        (np.zeros((8, *SHAPE)), np.zeros(8), "float64"),
    ],
)
def test_invalid_images_and_labels_are_refused(x, labels, words):
    model = models.classifier(input_shape=SHAPE, classes=2, widths=(2,), dense=2)
    options = {"validation": x, "validation_labels": labels, "epochs": 1}
    with pytest.raises(LabError, match=words):
        training.fit_classifier(model, x, labels, **options)


@pytest.mark.parametrize("option", ["learning_rate", "weight_decay"])
@pytest.mark.parametrize("value", [-1, "fast", float("nan")])
def test_an_invalid_learning_rate_is_refused(plain, option, value):
    with pytest.raises(LabError, match=option):
        train(plain[0], epochs=1, **{option: value})


def test_every_epoch_has_a_different_order_determined_by_the_seed():
    def drawn(seed):
        training.seed_everything(seed)
        return [order.tolist() for order in batches.orders(np.arange(64), 3)]

    first, second, third = drawn(1)
    assert sorted(first) == sorted(second) == sorted(third) == list(range(64))
    assert first != second != third != first
    assert drawn(1) == [first, second, third] != drawn(2)


# The two engines


def by_both(build, fit, **options):
    """[(model, history)] of the engines "plain" and "fast", with the same seed."""
    found = []
    for engine in ("plain", "fast"):
        training.seed_everything(1)
        model = build()
        found.append((model, fit(model, engine=engine, **options)))
    return found


def check_alike(plain, fast):
    (first, expected), (second, history) = plain, fast
    assert set(history) == set(expected)
    for name, values in expected.items():
        assert history[name] == pytest.approx(values, rel=1e-4), name
    for mine, yours in zip(second.get_weights(), first.get_weights(), strict=True):
        assert mine == pytest.approx(yours, abs=1e-4)


def fit_images(model, engine, **options):
    shape = model.input_shape[1:]
    x = np.random.default_rng(0).integers(0, 256, (40, *shape)).astype("uint8")
    options = {"epochs": EPOCHS, "batch_size": BATCH, "learning_rate": 0.02} | options
    return training.fit(model, x[:30], validation=x[30:], engine=engine, **options)


@pytest.mark.parametrize("kind", models.AUTOENCODERS)
def test_both_engines_train_every_kind_with_the_same_result(kind):
    """Including the noise of corruption and samples: each layer has its own seed and counter."""
    sizes = SIZES.get(kind, SMALL)
    check_alike(*by_both(lambda: models.AUTOENCODERS[kind](**sizes), fit_images))


@pytest.mark.parametrize("kind", ["undercomplete", "sparse", "contractive"])
def test_both_engines_give_the_same_result_if_xla_compiles_one(kind, monkeypatch):
    """For kinds without noise: with the same seed, XLA draws other numbers."""
    monkeypatch.setattr(fast, "compiles_well", lambda program: True)
    monkeypatch.setattr(fast, "WORTH_COMPILING", 1)
    check_alike(*by_both(lambda: models.AUTOENCODERS[kind](**SIZES.get(kind, SMALL)), fit_images))


@pytest.mark.parametrize(
    "options",
    [
        {"loss": losses.squared_error, "weight_decay": 0.1},
        {"transform": layers.Binarise},
        {"transform": layers.Binarise, "samples": 3},
        {"transform": layers.Binarise, "targets": TRAIN, "validation_targets": VALIDATION},
    ],
    ids=lambda options: " ".join(options),
)
def test_both_engines_give_the_same_result_with_every_option(options):

    def fit(model, engine, transform=None, **options):
        transform = transform and transform(seed=2)  # one per engine: it counts its draws
        return fit_images(model, engine, transform=transform, **options)

    sizes = {"latent_dim": 3, "hidden": (7,), "image_shape": SHAPE}
    check_alike(*by_both(lambda: models.variational(**sizes), fit, **options))


def test_both_engines_train_a_classifier_with_the_same_result():
    """Including dropout."""
    options = {"x": BYTES[:30], "labels": LABELS[:30], "validation_labels": LABELS[30:]}
    options |= {"validation": BYTES[30:], "epochs": EPOCHS, "batch_size": BATCH}
    sizes = {"input_shape": SHAPE, "classes": 2, "widths": (4,), "dense": 8}
    check_alike(*by_both(lambda: models.classifier(**sizes), training.fit_classifier, **options))


def test_the_plain_engine_stops_a_training_that_diverges():
    model = models.undercomplete(latent_dim=2, image_shape=SHAPE, **LINEAR)
    with pytest.raises(LabError, match="diverged.*epoch 1"):
        train(model, loss=losses.squared_error, learning_rate=1e25, engine="plain")


@pytest.mark.filterwarnings("ignore:the training did not learn")
def test_many_models_can_be_trained_without_warnings_or_logger_changes(caplog):
    logger = logging.getLogger("tensorflow")
    before = logger.level, list(logger.filters)
    for _ in range(6):  # TensorFlow warns at the fifth
        model, _ = train(epochs=1)
        evaluation.reconstruct(model, VALIDATION)
    assert (logger.level, logger.filters) == before
    assert "retracing" not in caplog.text


def test_only_the_fast_engine_changes_how_keras_trains():
    """Except in the bench, whose peers are written in the usual way."""
    package = Path(training.__file__).parents[1]
    found = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            bases = [ast.unparse(base) for base in getattr(node, "bases", [])]
            if {"keras.Model", "Model"} & set(bases) or getattr(node, "name", "") == "train_step":
                found.add(path.relative_to(package))
    assert {path for path in found if "upkeep" not in path.parts} == {Path("training/fast.py")}


@pytest.mark.parametrize("engine", training.ENGINES)
def test_tied_weights_remain_tied(engine):
    """Trained with the sum of both gradients, like one kernel that is used in two places."""
    model, history = train(tied=True, learning_rate=0.03, epochs=12, engine=engine)
    code, logits = model.get_layer("encoder").layers[-1], model.get_layer("decoder").layers[1]
    assert np.array_equal(np.array(logits.kernel), np.array(code.kernel).T)
    assert history["val_loss"][-1] < 0.95 * history["val_loss"][0]
    values = losses.binary_cross_entropy(VALIDATION, model(VALIDATION))
    assert history["val_loss"][-1] == pytest.approx(float(ops.mean(values)), rel=1e-4)


@pytest.mark.filterwarnings("ignore:the training did not learn")
@pytest.mark.parametrize("engine", training.ENGINES)
def test_momentum_agrees_with_the_textbook(engine):
    """One batch for one epoch at a constant rate: a single step along the gradient."""
    training.seed_everything(1)
    model = models.undercomplete(latent_dim=2, code_activation="linear", image_shape=SHAPE)
    before = [np.array(v) for v in model.trainable_variables]
    x = TRAIN[:BATCH]
    moved, _ = train(model, x, epochs=1, optimizer="sgd", learning_rate=1e-3, engine=engine)
    nudge = 1e-2
    bias = moved.get_layer("decoder").layers[1].bias
    after = [np.array(v) for v in moved.trainable_variables]
    step = (after[-1] - before[-1])[0]

    def loss_at(shift):
        for variable, value in zip(moved.trainable_variables, before, strict=True):
            variable.assign(value)
        bias.assign(before[-1] + shift * np.eye(len(before[-1]))[0])
        return float(ops.mean(losses.binary_cross_entropy(x, moved(x))))

    slope = (loss_at(nudge) - loss_at(-nudge)) / (2 * nudge)
    assert step == pytest.approx(-1e-3 * slope, rel=0.05)


def test_another_optimizer_is_refused():
    with pytest.raises(LabError, match="adam, sgd.*'lion'"):
        train(optimizer="lion")


def test_tied_weights_with_a_hidden_layer_are_refused():
    model = models.undercomplete(latent_dim=2, hidden=(3,), image_shape=SHAPE)
    with pytest.raises(LabError, match="hidden"):
        train(model, tied=True)


def test_a_model_started_from_the_mean_image_outputs_it():
    model = models.undercomplete(latent_dim=2, code_activation="linear", image_shape=SHAPE)
    model.get_layer("decoder").layers[1].kernel.assign(np.zeros((2, 16)))
    models.start_from_mean(model, TRAIN)
    wanted = np.clip(TRAIN.mean(axis=0), 0.001, 0.999)
    assert np.allclose(np.array(model(TRAIN[:3])), wanted, atol=1e-5)
