"""Choices on validation images, each tested in its smallest size."""

import dataclasses
import json

import numpy as np
import pytest

from ae_lab import data
from ae_lab.errors import LabError
from ae_lab.settings import Settings
from ae_lab.upkeep import choose

pytestmark = pytest.mark.slow


@pytest.mark.filterwarnings("ignore:the training did not learn")  # in one epoch
@pytest.mark.parametrize(  # each measure, and each of its variants
    "name",
    [
        "01.epochs",
        "02.cnn",
        "03.batch",
        "04.k",
        "04.final_rate",
        "05.rectified_stack",
        "05.new_rate",
        "06.papers_contractive",
        "06.dropout_denoising",
        "07.code",
        "09.rate",
    ],
)
def test_a_choice_is_the_minimum_of_its_grid_without_test_images(tmp_path, monkeypatch, name):
    loaded = data.load_mnist(Settings(profile="smoke", offline=True))
    blind = dict(test_images=np.zeros((0, 28, 28, 1), "uint8"), y_test=np.zeros(0, "uint8"))
    monkeypatch.setattr(data, "load_mnist", lambda _: dataclasses.replace(loaded, **blind))
    said = []
    settings = Settings(profile="smoke", report_folder=tmp_path, offline=True)
    choose.choose(settings, [name], said.append)
    kept = json.loads((tmp_path / "choices.json").read_text())[f"{name}, smoke"]
    sizes = [len(values) for values in kept["grid"].values()]
    values = [one["value"] for one in kept["tried"]]
    assert len(values) == len(said) == np.prod(sizes) and np.isfinite(values).all()
    assert kept["chosen"]["value"] == min(values) and kept["seed"] == 8


def test_compared_methods_have_the_same_number_of_settings():
    choices = choose.TABLES["choices"]
    for kind in ("05.sigmoid", "05.rectified", "06.papers", "06.dropout"):
        grids = [one["grid"].values() for name, one in choices.items() if name.startswith(kind)]
        assert len({np.prod([len(values) for values in grid]) for grid in grids}) == 1


def test_an_unknown_choice_is_reported_in_one_sentence(tmp_path):
    with pytest.raises(LabError, match="04.k.*received.*no.such"):
        choose.choose(Settings(report_folder=tmp_path), ["no.such"])
