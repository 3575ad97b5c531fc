"""Sliders: a static figure in a report, and outside it sliders that redraw it."""

import io
import subprocess
import sys
from base64 import b64decode

import ipywidgets
import numpy as np
import pytest
from PIL import Image

from ae_lab import evaluation, models
from ae_lab.data import add_gaussian_noise
from ae_lab.lab import start_lab, widgets
from ae_lab.lab.records import POSITIONS
from ae_lab.settings import Settings

X = np.random.default_rng(0).random((12, 28, 28, 1), dtype="float32")


def model(**options):
    return models.undercomplete(**{"latent_dim": 5, "code_activation": "linear"} | options)


CALLS = {
    "code": lambda lab: widgets.code_sliders(lab, model(), X, numbers=3),
    "size": lambda lab: widgets.size_slider(lab, {2: model(latent_dim=2), 5: model()}, X),
    "noise": lambda lab: widgets.noise_slider(
        lab, {"plain": model()}, X, lambda x, amount: add_gaussian_noise(x, amount, 0)
    ),
    "interpolation": lambda lab: widgets.interpolation_slider(
        lab, models.variational(latent_dim=3, hidden=(4,)), X[:5]
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_report_has_the_static_figure_and_all_positions_of_few_sliders(name, shown, tmp_path):
    CALLS[name](start_lab("a", Settings(record_folder=tmp_path)))
    ((bundle, metadata),) = shown
    assert "image/png" in bundle
    assert len(metadata["image/png"]["alt"].split()) > 10
    packed = bundle[POSITIONS]
    labels = [slider["labels"] for slider in packed["sliders"]]
    assert len(packed["views"]) == np.prod([len(one) for one in labels])
    assert all(
        slider["start"] < len(one) for slider, one in zip(packed["sliders"], labels, strict=True)
    )


def test_each_position_of_a_page_shows_what_the_slider_shows(shown, tmp_path):
    small, large = model(latent_dim=2), model()
    lab = start_lab("a", Settings(record_folder=tmp_path))
    widgets.size_slider(lab, {2: small, 5: large}, X[:3])
    packed = shown[0][0][POSITIONS]
    picture = Image.open(io.BytesIO(b64decode(packed["picture"]))).convert("L")
    tiles = np.asarray(picture) / 255
    for net, view in zip((small, large), packed["views"], strict=True):
        (clean, *originals), (label, *decoded) = view
        assert packed["rows"][clean] == "original"
        assert packed["rows"][label] == f"{2 if net is small else 5} numbers"
        images = [*X[:3], *evaluation.reconstruct(net, X[:3])]
        for number, image in zip(originals + decoded, images, strict=True):
            left = 28 * number
            assert np.abs(tiles[:28, left : left + 28] - image[..., 0]).max() < 1 / 15
    assert len({tile for view in packed["views"] for row in view for tile in row[1:]}) == 9


@pytest.mark.parametrize("name", CALLS)
def test_outside_a_report_every_slider_redraws_the_picture(name, shown):
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
    widgets.code_sliders(start_lab("a", Settings()), autoencoder, X, numbers=2)
    start, *knobs, _ = shown[1][0].children
    start.value = 7
    z = autoencoder.get_layer("encoder").predict(X, verbose=0)[7]
    for knob in knobs:
        number = int(knob.description.split()[-1]) - 1
        assert knob.value == pytest.approx(float(z[number]), abs=1e-6)


def test_the_static_figure_is_always_the_same(shown, tmp_path):
    autoencoder, lab = model(), start_lab("a", Settings(record_folder=tmp_path))
    widgets.code_sliders(lab, autoencoder, X)
    widgets.code_sliders(lab, autoencoder, X)
    assert shown[0] == shown[1]


def test_without_ipywidgets_one_line_is_printed(shown, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    lab = start_lab("a", Settings())
    capsys.readouterr()
    CALLS["interpolation"](lab)
    assert len(shown) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert "ipywidgets" in line and "not installed" in line


def test_the_module_imports_no_widgets():
    program = "import sys, ae_lab.lab.widgets; print('ipywidgets' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
