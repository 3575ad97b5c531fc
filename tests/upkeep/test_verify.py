"""Figures held against the kept ones."""

import json

import pytest

from ae_lab.errors import LabError
from ae_lab.lab import feedback
from ae_lab.upkeep import verify

KEPT = {"a": {"value": 2.0, "tolerance": 0.2}, "b": {"value": 0.0, "tolerance": 0.01}}


def test_figures_within_their_tolerances_pass():
    verify.compare({"a": 2.15, "b": -0.005, "new": 9.0}, KEPT)


def test_each_stray_and_each_missing_figure_is_named():
    with pytest.raises(LabError, match="2 of 2 figures") as error:
        verify.compare({"a": 2.25}, KEPT)
    assert "a is 2.25, expected 2 ± 0.2" in str(error.value)
    assert "b is missing" in str(error.value)


def test_a_tolerance_set_by_hand_survives(tmp_path):
    path = tmp_path / "reference.json"
    verify.keep(path, "quick, MNIST", {"a": 1.0, "b": 0.0})
    kept = json.loads(path.read_text())
    assert kept["quick, MNIST"]["a"] == {"value": 1.0, "tolerance": 0.1}
    assert kept["quick, MNIST"]["b"]["tolerance"] == 0.01
    kept["quick, MNIST"]["a"]["tolerance"] = 0.5
    path.write_text(json.dumps(kept))
    verify.keep(path, "quick, MNIST", {"a": 3.0})
    verify.keep(path, "full, MNIST", {"a": 4.0})
    kept = json.loads(path.read_text())
    assert kept["quick, MNIST"] == {"a": {"value": 3.0, "tolerance": 0.5}}
    assert kept["full, MNIST"]["a"]["value"] == 4.0


def project(tmp_path, monkeypatch, figures):
    from ae_lab import data
    from ae_lab.settings import Settings

    settings = Settings(project_folder=tmp_path, report_folder=tmp_path / "reports")
    settings.profile_folder.mkdir(parents=True)
    metrics = [{"name": name, "value": value} for name, value in figures.items()]
    (settings.profile_folder / "metrics.json").write_text(json.dumps(metrics))
    monkeypatch.setattr(verify, "build_report", lambda settings, say: None)
    monkeypatch.setattr(data, "prepare", lambda settings: "MNIST")
    return settings


def test_the_verb_wants_kept_figures_keeps_them_and_then_compares(tmp_path, monkeypatch):
    said = []
    settings = project(tmp_path, monkeypatch, {"a": 1.0})
    with pytest.raises(LabError, match="it has none"):
        verify.verify(settings, say=said.append)
    verify.verify(settings, accept=True, say=said.append)
    verify.verify(settings, say=said.append)
    assert "All 1 figures" in said[-1]
    (settings.profile_folder / "metrics.json").write_text('[{"name": "a", "value": 2.0}]')
    with pytest.raises(LabError, match="a is 2, expected 1"):
        verify.verify(settings, say=said.append)


WRONG = [
    "[1]",
    "{",
    '{"quick, MNIST": [1]}',
    '{"quick, MNIST": {"a": 1}}',
    '{"quick, MNIST": {"a": {"value": 1}}}',
    '{"quick, MNIST": {"a": {"value": "one", "tolerance": 1}}}',
    '{"quick, MNIST": {"a": {"value": NaN, "tolerance": 1}}}',
    '{"quick, MNIST": {"a": {"value": 1, "tolerance": Infinity}}}',
    '{"quick, MNIST": {"a": {"value": 1' + "0" * 400 + ', "tolerance": 1}}}',
]


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_reference_file_is_named_and_left_as_it_is(tmp_path, monkeypatch, text):
    settings = project(tmp_path, monkeypatch, {"a": 1.0})
    path = tmp_path / "reports" / "reference.json"
    path.write_text(text)
    for accept in (False, True):
        with pytest.raises(LabError, match="reference.json must hold a value and a tolerance"):
            verify.verify(settings, accept=accept, say=lambda text: None)
    assert path.read_text() == text
    assert "reference.json" in feedback.beside_reference("a", 1.0, settings, "MNIST")
