"""Conditions with value, bound and reason, and knobs that are set from outside."""

import json

import numpy as np
import pytest

from ae_lab.errors import LabError
from ae_lab.lab import paired_gain, start_lab, verdicts
from ae_lab.lab.conditions import at_least, at_most, better_than, between, control, more_correct
from ae_lab.lab.parameters import chosen, knob
from ae_lab.settings import Settings

WHY = {"because": "the paper says so"}


@pytest.mark.parametrize(
    ("condition", "margin", "texts"),
    [
        (at_least("units", 0.84, 0.9, "share", **WHY), -0.06, ["84.0%", "above 90.0%"]),
        (at_most("error", 7.5, 8, "nats", **WHY), 0.5, ["7.5 nats", "below 8 nats"]),
        (
            between("angle", 3, 1, 10, "degrees", **WHY),
            2,
            ["3 degrees", "between 1 degrees and 10"],
        ),
        (between("angle", 11, 1, 10, "degrees", **WHY), -1, ["11", "between 1 degrees and 10"]),
        (
            better_than("ours", 13, {"PCA": 15}, "nats", by=1, better="lower", **WHY),
            1,
            ["PCA, 15 nats, by more than 1"],
        ),
        (better_than("ours", 13, {"PCA": 15}, "nats", by=0, **WHY), -2, ["higher than PCA", "15"]),
    ],
)
def test_a_condition_shows_its_bound(condition, margin, texts):
    assert condition.margin == pytest.approx(margin) and condition.met is (margin > 0)
    assert all(text in condition.sentence for text in [*texts, condition.name, WHY["because"]])
    assert condition.sentence.endswith("): met" if condition.met else "): not met")


def test_a_value_equal_to_the_bound_does_not_meet_it():
    assert not at_least("x", 1.0, 1.0, "units", **WHY).met


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "0.5", None, True, np.True_])
def test_a_condition_needs_numbers_a_unit_and_a_reason(value):
    for given in ((value, 1), (1, value)):
        with pytest.raises(LabError, match="x must compare finite"):
            at_least("x", *given, "share", **WHY)
    with pytest.raises(LabError, match="x must state the reason"):
        at_least("x", 1, 1, "units", because=" ")
    with pytest.raises(LabError, match="x must state its unit"):
        at_least("x", 1, 1, "", **WHY)
    with pytest.raises(LabError, match="x needs one rival"):
        better_than("x", 1, {"a": 1, "b": 2}, "nats", by=0, **WHY)


def test_a_control_is_shown_and_not_counted(shown, tmp_path):
    lab = start_lab("n", Settings(record_folder=tmp_path))
    off = control(at_most("weight 0", 0.9, 0.5, "share", **WHY))
    lab.claim("04.own", "It works.", at_least("weight 1", 0.95, 0.9, "share", **WHY), off)
    lab.claim("sparse.k_strongest", at_least("weight 1", 0.8, 0.9, "share", **WHY))
    first, second = json.loads((tmp_path / "n.json").read_text())["claims"]
    assert first["verdict"] == "holds" and first["conditions"] == {"weight 1": 0.05}
    assert "control, weight 0: 90.0%" in first["evidence"]
    assert second["verdict"] == "does not hold" and second["kind"] == "handout"
    assert "below 50.0%" in shown[0][0]["text/plain"]


def test_a_claim_needs_a_condition_besides_controls(shown):
    with pytest.raises(LabError, match="at least one condition"):
        start_lab("n", Settings()).claim("own", "S.", control(at_least("x", 1, 0, "units", **WHY)))


# Knobs

KNOBS = {
    "latent_dim": knob("numbers", "size of the code", 32, most=784),
    "epochs": knob("epochs", "training", quick=8, full=45, few=24),
    "rate": knob("per step", "learning rate", quick=3e-3, full=2e-3, least=0),
    "sizes": knob("numbers", "codes", smoke=(2,), quick=(2, 8), full=(2, 4, 8)),
    "warm": knob("", "start from images", True),
}


@pytest.mark.parametrize(
    ("profile", "values"),
    [
        ("smoke", (32, 1, 3e-3, (2,))),
        ("quick", (32, 8, 3e-3, (2, 8))),
        ("full", (32, 45, 2e-3, (2, 4, 8))),
    ],
)
def test_a_knob_has_a_value_per_profile(profile, values):
    p, changed = chosen(KNOBS, profile, False, {})
    assert p[:4] == values and changed == {}
    with pytest.raises(AttributeError):
        p.latent_dim = 2


def test_a_value_from_outside_gets_the_type_of_the_knob():
    given = {"latent_dim": "2", "rate": "1", "sizes": "2, 1_024", "warm": "False"}
    p, changed = chosen(KNOBS, "quick", False, given)
    assert p == (2, 8, 1.0, (2, 1024), False) and isinstance(p.rate, float)
    assert {"epochs": 8} | changed == p._asdict()


def test_a_separate_value_for_few_images_is_used_except_in_smoke():
    for profile, epochs in {"quick": 24, "full": 24, "smoke": 1}.items():
        assert chosen(KNOBS, profile, True, {})[0].epochs == epochs


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"latentdim": "2"}, "no knob 'latentdim'"),
        ({"latent_dim": "2.5"}, "latent_dim (size of the code) must be a whole number"),
        ({"latent_dim": "2,3"}, "latent_dim (size of the code) must be a whole number"),
        ({"latent_dim": "0"}, "must be at least 1 and at most 784 numbers, received 0"),
        ({"latent_dim": "785"}, "must be at least 1 and at most 784 numbers, received 785"),
        ({"rate": "nan"}, "rate (learning rate) must be a number"),
        ({"rate": "-0.1"}, "rate (learning rate) must be at least 0 per step"),
        ({"rate": "fast"}, "rate (learning rate) must be a number"),
        ({"sizes": "2;3"}, "sizes (codes) must be a whole number, or several"),
        ({"sizes": "2,0"}, "sizes (codes) must be at least 1 numbers, received 0"),
        ({"warm": "1"}, "warm (start from images) must be true or false"),
    ],
)
def test_an_invalid_setting_is_refused_with_a_list_of_the_knobs(given, words):
    with pytest.raises(LabError) as error:
        chosen(KNOBS, "quick", False, given)
    assert words in str(error.value) and "\n" not in str(error.value)
    for name in KNOBS:
        assert name in str(error.value)


def test_a_knob_without_a_value_or_with_two_types_is_refused():
    with pytest.raises(LabError, match="full"):
        knob("", "m", quick=1)
    with pytest.raises(LabError, match="one type"):
        knob("", "m", quick=1, full=0.5)


def test_the_table_marks_changed_knobs(shown, tmp_path):
    settings = Settings.from_environment(
        {"AE_LAB_SET_LATENT_DIM": "2", "AE_LAB_SET_RATE": "", "AE_LAB_RECORDS": str(tmp_path)}
    )
    assert start_lab("n", settings).parameters(**KNOBS).latent_dim == 2
    lines = shown[0][0]["text/plain"].splitlines()
    assert any(line.startswith("latent_dim  2 (changed)  numbers") for line in lines)
    assert any(line.startswith("rate  0.003  ") for line in lines)
    assert json.loads((tmp_path / "n.json").read_text())["run"]["changed"] == {"latent_dim": "2"}


def test_a_count_is_shown_as_a_whole_number():
    condition = at_most("parameters", 4_809, 201_616, "units", because="they are counted")
    assert condition.measured == "4,809 units" and "201,616" in condition.asked


def test_margins_of_counts_are_counts_and_rounding_errors_are_zero():
    margin = at_least("right", np.int64(8_253), 8_153, "images", **WHY).margin
    assert margin == 100 and isinstance(margin, int)
    rounded = at_least("accuracy", 0.8253 - 0.8153, 0.01, "share", **WHY)
    assert 0.8253 - 0.8153 > 0.01 and rounded.margin == 0 and not rounded.met


def paired(only_a, only_b, both=900, neither=60):
    counts = ((1, 0, only_a), (0, 1, only_b), (1, 1, both), (0, 0, neither))
    return np.array([pair for *pair, count in counts for _ in range(count)], bool).T


@pytest.mark.parametrize(("only_a", "only_b", "met"), [(30, 10, True), (25, 15, False)])
def test_a_gain_on_the_same_images_must_exceed_its_paired_error(only_a, only_b, met):
    """Formula: the variance of the sum of n differences in -1, 0, 1 is b + c - (b - c)^2 / n."""
    a, b = paired(only_a, only_b)
    found = more_correct("ours", a, {"theirs": b})
    assert (found.value, found.met) == (only_a - only_b, met)
    differences = a.astype(int) - b.astype(int)
    error = differences.std() * len(a) ** 0.5
    assert paired_gain(a, b) == pytest.approx((only_a - only_b, error, 1_000))
    assert found.low == pytest.approx(2 * error) and found.unit == "images of 1,000"
    assert "theirs" in found.asked and f"{found.low:.4g} images" in found.asked
    assert not more_correct("ours", a, {"theirs": b}, by=21, **WHY).met


def test_a_paired_error_agrees_with_resampled_images():
    a, b = paired(30, 10)
    rng = np.random.default_rng(0)
    drawn = (rng.integers(0, len(a), len(a)) for _ in range(2_000))
    gains = [int(a[i].sum()) - int(b[i].sum()) for i in drawn]
    assert paired_gain(a, b).error == pytest.approx(np.std(gains), rel=0.05)


def test_a_stored_condition_has_value_bound_unit_reason_and_margin(tmp_path, shown):
    lab = start_lab("n", Settings(record_folder=tmp_path))
    off = control(at_most("off", 3, 2, "images", **WHY))
    lab.claim("own", "S.", between("angle", 3.0, 1.0, 10.0, "degrees", **WHY), off)
    angle, other = json.loads((tmp_path / "n.json").read_text())["claims"][0]["tests"]
    assert [angle[name] for name in ("value", "low", "high", "margin")] == [3, 1, 10, 2]
    assert (angle["unit"], angle["because"]) == ("degrees", WHY["because"])
    assert other["control"] and (other["low"], other["high"], other["margin"]) == (None, 2, -1)


def test_the_sentence_about_a_prediction_depends_on_its_file(shown, tmp_path, monkeypatch):
    entry = {"sentence": "It works.", "written": "2026-11-20"}
    changed = entry | {"changed": "2026-11-25", "was": "It may work."}
    monkeypatch.setitem(verdicts.PREDICTIONS, "01.first", entry)
    monkeypatch.setitem(verdicts.PREDICTIONS, "01.second", changed)
    lab = start_lab("n", Settings(record_folder=tmp_path))
    good = at_least("x", 2, 1, "images", **WHY)
    lab.claim("01.first", good)
    lab.claim("01.second", good)
    lab.claim("01.third", "It works.", good)
    lab.claim("sparse.k_strongest", good)
    claims = json.loads((tmp_path / "n.json").read_text())["claims"]
    first, second, third, handout = (claim["written"] for claim in claims)
    assert claims[0]["sentence"] == "It works." and claims[0]["kind"] == "prediction"
    assert "2026-11-20, before this run" in first and "Changed" not in first
    assert "2026-11-25" in second and "It may work." in second
    assert third.startswith("Not written down") and handout == ""
    assert all(said in shown[i][0]["text/html"] for i, said in enumerate((first, second, third)))
    lab.claim("01.first", "It works well.", good)
    said = json.loads((tmp_path / "n.json").read_text())["claims"][-1]["written"]
    assert said.startswith("Not written down"), "the sentence differs from the one in the file"


def test_the_file_of_predictions_has_dates():
    for id, entry in verdicts.PREDICTIONS.items():
        assert id[:2].isdigit() and entry["sentence"].endswith(".") and id not in verdicts.CLAIMS
        assert ("changed" in entry) is ("was" in entry)
        assert entry["written"] <= entry.get("changed", entry["written"])
        assert entry.get("was") != entry["sentence"]


def test_deviations_from_a_paper_are_a_table_with_a_caption(shown):
    lab = start_lab("n", Settings())
    row = ("optimiser", "SGD", "Adam", "nothing, we think")
    lab.deviations(paper="Vincent et al. (2010), section 6", rows=[row])
    markup = shown[0][0]["text/html"]
    assert "Vincent et al. (2010), section 6</caption>" in markup
    assert markup.count('scope="col"') == 4 and '<th scope="row">optimiser</th>' in markup
    for rows in ([], [("optimiser", "SGD", "Adam", " ")], [row[:3]]):
        with pytest.raises(LabError, match="four|4 cells"):
            lab.deviations(paper="Vincent et al. (2010)", rows=rows)
