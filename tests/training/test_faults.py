"""Data and learning rates with which nothing can be learned: stopped, or reported at the end."""

import json
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest

from ae_lab import evaluation, lab, losses, models, rbm, training
from ae_lab.errors import LabError
from helpers import SIZES, SMALL, build, notebook, project

KINDS = [  # training takes seconds per kind: one kind represents all in the fast tests
    kind if kind == "undercomplete" else pytest.param(kind, marks=pytest.mark.slow)
    for kind in sorted(models.AUTOENCODERS)
]
SHAPE = SMALL["image_shape"]
PIXELS = 30
X = np.random.default_rng(3).random((48, *SHAPE)).astype("float32")
FLAT = {
    "all black": np.zeros((32, *SHAPE), "float32"),
    "all white": np.ones((32, *SHAPE), "float32"),
    "one grey": np.full((32, *SHAPE), 0.3, "float32"),
    "one image": np.repeat(X[:1], 32, axis=0),
}
LINEAR = {"code_activation": "linear", "output_activation": "linear", "activation": "linear"}


def make(kind):
    training.seed_everything(1)
    return models.AUTOENCODERS[kind](**SIZES.get(kind, SMALL))


def fit(model, x, **options):
    """(history, warnings) of a short training."""
    options = {"epochs": 3, "batch_size": 16, "validation": x[:8]} | options
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        history = training.fit(model, x, **options)
    return history, [str(w.message) for w in caught if w.category is RuntimeWarning]


def test_the_error_of_a_divergence_names_epoch_and_steps():
    model = models.undercomplete(latent_dim=2, image_shape=SHAPE, **LINEAR)
    options = {"loss": losses.squared_error, "learning_rate": 1e25}
    with pytest.raises(LabError, match=r"epoch 1 .*1 to 3.*learning rate"):
        fit(model, X, **options)


def test_the_error_of_a_later_divergence_names_later_steps():
    model = make("undercomplete")

    def spoil(epoch, logs):
        model.set_weights([np.full_like(weights, np.nan) for weights in model.get_weights()])

    with pytest.raises(LabError, match="nan .*epoch 2 .*4 to 6"):
        fit(model, X, on_epoch=spoil)


@pytest.mark.parametrize("kind", KINDS)
def test_a_learning_rate_a_thousand_times_too_high_is_stopped_or_reported(kind):
    """If the network learns anyway, there is no warning."""
    model = make(kind)
    try:
        history, said = fit(model, X, learning_rate=3.0)
    except LabError as error:
        assert "diverged" in str(error) and "steps" in str(error)
        return
    assert np.isfinite([value for values in history.values() for value in values]).all()
    blind = history["reconstruction"][-1] > 1.1 * PIXELS * np.log(2)
    assert blind == any("did not learn" in text and "lower" in text for text in said)


@pytest.mark.slow
def test_a_training_that_learned_nothing_gives_a_warning():
    _, said = fit(models.undercomplete(**SMALL), X, learning_rate=1e3)
    assert len(said) == 1 and "20.79" in said[0]
    assert fit(models.undercomplete(**SMALL), X)[1] == []


@pytest.mark.parametrize("name", ["all black", "one grey"])
@pytest.mark.parametrize("kind", KINDS)
def test_equal_images_give_finite_results(kind, name):
    model, x = make(kind), FLAT[name]
    history, said = fit(model, x)
    assert np.isfinite([value for values in history.values() for value in values]).all()
    assert said == []
    x_hat = evaluation.reconstruct(model, x)
    figures = [getattr(evaluation, f)(x, x_hat) for f in ("sse_per_image", "bce_per_pixel", "psnr")]
    assert np.isfinite(figures).all()


def test_measures_that_need_different_images_refuse_equal_ones():
    black, labels = FLAT["all black"], np.zeros(32, int)
    with pytest.raises(LabError, match="must vary within each image"):
        evaluation.share_lost(black, black)
    for probe in (
        lambda: evaluation.linear_probe(black.reshape(32, -1), labels, black, labels, [0.1]),
        lambda: evaluation.class_means(black.reshape(32, -1), labels),
    ):
        with pytest.raises(LabError, match="at least 2 classes, received 1"):
            probe()
    with pytest.raises(LabError, match="components must be at most 30"):
        evaluation.frechet_distance(black, black)


@pytest.mark.slow
def test_a_single_class_is_learned_and_a_too_high_rate_is_reported():
    labels = np.zeros(48, int)
    options = {"validation": X[:8], "validation_labels": labels[:8], "epochs": 3, "batch_size": 16}
    small = {"widths": (4,), "dense": 8, "dropout": 0, "classes": 3}
    network = models.classifier(input_shape=SHAPE, **small)
    history = training.fit_classifier(network, X, labels, **options)
    assert history["loss"][-1] < history["loss"][0]
    mixed = np.arange(48) % 3
    options |= {"validation_labels": mixed[:8], "learning_rate": 100.0}
    network = models.perceptron(units=8, classes=3, image_shape=SHAPE)
    with pytest.warns(RuntimeWarning, match="did not learn.*1.099"):
        training.fit_classifier(network, X, mixed, **options)


@pytest.mark.parametrize("name", FLAT)
def test_an_rbm_stays_finite_for_equal_images(name):
    rows = FLAT[name].reshape(32, -1)
    machine, errors = rbm.fit_rbm(rows, 4, seed=0, batch_size=8)
    assert np.isfinite(errors).all() and np.isfinite(machine.kernel).all()


def test_the_error_of_a_diverging_rbm_names_the_epoch():
    """It stops long before numbers overflow: an error of 1e30 is finite but meaningless."""
    rows = X.reshape(48, -1)
    for hidden in ("bernoulli", "gaussian"):
        kinds = {"visible": "gaussian", "hidden": hidden}
        with (
            np.errstate(all="ignore"),
            pytest.raises(LabError, match="diverged in epoch [12], err"),
        ):
            rbm.fit_rbm(rows, 4, seed=0, learning_rate=1e3, **kinds)


# No NaN in a report without a banner


@pytest.fixture
def notes(monkeypatch):
    monkeypatch.setattr(lab.display, "show_raw", lambda *_: None)
    return lab.start_lab("01_a")


@pytest.mark.parametrize("text", ["nan nats", "from 3.1 to inf", "error -inf.", "NLL (nan)"])
def test_a_claim_or_table_with_nan_is_refused(notes, text):
    with pytest.raises(LabError, match="own must contain finite numbers"):
        notes.claim("own", "It falls.", lab.at_least("a", 2, 1, "units", because=text))
    with pytest.raises(LabError, match="Errors must contain finite numbers"):
        notes.table(["a", "b"], [["x", text]], caption="Errors")


@pytest.mark.parametrize("text", ["nanometres", "an infinite plane", "inform", "banana", "np.nan"])
def test_words_that_contain_nan_or_inf_are_accepted(notes, text):
    notes.claim("own", "It falls.", lab.at_least("a", 2, 1, "units", because=text))
    notes.table(["a", "b"], [["x", text]], caption="Errors")


def test_a_history_with_nan_is_refused(notes):
    with pytest.raises(LabError, match="finite"):
        notes.epochs({"loss": [1.0, float("nan")]}, caption="Training")


@pytest.mark.kernel
def test_a_report_with_nan_has_a_banner(tmp_path):
    """From the notebook's cell to the banner of the page."""
    code = "%%from ae_lab.lab import at_least, start_lab\nlab = start_lab('one')\n{}"
    says = {
        "one": "lab.record('a.b', float('nan'), 'nats')",
        "two": "lab.reading(f'It is {float(\"nan\"):.3f}.')",
    }
    cells = {name: notebook("# A", code.format(line)) for name, line in says.items()}
    settings = project(tmp_path, **cells)
    with pytest.raises(LabError, match="finite number.*and 1 more failed"):
        build(settings)
    for name in says:
        page = (tmp_path / "reports" / "quick" / f"{name}.html").read_text()
        assert 'class="banner"' in page and "finite number" in page


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float16", "float64"])
def test_another_precision_in_keras_json_is_refused(tmp_path, precision):
    (tmp_path / "keras.json").write_text(json.dumps({"floatx": precision}))
    program = "import keras; from ae_lab.lab import start_lab; start_lab('a')"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"KERAS_HOME": str(tmp_path), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert f"Keras must compute in float32, received {precision}" in done.stderr.splitlines()[-1]
