"""What is said of a figure: true of the data at hand, and of what usually went wrong."""

import json
import math

import numpy as np
import pytest

from ae_lab import evaluation
from ae_lab.lab import start_lab
from ae_lab.lab.feedback import Mark, Scale, Yardsticks, beside_reference, judge
from ae_lab.settings import Settings


@pytest.fixture(scope="module")
def known(mnist):
    return Yardsticks(mnist)


def metric(value, unit="nats/pixel", name="dense.test_bce", published=None, goal=None):
    return {"name": name, "value": value, "unit": unit, "published": published, "goal": goal}


def said(known, value, *about, profile="full", **options):
    return judge(metric(value, *about, **options), known, profile)


def test_the_marks_are_measured_on_the_data_at_hand(mnist, known):
    mean = mnist.x_train.mean(axis=0)
    error = ((mnist.x_test - mean) ** 2).sum() / len(mnist.x_test)
    assert known.mean_image_sse == pytest.approx(error, rel=1e-4)
    mean = np.clip(mean, 1e-7, 1 - 1e-7)
    nats = -(mnist.x_test * np.log(mean) + (1 - mnist.x_test) * np.log1p(-mean)).mean()
    assert known.mean_image_bce == pytest.approx(nats, rel=1e-4)
    _, counts = np.unique(mnist.y_test, return_counts=True)
    assert known.commonest == counts.max() / 1_000


def test_a_good_figure_stands_between_baseline_and_floor(mnist, known):
    words = said(known, 0.0936)
    floor = evaluation.bce_floor(mnist.x_test)
    assert f"better than the mean image ({known.mean_image_bce:.4g})" in words.lower()
    assert f"{0.0936 - floor:.2g} above the floor of a perfect reconstruction" in words
    assert "0.5 everywhere" not in words and "causes" not in words


def test_components_are_counted_by_the_figures_name(known):
    better = said(known, 5, "squared error/image", "dense.test_sse")
    assert better.startswith(f"Better than PCA with 32 numbers ({known.pca_sse(32):.4g})")
    between = said(known, 20, "squared error/image", "autoencoder.sse_at_20_bytes")
    assert "worse than PCA with 20 numbers" in between and "than the mean image" in between
    same = said(known, known.pca_sse(32), "squared error/image", "dense.linear_sse")
    assert same.startswith("As good as PCA with 32 numbers")
    itself = said(known, known.pca_sse(30), "squared error/image", "deep.pca30_sse")
    assert itself == f"Better than the mean image ({known.mean_image_sse:.4g})."


@pytest.mark.parametrize(
    ("value", "unit", "names", "cause"),
    [
        (math.log(2), "nats/pixel", "0.5 everywhere", "Adadelta"),
        (0.6927, "nats/pixel", "0.5 everywhere", "1.0 in older programs"),
        ("mean_image_bce", "nats/pixel", "the mean image", "L1"),
        ("mean_image_bce", "nats/pixel", "the mean image", "must be summed"),
        ("mean_image_sse", "squared error/image", "the mean image", "ReLU units that died"),
        ("commonest", "share of test images", "commonest class", "different orders"),
        (89.8, "% of test images", "commonest class", "the classifier guesses"),
        (784 * 0.2652, "nats/image, binarised", "each pixel on its own", "averaged over pixels"),
    ],
)
def test_a_telltale_figure_is_recognised_and_explained(known, value, unit, names, cause):
    value = getattr(known, value) if isinstance(value, str) else value
    words = said(known, value, unit, "a.b")
    assert f"This is what {names}" in words.replace("guessing the ", "") and cause in words


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (0.05, "nats/pixel", "cannot be: other images were measured"),
        (97.8, "share of test images", "was it given in per cent?"),
        (-1, "squared error/image", "cannot be negative"),
        (73.4, "nats/pixel", "is it in another unit"),
        (1_000, "nats/image, binarised", "is it in another unit"),
    ],
)
def test_an_impossible_figure_is_called_so(known, value, unit, expected):
    assert expected in said(known, value, unit, "a.b")


def test_a_good_figure_is_never_called_a_telltale(known):
    for value, unit in ((0.0936, "nats/pixel"), (8, "squared error/image"),
                        (0.98, "share of test images"), (1.3, "% of test images"),
                        (86, "nats/image, binarised"), (18, "dB, Gaussian noise")):  # fmt: skip
        words = said(known, value, unit, "a.b")
        assert words.startswith(("Better than", "0 would be")), words
        assert not any(word in words for word in ("causes", "cannot be", "another unit"))


@pytest.mark.parametrize(
    ("value", "expected"), [(2.9, "better than the published figure by 0.1"),
                            (3.2, "worse than the published figure by 0.2"),
                            (3.0, "as good as the published figure")]
)  # fmt: skip
def test_print_is_compared_the_right_way_round(value, expected):
    assert expected in said(Yardsticks(), value, "squared error/image", "a.b", published=3.0)


def test_of_accuracies_the_larger_is_better():
    words = said(Yardsticks(), 0.96, "share of test images", "a.b", published=0.805)
    short, ahead = words.rstrip(".").split("; ")
    assert short == "4.00 points short of every image right"
    assert ahead == "better than the published figure by 15.50 points"


@pytest.mark.parametrize(
    ("value", "profile", "expected"),
    [
        (0.09, "full", "the goal, at most 0.0935, is reached"),
        (0.09, "quick", "the goal, at most 0.0935, is reached"),
        (0.1, "full", "the goal, at most 0.0935, is not reached."),
        (0.1, "quick", "is not reached, which is set for the full profile."),
    ],
)
def test_the_goal_is_held_against_the_figure(value, profile, expected):
    assert expected in said(Yardsticks(), value, profile=profile, goal={"at_most": 0.0935})


def test_other_images_are_not_held_against_print_or_goal(known):
    words = said(known, 0.09, published=0.09, goal={"at_most": 0.0935})
    assert "not to be compared with print or goal" in words
    assert "reached" not in words and "published figure" not in words


def test_what_is_not_known_is_not_judged(known):
    assert said(known, 3, "apples", "a.b") == ""
    assert "0 would be the very plane" in said(known, 3, "degrees", "a.b")


def test_the_nearest_marks_are_named_on_either_side():
    scale = Scale(marks=tuple(Mark(value, f"m{value}") for value in (1, 2, 3, 4)))

    class Fixed(Yardsticks):
        def scale(self, name, unit):
            return scale

    assert said(Fixed(), 2.5) == "Better than m3 (3); worse than m2 (2)."


# Beside the reference


@pytest.fixture
def reference(tmp_path):
    (tmp_path / "reports").mkdir()
    kept = {"quick, S": {"a.b": {"value": 0.1, "tolerance": 0.02}}}
    (tmp_path / "reports" / "reference.json").write_text(json.dumps(kept), encoding="utf-8")
    return Settings(project_folder=tmp_path, offline=True)


@pytest.mark.parametrize(("value", "where"), [(0.119, "inside"), (0.121, "outside")])
def test_the_profiles_own_figure_is_told(reference, value, where):
    words = beside_reference("a.b", value, reference, "S")
    assert "The quick profile is known to reach 0.1 ± 0.02" in words and where in words


@pytest.mark.parametrize(("name", "source"), [("a.c", "S"), ("a.b", "other data")])
def test_without_a_kept_figure_nothing_is_told(reference, tmp_path, name, source):
    assert beside_reference(name, 0.1, reference, source) == ""
    assert beside_reference("a.b", 0.1, Settings(project_folder=tmp_path / "none"), "S") == ""


@pytest.mark.parametrize("in_report", [True, False])
def test_only_a_reader_at_work_sees_the_reference(tmp_path, shown, mnist, in_report):
    """A report must not change when the figures it is verified against do."""
    (tmp_path / "reports").mkdir()
    kept = {f"quick, {mnist.source}": {"a.b": {"value": 0.1, "tolerance": 0.02}}}
    (tmp_path / "reports" / "reference.json").write_text(json.dumps(kept), encoding="utf-8")
    records = tmp_path if in_report else None
    lab = start_lab("n", Settings(project_folder=tmp_path, record_folder=records, offline=True))
    lab.load_mnist()
    lab.record("a.b", 0.1, "nats/pixel")
    assert ("is known to reach" in shown[0][0]["text/html"]) is not in_report
    assert "above the floor" in shown[0][0]["text/html"]


def test_what_is_no_number_is_explained():
    with pytest.raises(ValueError, match="finite number.*learning rate that is too large"):
        start_lab("n", Settings(offline=True)).record("a.b", float("nan"), "u")
