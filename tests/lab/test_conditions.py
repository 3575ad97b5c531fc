"""Conditions that say what was measured, asked and why; knobs that are changed from outside."""

import json

import pytest

from ae_lab.errors import LabError
from ae_lab.lab import start_lab
from ae_lab.lab.conditions import at_least, at_most, better_than, between, control
from ae_lab.lab.parameters import chosen, knob
from ae_lab.settings import Settings

WHY = {"because": "the paper says so"}


@pytest.mark.parametrize(
    ("condition", "margin", "texts"),
    [
        (at_least("units", 0.84, 0.9, "share", **WHY), -0.06, ["84.0%", "at least 90.0%"]),
        (at_most("error", 7.5, 8, "nats", **WHY), 0.5, ["7.5 nats", "at most 8 nats"]),
        (between("angle", 3, 1, 10, "degrees", **WHY), 2, ["3 degrees", "1 degrees to 10"]),
        (between("angle", 11, 1, 10, **WHY), -1, ["11", "1 to 10"]),
        (better_than("ours", 13, {"PCA": 15}, by=1, better="lower", **WHY), 1, ["PCA, 15, by 1"]),
        (better_than("ours", 13, {"PCA": 15}, by=0, **WHY), -2, ["higher than PCA", "15"]),
    ],
)
def test_a_condition_shows_its_bar(condition, margin, texts):
    assert condition.margin == pytest.approx(margin) and condition.met is (margin > 0)
    assert all(text in condition.sentence for text in [*texts, condition.name, WHY["because"]])
    assert condition.sentence.endswith("): met" if condition.met else "): not met")


def test_a_bar_that_is_just_reached_is_not_passed():
    assert not at_least("x", 1.0, 1.0, **WHY).met


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "0.5", None])
def test_a_condition_needs_numbers_and_a_reason(value):
    for given in ((value, 1), (1, value)):
        with pytest.raises(LabError, match="x must be a finite number.*or a bool"):
            at_least("x", *given, **WHY)
    with pytest.raises(LabError, match="x must say why"):
        at_least("x", 1, 1, because=" ")
    with pytest.raises(LabError, match="one rival"):
        better_than("x", 1, {"a": 1, "b": 2}, by=0, **WHY)


def test_a_control_is_shown_and_not_counted(shown, tmp_path):
    lab = start_lab("n", Settings(record_folder=tmp_path))
    off = control(at_most("weight 0", 0.9, 0.5, "share", **WHY))
    lab.claim("04.own", "It works.", at_least("weight 1", 0.95, 0.9, "share", **WHY), off)
    lab.claim("sparse.k_strongest", at_least("weight 1", 0.8, 0.9, "share", **WHY))
    first, second = json.loads((tmp_path / "n.json").read_text())["claims"]
    assert first["verdict"] == "holds" and first["conditions"] == {"weight 1": 0.05}
    assert "control, weight 0: 90.0%" in first["evidence"]
    assert second["verdict"] == "does not hold" and second["kind"] == "handout"
    assert "at most 50.0%" in shown[0][0]["text/plain"]


def test_controls_alone_test_nothing(shown):
    with pytest.raises(LabError, match="at least one condition"):
        start_lab("n", Settings()).claim("own", "S.", control(at_least("x", 1, 0, **WHY)))


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
def test_a_knob_has_a_value_for_each_profile(profile, values):
    p, changed = chosen(KNOBS, profile, False, {})
    assert p[:4] == values and changed == {}
    with pytest.raises(AttributeError):
        p.latent_dim = 2


def test_what_is_set_from_outside_has_the_knob_s_type():
    given = {"latent_dim": "2", "rate": "1", "sizes": "2, 1_024", "warm": "False"}
    p, changed = chosen(KNOBS, "quick", False, given)
    assert p == (2, 8, 1.0, (2, 1024), False) and isinstance(p.rate, float)
    assert {"epochs": 8} | changed == p._asdict()


def test_few_images_have_a_value_of_their_own_but_not_in_smoke():
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
def test_what_cannot_be_set_is_one_sentence_that_lists_the_knobs(given, words):
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


def test_the_table_says_what_was_changed(shown, tmp_path):
    settings = Settings.from_environment(
        {"AE_LAB_SET_LATENT_DIM": "2", "AE_LAB_SET_RATE": "", "AE_LAB_RECORDS": str(tmp_path)}
    )
    assert start_lab("n", settings).parameters(**KNOBS).latent_dim == 2
    lines = shown[0][0]["text/plain"].splitlines()
    assert any(line.startswith("latent_dim  2 (changed)  numbers") for line in lines)
    assert any(line.startswith("rate  0.003  ") for line in lines)
    assert json.loads((tmp_path / "n.json").read_text())["run"]["changed"] == {"latent_dim": "2"}


def test_a_count_is_shown_whole():
    condition = at_most("parameters", 4_809, 201_616, because="they are counted")
    assert condition.measured == "4,809" and "201,616" in condition.asked
