"""Results compared with the reference values."""

import json

import numpy as np
import pytest

from ae_lab.errors import LabError
from ae_lab.lab import feedback
from ae_lab.lab.records import Metric
from ae_lab.report.seeds.spread import summary
from ae_lab.upkeep import verify

KEPT = {
    "a": {"mean": 2.0, "tolerance": 0.2},
    "b": {"mean": 0.0, "tolerance": 0.01},
    "c": {"mean": 7.0, "tolerance": None},
}
SEEDS = {8: 0.9938, 9: 0.9941, 10: 0.9936, 11: 0.9940, 12: 0.9939}  # of a CNN on raw images


def metric(name, *values, value=None):
    """A metric with these values over seeds."""
    seeds = {"tensorflow": summary(dict(enumerate(values, 8)))} if values else None
    return Metric(name, values[0] if value is None else value, seeds=seeds)


def test_values_within_their_tolerances_pass():
    found = {"a": 2.15, "b": -0.005, "c": 99.0, "new": 9.0}
    assert verify.compare(found, KEPT) == 2, "c has too few seeds to be judged"


def test_each_missing_or_deviating_value_is_named():
    with pytest.raises(LabError, match="2 of 3 values") as error:
        verify.compare({"a": 2.25, "c": 7.0}, KEPT)
    assert "a is 2.25, expected 2 ± 0.2" in str(error.value)
    assert "b is missing" in str(error.value)


def test_a_cnn_with_90_per_cent_accuracy_does_not_pass(tmp_path):
    verify.keep(tmp_path / "r.json", "full, MNIST", [metric("cnn", *SEEDS.values())])
    kept = json.loads((tmp_path / "r.json").read_text())["full, MNIST"]
    assert kept["cnn"]["mean"] == pytest.approx(0.99388) and kept["cnn"]["seeds"] == 5
    assert 3 * kept["cnn"]["deviation"] < kept["cnn"]["tolerance"] < 0.002
    assert verify.compare({"cnn": 0.9934}, kept) == 1
    for wrong in (0.895, 0.99, 0.9975):
        with pytest.raises(LabError, match="cnn is"):
            verify.compare({"cnn": wrong}, kept)


@pytest.mark.parametrize("seeds", [3, 5, 20])
def test_a_tolerance_has_the_probability_of_three_deviations(seeds):
    draws = np.random.default_rng(0).normal(0, 1, (40_000, seeds + 1))
    mean, deviation = draws[:, :-1].mean(axis=1), draws[:, :-1].std(axis=1, ddof=1)
    wide = verify.tolerance(0.0, 1.0, seeds)
    outside = np.mean(np.abs(draws[:, -1] - mean) > wide * deviation)
    assert outside == pytest.approx(0.0027, abs=0.001)
    assert verify.tolerance(0.0, 1.0, 10_000) == pytest.approx(3, abs=0.05)


def test_with_few_seeds_another_profiles_deviation_is_used_or_none(tmp_path):
    path = tmp_path / "r.json"
    verify.keep(path, "full, MNIST", [metric("a", value=4.0), metric("b", 1.0, 2.0)])
    kept = json.loads(path.read_text())["full, MNIST"]
    assert [kept[name]["tolerance"] for name in "ab"] == [None, None]
    verify.keep(path, "quick, a sample", [metric("a", 5.0, 6.0, 7.0)])
    assert json.loads(path.read_text())["full, MNIST"] == kept, "other data are not used"
    verify.keep(path, "quick, MNIST", [metric("a", 5.0, 6.0, 7.0), metric("c", 1.0, 1.0, 1.0)])
    reference = json.loads(path.read_text())
    a, c = reference["full, MNIST"]["a"], reference["quick, MNIST"]["c"]
    assert a["spread_of"] == "quick, MNIST" and a["mean"] == 4
    assert a["tolerance"] == reference["quick, MNIST"]["a"]["tolerance"]
    assert c["tolerance"] == 0.001, "machines round differently"
    assert "Student" in reference["about"]


def project(tmp_path, monkeypatch, figures):
    from ae_lab import data
    from ae_lab.settings import Settings

    settings = Settings(project_folder=tmp_path, report_folder=tmp_path / "reports")
    settings.profile_folder.mkdir(parents=True)
    seeds = {"tensorflow": summary({8: 1.0, 9: 1.1, 10: 0.9})}
    metrics = [{"name": name, "value": v, "seeds": seeds} for name, v in figures.items()]
    (settings.profile_folder / "metrics.json").write_text(json.dumps(metrics))
    monkeypatch.setattr(verify, "build_report", lambda settings, say: None)
    monkeypatch.setattr(data, "prepare", lambda settings: "MNIST")
    return settings


def test_the_command_needs_stored_values_stores_them_and_compares(tmp_path, monkeypatch):
    said = []
    settings = project(tmp_path, monkeypatch, {"a": 1.0})
    with pytest.raises(LabError, match="verify --accept"):
        verify.verify(settings, say=said.append)
    verify.verify(settings, accept=True, say=said.append)
    verify.verify(settings, say=said.append)
    assert "All 1 values" in said[-1]
    (settings.profile_folder / "metrics.json").write_text('[{"name": "a", "value": 9.0}]')
    with pytest.raises(LabError, match="a is 9, expected 1"):
        verify.verify(settings, say=said.append)


WRONG = [
    "[1]",
    "{",
    '{"quick, MNIST": [1]}',
    '{"quick, MNIST": {"a": 1}}',
    '{"quick, MNIST": {"a": {"mean": 1}}}',
    '{"quick, MNIST": {"a": {"mean": "one", "tolerance": 1}}}',
    '{"quick, MNIST": {"a": {"mean": NaN, "tolerance": 1}}}',
    '{"quick, MNIST": {"a": {"mean": 1, "tolerance": Infinity}}}',
    '{"quick, MNIST": {"a": {"mean": 1' + "0" * 400 + ', "tolerance": 1}}}',
]


@pytest.mark.parametrize("text", WRONG)
def test_an_invalid_reference_file_is_named_and_not_changed(tmp_path, monkeypatch, text):
    settings = project(tmp_path, monkeypatch, {"a": 1.0})
    path = tmp_path / "reports" / "reference.json"
    path.write_text(text)
    for accept in (False, True):
        with pytest.raises(LabError, match="reference.json must hold a mean and a tolerance"):
            verify.verify(settings, accept=accept, say=lambda text: None)
    assert path.read_text() == text
    assert "reference.json" in feedback.beside_reference("a", 1.0, settings, "MNIST")
