"""Models that notebooks save: written only in a report run, published whole, loaded safely."""

import numpy as np
import pytest

from ae_lab import evaluation, layers, models
from ae_lab.errors import LabError
from ae_lab.lab import start_lab
from ae_lab.report.workplace import Workplace
from ae_lab.settings import Settings

SMALL = {
    "undercomplete": {"latent_dim": 3},
    "denoising": {"latent_dim": 3, "hidden": (), "corruption": layers.MaskingCorruption(0.5)},
    "sparse": {"latent_dim": 9, "bottleneck": layers.KSparse(2), "code_activation": "linear"},
    "deep": {"latent_dim": 3, "hidden": (8, 4)},
    "contractive": {"latent_dim": 3},
    "convolutional": {"widths": (2, 3), "code_channels": 2},
    "variational": {"latent_dim": 3, "hidden": (8,)},
}


@pytest.fixture
def x():
    return np.random.default_rng(0).random((4, 28, 28, 1), dtype="float32")


@pytest.mark.parametrize("kind", models.AUTOENCODERS)
def test_each_kind_is_loaded_in_safe_mode_with_the_same_output(kind, tmp_path, x):
    model = models.AUTOENCODERS[kind](**SMALL[kind])
    start_lab("a", Settings(record_folder=tmp_path)).keep_model(model, kind)
    again = models.load_model(tmp_path / "a" / f"{kind}.keras")
    np.testing.assert_array_equal(
        evaluation.reconstruct(again, x), evaluation.reconstruct(model, x)
    )
    np.testing.assert_array_equal(evaluation.encode(again, x), evaluation.encode(model, x))


def test_the_classifier_is_loaded_with_its_shifts(tmp_path, x):
    model = models.classifier(widths=(2, 2, 2), dense=4, shift=1)
    start_lab("a", Settings(record_folder=tmp_path)).keep_model(model, "classifier")
    again = models.load_model(tmp_path / "a" / "classifier.keras")
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_a_saved_model_contains_what_it_was_trained_on(tmp_path, monkeypatch):
    lab = start_lab("a", Settings(record_folder=tmp_path, project_folder=tmp_path, offline=True))
    dataset = lab.load_mnist()
    lab.keep_model(models.deep(latent_dim=2, hidden=()), "deep")
    about = models.trained_on(tmp_path / "a" / "deep.keras")
    assert about == dataset.about
    assert about["digits"] and about["light_on_dark"] and about["classes"] == list("0123456789")
    assert about["sha256"] == dataset.sha256 and about["data"].startswith("MNIST sample")
    models.load_model(tmp_path / "a" / "deep.keras")


def test_missing_training_data_are_none_and_invalid_ones_are_refused(tmp_path):
    model, path = models.deep(latent_dim=2, hidden=()), tmp_path / "deep.keras"
    models.save_model(model, path)
    assert models.trained_on(path) is None
    about = {"data": "a", "sha256": "b", "classes": [], "light_on_dark": True, "digits": True}
    for wrong in ({"data": 3}, about | {"digits": "no"}, about | {"data": "a" * 20_000}):
        models.save_model(model, path, wrong)
        with pytest.raises(LabError, match="trained_on.json"):
            models.trained_on(path)
    path.write_bytes(b"no archive")
    with pytest.raises(LabError, match="not a zip file"):
        models.trained_on(path)


def test_outside_a_report_no_model_is_saved(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    lab = start_lab("a", Settings())
    capsys.readouterr()
    lab.keep_model(models.deep(latent_dim=2, hidden=()), "deep")
    assert not list(tmp_path.rglob("*"))
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["", "../deep", "Deep", "deep.keras"])
def test_an_invalid_file_name_is_refused(name, tmp_path):
    lab = start_lab("a", Settings(record_folder=tmp_path))
    with pytest.raises(LabError, match="lower-case letters"):
        lab.keep_model(models.deep(latent_dim=2, hidden=()), name)


def keep(place, name, *models_of_it, error=None):
    """What an execution leaves: its models, then the executed notebook."""
    for model in models_of_it:
        (place.records / name).mkdir(parents=True, exist_ok=True)
        (place.records / name / f"{model}.keras").write_text(f"{model} of {name}")
    place.store(name, {"metadata": {"ae_lab": {"error": error}}})


def test_a_successful_execution_replaces_its_models_and_a_failed_one_does_not(tmp_path):
    place = Workplace(Settings(report_folder=tmp_path))
    place.build.mkdir(parents=True)
    keep(place, "one", "deep", "classifier")
    keep(place, "two", "sparse")
    keep(place, "one", "sigmoid", error={"name": "ValueError"})
    kept = {path.relative_to(place.models).as_posix() for path in place.models.rglob("*.keras")}
    assert kept == {"one/deep.keras", "one/classifier.keras", "two/sparse.keras"}
    (place.records / "one" / "sigmoid.keras").unlink()
    keep(place, "one", "deep")
    assert [path.name for path in (place.models / "one").iterdir()] == ["deep.keras"]
