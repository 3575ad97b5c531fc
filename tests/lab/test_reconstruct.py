"""``reconstruct``: a model file says what it was trained on, and no photo is overwritten."""

import os

import numpy as np
import pytest
from PIL import Image, ImageDraw

from ae_lab import models
from ae_lab.__main__ import main

ABOUT = {
    "data": "MNIST, 60,000 + 10,000",
    "sha256": "0",
    "digits": True,
    "classes": list("0123456789"),
    "light_on_dark": True,
}
KMNIST = ABOUT | {"data": "kmnist, 60,000 + 10,000: and so on", "digits": False}
ANIMALS = KMNIST | {"data": "animals, 3,000 + 1,000", "classes": ["bear", "giraffe"]}
DARK = KMNIST | {"data": "scans, 3,000 + 1,000", "light_on_dark": False}


@pytest.fixture
def photo(tmp_path, monkeypatch):
    monkeypatch.setenv("AE_LAB_REPORTS", str(tmp_path / "reports"))
    monkeypatch.delenv("AE_LAB_PROFILE", raising=False)
    page = Image.new("L", (300, 300), 230)
    ImageDraw.Draw(page).line([(100, 80), (200, 80), (140, 230)], fill=30, width=14)
    page.save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


@pytest.fixture
def kept(tmp_path):
    """Write a deep model and a classifier with the description of their training data."""
    folder = tmp_path / "reports" / "quick" / "models"
    folder.mkdir(parents=True)
    deep = models.deep(latent_dim=5, hidden=(8,))
    classifier = models.classifier(widths=(2, 2, 2), dense=4)

    def write(of_deep, of_classifier):
        models.save_model(deep, folder / "deep.keras", of_deep)
        models.save_model(classifier, folder / "classifier.keras", of_classifier)

    return write


def test_models_of_digits_are_used_without_a_note(photo, kept, capsys):
    kept(ABOUT, ABOUT)
    assert main(["reconstruct", str(photo)]) == 0
    said = capsys.readouterr()
    assert said.err == "" and photo.with_name("photo-deep.png").is_file()


@pytest.mark.parametrize(("about", "words"), [(ANIMALS, "bear"), (DARK, "dark on light")])
def test_a_model_of_something_else_is_refused(about, words, photo, kept, capsys):
    kept(about, about)
    assert main(["reconstruct", str(photo)]) == 1
    said = capsys.readouterr()
    assert about["data"].split(",")[0] in said.err and words in said.err
    assert not photo.with_name("photo-deep.png").exists() and "reads" not in said.out


def test_a_classifier_of_something_else_is_not_used(photo, kept, capsys):
    kept(ABOUT, ANIMALS)
    assert main(["reconstruct", str(photo)]) == 0
    said = capsys.readouterr()
    assert "No prediction" in said.err and "animals" in said.err and "reads" not in said.out


@pytest.mark.parametrize(("about", "words"), [(KMNIST, "kmnist"), (None, "training data")])
def test_a_model_of_unknown_data_is_used_with_a_note(about, words, photo, kept, capsys):
    kept(about, ABOUT)
    assert main(["reconstruct", str(photo)]) == 0
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1 and words in said[0] and "deep.keras" in said[0]


def test_a_photo_is_never_overwritten(photo, kept, capsys, monkeypatch):
    kept(ABOUT, ABOUT)
    content = photo.read_bytes()
    os.link(photo, photo.with_name("hard.png"))
    os.symlink(photo, photo.with_name("soft.png"))
    monkeypatch.chdir(photo.parent)
    for out in ("photo.png", "./photo.png", "hard.png", "soft.png"):
        assert main(["reconstruct", "photo.png", "--out", out]) == 1
        assert "name another" in capsys.readouterr().err
    model = photo.parent / "reports" / "quick" / "models" / "deep.keras"
    before = model.read_bytes()
    for out in ("photo.jpg", str(model)):
        assert main(["reconstruct", "photo.png", "--out", out]) == 1
        assert ".png file" in capsys.readouterr().err
    assert photo.read_bytes() == content and model.read_bytes() == before
    assert np.asarray(Image.open(photo)).shape == (300, 300)
