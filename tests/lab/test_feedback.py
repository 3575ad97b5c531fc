"""Comparison of a value with baselines, goal and reference, and likely causes of failures."""

import json
import math

import pytest

from ae_lab.lab import start_lab
from ae_lab.lab.feedback import DIAGNOSES, beside_reference, compare, diagnosis
from ae_lab.lab.records import Metric
from ae_lab.settings import Settings

BCE = {
    "baselines": {"mean image": 0.2626, "0.5 everywhere": math.log(2)},
    "best": {"a copy": 0.058},
}
ACCURACY = {
    "unit": "share of test images",
    "better": "higher",
    "baselines": {"most frequent class": 0.1135, "pixels": 0.92},
    "best": {"every image right": 1},
}


def said(value, profile="full", comparable=True, **about):
    return compare(Metric("a.b", value, **about), profile, comparable)


def parts(*arguments, **about):
    return said(*arguments, **about).rstrip(".").lower().split("; ")


def test_without_comparisons_the_text_is_empty():
    assert said(3.0) == ""


def test_a_good_value_is_compared_with_baselines_and_the_best():
    baseline, best = parts(0.0936, **BCE)
    assert "better" in baseline and "mean image (0.2626)" in baseline
    assert "0.058 (a copy)" in best and "0.036" in best


def test_the_nearest_better_and_worse_baselines_are_named():
    baselines = {f"m{value}": value for value in (1, 2, 3, 4)}
    beaten, ahead = parts(2.4, baselines=baselines)
    assert "better" in beaten and "m3 (3)" in beaten and "worse" in ahead and "m2 (2)" in ahead
    beaten, ahead = parts(2.4, baselines=baselines, better="higher")
    assert "better" in beaten and "m2 (2)" in beaten and "worse" in ahead and "m3 (3)" in ahead
    above, below = parts(2.4, baselines=baselines, better=None)
    assert {above.split()[0], below.split()[0]} == {"above", "below"}


@pytest.mark.parametrize(("value", "equal"), [(13.19, True), (13.20, True), (13.3, False)])
def test_a_baseline_within_a_thousandth_counts_as_equal(value, equal):
    (words,) = parts(value, baselines={"PCA, 32 components": 13.19})
    assert ("equal" in words) is equal and "pca, 32 components (13.19)" in words


def test_shares_are_shown_in_per_cent_and_points():
    pixels, best = parts(0.96, **ACCURACY)[:2]
    assert "pixels (92.00%)" in pixels and "100.00%" in best and "4.00 points" in best
    assert "15.50 points" in said(0.96, **ACCURACY, published=0.805)


@pytest.mark.parametrize(
    ("value", "about", "name", "cause"),
    [
        (math.log(2), BCE, "0.5 everywhere", "Adadelta"),
        (0.687, BCE, "0.5 everywhere", "1.0 in older programs"),
        (0.26, BCE, "mean image", "L1"),
        (0.265, BCE, "mean image", "averaged over pixels"),
        (0.115, ACCURACY, "most frequent class", "different orders"),
    ],
)
def test_a_known_failure_is_recognised_and_explained(value, about, name, cause):
    words = said(value, **about)
    assert f"“{name}”" in words and cause in words
    assert "better than " + name not in words.lower()


def test_a_baseline_of_another_name_is_not_explained():
    assert diagnosis(Metric("a.b", 0.2626, baselines={"PCA": 0.2626})) == ""


@pytest.mark.parametrize(
    ("value", "about", "expected"),
    [
        (0.05, BCE, "a copy (0.058), which is impossible"),
        (97.8, ACCURACY, "every image right (100.00%), which is impossible"),
        (73.4, BCE, "another unit"),
        (0.01, ACCURACY, "another unit"),
    ],
)
def test_an_impossible_value_is_recognised(value, about, expected):
    assert expected in said(value, **about)


@pytest.mark.parametrize(
    ("value", "about"), [(0.0936, BCE), (0.98, ACCURACY), (0.2, BCE), (0.72, BCE)]
)
def test_a_value_without_known_failure_has_no_diagnosis(value, about):
    assert diagnosis(Metric("a.b", value, **about)) == ""


@pytest.mark.parametrize(
    ("value", "better", "word", "gap"),
    [
        (2.9, "lower", "better", "0.1"),
        (3.2, "lower", "worse", "0.2"),
        (3.2, "higher", "better", "0.2"),
        (3.2, None, "above", "0.2"),
        (3.0, "lower", "equal", ""),
    ],
)
def test_the_published_value_is_compared_in_the_right_direction(value, better, word, gap):
    (words,) = parts(value, better=better, published=3.0)
    assert words.startswith(word) and words.endswith(gap)


@pytest.mark.parametrize(
    ("value", "profile", "mark"),
    [
        (0.09, "full", "reached"),
        (0.09, "quick", "reached"),
        (0.1, "full", "missed"),
        (0.1, "quick", "not in this profile"),
    ],
)
def test_the_goal_is_compared_with_the_value(value, profile, mark):
    (words,) = parts(value, profile, goal={"at_most": 0.0935})
    assert "at most 0.0935" in words and words.endswith(mark)


def test_other_images_are_not_compared_with_published_values_or_goals():
    words = said(0.09, comparable=False, published=0.08, goal={"at_most": 0.0935}, **BCE)
    assert all(text in words for text in ("mean image", "other images", "knobs"))
    assert "reached" not in words and "published" not in words


def test_every_diagnosis_names_causes():
    assert all("Likely causes" in words for words in DIAGNOSES.values())


# Recording uses only its arguments


def test_a_record_is_compared_only_with_its_arguments(tmp_path, monkeypatch):
    from ae_lab import evaluation

    def refuse(*_):
        raise AssertionError("a record must not measure anything")

    lab = start_lab("n", Settings(record_folder=tmp_path, offline=True))
    lab.load_mnist()
    for name in ("principal_subspace", "pca_reconstruction", "sse_per_image", "bce_per_pixel"):
        monkeypatch.setattr(evaluation, name, refuse)
    lab.record("dense.pca32_sse", 13.2, "squared error/image")
    lab.record("dense.test_bce", 0.09, "nats/pixel", baselines={"PCA, 2 components": 0.2})
    first, second = json.loads((tmp_path / "n.json").read_text())["metrics"]
    assert first["words"] == "" and "PCA, 2 components (0.2)" in second["words"]


# Reference values


@pytest.fixture
def reference(tmp_path):
    (tmp_path / "reports").mkdir()
    stored = {"quick, S": {"a.b": {"mean": 0.1, "tolerance": 0.02}}}
    (tmp_path / "reports" / "reference.json").write_text(json.dumps(stored), encoding="utf-8")
    return Settings(project_folder=tmp_path, offline=True)


@pytest.mark.parametrize(("value", "where"), [(0.119, "inside"), (0.121, "outside")])
def test_the_reference_value_of_the_profile_is_shown(reference, value, where):
    words = beside_reference("a.b", value, reference, "S")
    assert "quick" in words and "0.1 ± 0.02" in words and where in words


@pytest.mark.parametrize(("name", "source"), [("a.c", "S"), ("a.b", "other data")])
def test_without_a_reference_value_nothing_is_shown(reference, tmp_path, name, source):
    assert beside_reference(name, 0.1, reference, source) == ""
    assert beside_reference("a.b", 0.1, Settings(project_folder=tmp_path / "none"), "S") == ""


@pytest.mark.parametrize("in_report", [True, False])
def test_reference_values_are_only_shown_outside_a_report(tmp_path, shown, sample, in_report):
    """A report must not change when the reference values that verify uses change."""
    (tmp_path / "reports").mkdir()
    stored = {f"quick, {sample.source}": {"a.b": {"mean": 0.1, "tolerance": 0.02}}}
    (tmp_path / "reports" / "reference.json").write_text(json.dumps(stored), encoding="utf-8")
    records = tmp_path if in_report else None
    lab = start_lab("n", Settings(project_folder=tmp_path, record_folder=records, offline=True))
    lab.load_mnist()
    lab.record("a.b", 0.1, "nats/pixel", best={"a copy": 0.05})
    assert ("0.1 ± 0.02" in shown[0][0]["text/html"]) is not in_report
    assert "a copy" in shown[0][0]["text/html"]


def test_likely_causes_of_nan_are_listed():
    with pytest.raises(ValueError, match="finite number.*learning rate that is too large"):
        start_lab("n", Settings(offline=True)).record("a.b", float("nan"), "u")
