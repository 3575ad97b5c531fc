"""Explorers: a figure at rest in a report, sliders that redraw it by hand."""

import io
import subprocess
import sys

import ipywidgets
import numpy as np
import pytest
from PIL import Image

from ae_lab import models
from ae_lab.data import add_gaussian_noise
from ae_lab.lab import start_lab, widgets
from ae_lab.settings import Settings

X = np.random.default_rng(0).random((12, 28, 28, 1), dtype="float32")


def model(**options):
    return models.undercomplete(**{"latent_dim": 5, "code_activation": "linear"} | options)


CALLS = {
    "code": lambda lab: widgets.code(lab, model(), X, numbers=3),
    "sizes": lambda lab: widgets.sizes(lab, {2: model(latent_dim=2), 5: model()}, X),
    "noise": lambda lab: widgets.noise(
        lab, {"plain": model()}, X, lambda x, amount: add_gaussian_noise(x, amount, 0)
    ),
    "walk": lambda lab: widgets.walk(lab, models.variational(latent_dim=3, hidden=(4,)), X),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_report_has_the_figure_at_rest_alone(name, shown, tmp_path):
    CALLS[name](start_lab("a", Settings(record_folder=tmp_path)))
    ((bundle, metadata),) = shown
    assert "image/png" in bundle
    assert len(metadata["image/png"]["alt"].split()) > 10


@pytest.mark.parametrize("name", CALLS)
def test_by_hand_every_slider_redraws_the_picture(name, shown):
    CALLS[name](start_lab("a", Settings()))
    (_, _), (panel, _) = shown
    *sliders, picture = panel.children
    assert isinstance(picture, ipywidgets.Image) and sliders
    for slider in sliders:
        before = bytes(picture.value)
        if isinstance(slider, ipywidgets.SelectionSlider):
            slider.value = slider.options[-1]
        else:
            slider.value = slider.max if slider.value == slider.min else slider.min
        assert bytes(picture.value) != before, slider.description
    Image.open(io.BytesIO(picture.value)).verify()


def test_the_code_sliders_begin_where_the_chosen_image_is(shown):
    autoencoder = model()
    widgets.code(start_lab("a", Settings()), autoencoder, X, numbers=2)
    start, *knobs, _ = shown[1][0].children
    start.value = 7
    z = autoencoder.get_layer("encoder").predict(X, verbose=0)[7]
    for knob in knobs:
        number = int(knob.description.split()[-1]) - 1
        assert knob.value == pytest.approx(float(z[number]), abs=1e-6)


def test_the_figure_at_rest_is_the_same_each_time(shown, tmp_path):
    autoencoder, lab = model(), start_lab("a", Settings(record_folder=tmp_path))
    widgets.code(lab, autoencoder, X)
    widgets.code(lab, autoencoder, X)
    assert shown[0] == shown[1]


def test_without_ipywidgets_one_line_says_so(shown, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    lab = start_lab("a", Settings())
    capsys.readouterr()
    CALLS["walk"](lab)
    assert len(shown) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert "ipywidgets" in line and "not installed" in line


def test_the_module_imports_no_widgets():
    program = "import sys, ae_lab.lab.widgets; print('ipywidgets' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
