"""The log book: what is shown on the page, what is stored in the file, and what is refused."""

import html.parser
import io
import json
import os
import pathlib

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from ae_lab.errors import LabError
from ae_lab.lab import format_chance, format_interval, start_lab, wilson_interval
from ae_lab.lab.conditions import at_least, at_most
from ae_lab.lab.readings import either
from ae_lab.lab.records import Claim, Metric
from ae_lab.lab.statistics import mean_interval
from ae_lab.lab.verdicts import CLAIMS, verdict
from ae_lab.settings import Settings

matplotlib.use("Agg")
HANDOUTS = next(iter(CLAIMS))
ALT = "Two lines that fall from left to right."


@pytest.fixture
def lab(tmp_path, shown):
    return start_lab("01_test", Settings(record_folder=tmp_path, offline=True))


def log(tmp_path, name="01_test"):
    return json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))


# The file


def test_the_file_contains_run_metrics_claims_and_timings(lab, tmp_path):
    lab.record(
        "dense.test_bce",
        np.float32(0.09351234567),
        "nats/pixel",
        baselines={"PCA": np.float64(0.11234567)},
        best={"a copy": 0},
        published=0.1,
        source="S",
        at_most=0.0935,
    )
    lab.claim(HANDOUTS, at_most("error", 0.09, 0.1, "nats", because="of the paper"))
    with lab.timer("training"):
        pass
    written = log(tmp_path)
    assert set(written) == {
        *("notebook", "run", "metrics", "claims", "headlines", "exercises", "timings")
    }
    assert written["notebook"] == "01_test"
    assert (written["run"]["profile"], written["run"]["seed"]) == ("quick", 8)
    assert written["run"]["versions"]["numpy"] == np.__version__
    (metric,) = written["metrics"]
    assert "PCA (0.1123)" in metric.pop("words")
    assert metric == {
        "notebook": "01_test",
        "name": "dense.test_bce",
        "value": 0.0935123,
        "unit": "nats/pixel",
        "better": "lower",
        "baselines": {"PCA": 0.112346},
        "best": {"a copy": 0},
        "published": 0.1,
        "source": "S",
        "goal": {"at_most": 0.0935},
        "seeds": None,
    }
    assert written["claims"] == [
        {
            "id": HANDOUTS,
            "kind": "handout",
            "sentence": CLAIMS[HANDOUTS],
            "verdict": "holds",
            "written": "",
            "evidence": "error: 0.09 nats (asked: below 0.1 nats, because of the paper): met",
            "conditions": {"error": 0.01},
            "tests": [
                {
                    "name": "error",
                    "value": 0.09,
                    "unit": "nats",
                    "measured": "0.09 nats",
                    "asked": "below 0.1 nats",
                    "because": "of the paper",
                    "low": None,
                    "high": 0.1,
                    "margin": 0.01,
                    "control": False,
                }
            ],
            "notebook": "01_test",
            "link": None,
            "seeds": None,
        }
    ]
    assert 0 <= written["timings"]["training"] < 60
    assert os.listdir(tmp_path) == ["01_test.json"]


def test_an_interrupted_write_keeps_the_last_complete_file(lab, tmp_path, monkeypatch):
    lab.record("a.b", 1, "u")

    def cut_off(path, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(pathlib.Path, "replace", cut_off)
    with pytest.raises(KeyboardInterrupt):
        lab.record("a.c", 2, "u")
    assert [metric["name"] for metric in log(tmp_path)["metrics"]] == ["a.b"]


def test_without_a_record_folder_nothing_is_written(shown, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lab = start_lab("01_test", Settings(offline=True))
    lab.record("a.b", 1, "u")
    lab.claim(HANDOUTS, at_least("a", 2, 1, "units", because="b"))
    with lab.timer("t"):
        pass
    assert len(shown) == 2
    assert os.listdir(tmp_path) == []


def test_a_cell_run_again_replaces_its_entry(lab, tmp_path):
    for value in (1, 2):
        lab.record("a.b", value, "u")
        lab.claim(HANDOUTS, at_least("a", value, 1.5, "units", because="b"))
    assert [metric["value"] for metric in log(tmp_path)["metrics"]] == [2]
    assert [claim["verdict"] for claim in log(tmp_path)["claims"]] == ["holds"]


def test_the_start_prints_profile_and_seed(tmp_path, capsys):
    lab = start_lab("n", Settings(profile="full", seed=3))
    assert capsys.readouterr().out == "Profile full, seed 3.\n"
    assert lab.seed == 3


def test_the_source_of_the_digits_is_printed_and_recorded(lab, tmp_path, monkeypatch, capsys):
    lab.settings = Settings(project_folder=tmp_path, record_folder=tmp_path, offline=True)
    dataset = lab.load_mnist()
    assert "MNIST sample, 5,000" in capsys.readouterr().out
    run = log(tmp_path)["run"]
    assert (run["data"], run["comparable"]) == (dataset.source, False)
    assert run["data_sha256"] == dataset.sha256


# Metrics


@pytest.mark.parametrize(
    "value", [float("nan"), np.float32("inf"), -np.inf, None, "0.5", np.ones(1), 1j]
)
def test_values_that_are_not_finite_are_not_recorded(lab, shown, tmp_path, value):
    with pytest.raises(LabError, match="dense.x must be a finite number"):
        lab.record("dense.x", value, "u")
    assert shown == [] and os.listdir(tmp_path) == []


@pytest.mark.parametrize("value", [1, 0.5, np.float64(0.25), np.float32(2), np.int64(7)])
def test_numbers_of_any_type_are_recorded(lab, tmp_path, value):
    lab.record("dense.x", value, "u")
    assert log(tmp_path)["metrics"][0]["value"] == value


def test_a_value_is_shown_with_the_published_one(lab, shown):
    lab.record("a.b", 13.24, "squared error/image", published=13.2, source="Doe <2006>")
    markup, plain = shown[0][0]["text/html"], shown[0][0]["text/plain"]
    first, words = plain.splitlines()
    assert first == "a.b = 13.24 squared error/image (published: 13.2, Doe <2006>)"
    assert "Worse" in words and "0.04" in words and words in markup
    assert "<strong>13.24</strong>" in markup and "Doe &lt;2006&gt;" in markup
    lab.record("a.c", 1, "u")
    assert "published" not in shown[1][0]["text/plain"]
    lab.record("a.d", 86.3003, "u", at_most=86.3)
    assert "a.d = 86.3003 u" in shown[2][0]["text/plain"], "it is on the other side of the goal"


@pytest.mark.parametrize(
    "goal", [{"at_most": 0.0}, {"at_least": 99.4}, {"at_least": 1, "at_most": 2}]
)
def test_a_goal_is_stored_with_its_direction(lab, tmp_path, goal):
    lab.record("a.b", 1, "u", **goal)
    assert log(tmp_path)["metrics"][0]["goal"] == goal


# Claims


@pytest.mark.parametrize(
    ("met", "expected"),
    [
        ([True, True], "holds"),
        ([False, False], "does not hold"),
        ([True, False], "holds in part"),
        ([True, None], "undecided"),
        ([None, False], "undecided"),
    ],
)
def test_a_verdict_follows_from_its_conditions(met, expected):
    assert verdict(met) == expected


def test_a_claim_that_holds_in_part_names_the_conditions_met(lab, shown, tmp_path):
    few, many = (at_least(n, v, 1, "units", because="b") for n, v in {"few": 2, "many": 0}.items())
    lab.claim("my.own", "Some say so.", few, many)
    claim = log(tmp_path)["claims"][0]
    assert (claim["kind"], claim["verdict"]) == ("prediction", "holds in part")
    found = Claim.from_json(claim)
    assert (found.parts, found.provisional) == ("few", True)
    for one in (few, many):
        assert one.sentence in claim["evidence"] and one.sentence in shown[0][0]["text/plain"]


def test_a_claim_without_a_sentence_must_be_in_the_ledger(lab, shown, tmp_path):
    with pytest.raises(LabError, match="'no.such'.*claims.toml"):
        lab.claim("no.such", at_least("a", 2, 1, "units", because="b"))
    assert shown == [] and os.listdir(tmp_path) == []


def test_the_ledgers_ids_and_sentences_are_well_formed():
    for id, sentence in CLAIMS.items():
        kind, _, quantity = id.partition(".")
        assert kind.isidentifier() and quantity.isidentifier()
        assert sentence == " ".join(sentence.split()) and sentence[0].isupper()
        assert sentence.rstrip(")").endswith((".", "b"))
    assert len(set(CLAIMS.values())) == len(CLAIMS)


class Tags(html.parser.HTMLParser):
    """The tags of a piece of markup, and its text."""

    def __init__(self, markup):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(markup)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.words.append(data)


EVIL = '<script>alert("1 & 2")</script>'


@pytest.mark.parametrize(
    "say",
    [
        lambda lab: lab.record(EVIL, 1, EVIL, published=1, source=EVIL),
        lambda lab: lab.claim(f'"{EVIL}', EVIL, at_least(EVIL, 2, 1, EVIL, because=EVIL)),
        lambda lab: lab.reading(EVIL),
        lambda lab: lab.check_exercise("01.4", f"{EVIL} " * 12),
        lambda lab: lab.table([EVIL, EVIL], [[EVIL, EVIL]], caption=EVIL),
    ],
    ids=["record", "claim", "reading", "answer", "table"],
)
def test_no_text_becomes_markup(lab, shown, say):
    say(lab)
    markup = Tags(shown[0][0]["text/html"])
    assert "script" not in markup.tags
    assert EVIL in "".join(markup.words)
    assert EVIL in shown[0][0]["text/plain"]


# Figures and tables


def test_a_picture_has_its_alt_text_and_half_its_size(lab, shown):
    import base64

    fig, ax = plt.subplots(figsize=(3, 2))
    ax.plot([2, 1])
    lab.show(fig, alt=ALT)
    bundle, metadata = shown[0]
    image = Image.open(io.BytesIO(base64.b64decode(bundle["image/png"])))
    said = metadata["image/png"]
    assert said["alt"] == ALT and ALT in bundle["text/plain"]
    assert (said["width"], said["height"]) == (image.width // 2, image.height // 2)
    assert 200 < said["width"] < 400
    assert not plt.fignum_exists(fig.number)


@pytest.mark.parametrize("alt", ["", "  ", "A plot", "one two three four"])
def test_a_picture_without_an_alt_text_is_refused(lab, shown, alt):
    fig = plt.figure()
    with pytest.raises(LabError, match="^alt must"):
        lab.show(fig, alt=alt)
    plt.close(fig)
    assert shown == []


def test_a_table_has_headers_cells_and_a_caption(lab, shown):
    lab.table(["kind", "error"], [["PCA", 13.2], ["dense", 8.1]], caption="Errors")
    markup = Tags(shown[0][0]["text/html"])
    assert [markup.tags.count(tag) for tag in ("caption", "tr", "th", "td")] == [1, 3, 4, 2]
    assert markup.words == ["Errors", "kind", "error", "PCA", "13.2", "dense", "8.1"]
    assert shown[0][0]["text/plain"] == "Errors\nkind  error\nPCA  13.2\ndense  8.1"


@pytest.mark.parametrize("row", [["a"], ["a", 1, 2], []])
def test_a_row_with_missing_cells_is_refused(lab, shown, row):
    with pytest.raises(LabError, match=f"must have 2 cells, received {len(row)}"):
        lab.table(["kind", "error"], [["b", 1], row], caption="Errors")
    assert shown == []


@pytest.mark.parametrize(("total", "rows"), [(1, ["1"]), (3, ["1", "2", "3"])])
def test_a_short_history_is_shown_completely(lab, shown, total, rows):
    lab.epochs({"loss": [0.5] * total}, caption="c", most=3)
    assert [line.split()[0] for line in shown[0][0]["text/plain"].splitlines()[2:]] == rows


def test_a_long_history_is_shortened_but_keeps_its_ends(lab, shown):
    lab.epochs({"loss": np.arange(50) / 7, "val_loss": np.arange(50)}, caption="c", most=4)
    lines = shown[0][0]["text/plain"].splitlines()
    assert lines[1].split() == ["epoch", "loss", "val", "loss"]
    assert len(lines) == 2 + 4
    assert lines[2].split() == ["1", "0", "0"] and lines[-1].split() == ["50", "7", "49"]


# Intervals


@pytest.mark.parametrize(
    ("right", "count", "low", "high"),
    [
        # Newcombe (1998), table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_agrees_with_wilsons(right, count, low, high):
    assert wilson_interval(right / count, count) == pytest.approx((low, high), abs=6e-5)


def test_an_interval_is_written_in_per_cent():
    assert format_interval(0.994, 10_000) == "99.40% [99.23%, 99.53%]"


@pytest.mark.parametrize(("share", "count"), [(1.1, 5), (-0.1, 5), (99.4, 10), (0.5, 0)])
def test_an_interval_of_an_invalid_share_is_refused(share, count):
    with pytest.raises(LabError):
        wilson_interval(share, count)


def test_a_claim_needs_conditions_of_different_names(lab, shown):
    one = at_least("a", 2, 1, "units", because="b")
    for given in ([], [one, one]):
        with pytest.raises(LabError, match="my.own.*at least one"):
            lab.claim("my.own", "A sentence.", *given)


def test_an_untested_claim_is_listed_with_its_reason(lab, tmp_path):
    lab.untested("deep.topic_modelling", reason="no corpus available")
    claim = json.loads(next(tmp_path.rglob("*.json")).read_text(encoding="utf-8"))["claims"][0]
    assert (claim["verdict"], claim["evidence"]) == ("untested", "no corpus available")
    with pytest.raises(LabError, match="no.such_claim"):
        lab.untested("no.such_claim", reason="none")


def test_the_margins_of_a_claim_are_stored(lab, tmp_path):
    few = at_least("few", np.float32(0.12345678), 0, "units", because="b")
    lab.claim(HANDOUTS, few, at_least("many", -2, 0, "units", because="b"))
    claim = log(tmp_path)["claims"][0]
    assert claim["conditions"] == {"few": 0.123457, "many": -2}
    assert claim["verdict"] == "holds in part"


def test_in_smoke_nothing_is_judged(shown, tmp_path):
    lab = start_lab("n", Settings(profile="smoke", record_folder=tmp_path))
    lab.claim(HANDOUTS, at_least("a", 2, 1, "units", because="b"))
    assert log(tmp_path, "n")["claims"][0]["verdict"] == "not judged in smoke"
    assert "not judged" in shown[0][0]["text/html"]


def test_a_reading_follows_the_result_and_headlines_are_summarised(lab, shown, tmp_path):
    lab.reading("Ours has 2.", either(2 < 3, "Less.", "More."), headline=True)
    lab.reading("Aside.")
    lab.summary()
    assert shown[0][0]["text/plain"] == "Ours has 2. Less."
    assert log(tmp_path)["headlines"] == ["Ours has 2. Less."]
    assert "Less." in shown[2][0]["text/html"] and "Aside" not in shown[2][0]["text/html"]


@pytest.mark.parametrize("way", [True, False])
def test_a_reading_with_nan_is_refused_in_both_alternatives(lab, shown, way):
    with pytest.raises(LabError, match="a reading must contain finite numbers, received 'nan"):
        lab.reading(either(way, f"{float('nan')} less.", "More."))


def test_the_lines_of_a_function_are_shown_without_its_docstring(lab, shown):
    lab.source(either)
    source = shown[0][0]["text/plain"]
    assert source.startswith("def either(") and "return Branch(" in source
    assert "Parameters" not in source and source in shown[0][0]["text/markdown"]


@pytest.mark.parametrize(("profile", "said"), [("smoke", ""), ("quick", "12 s"), ("full", "60 s")])
def test_the_expected_time_of_an_experiment_is_printed_before_it(profile, said, capsys):
    lab = start_lab("n", Settings(profile=profile))
    capsys.readouterr()
    with lab.timer("t", quick=12, full=60):
        assert said in capsys.readouterr().out
    with lab.timer("t"):
        assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("p", "words"), [(0.26, "p = 0.260"), (6.6e-46, "p < 0.001"), (0, "p < 0.001")]
)
def test_a_probability_is_formatted_as_text(p, words):
    assert format_chance(p) == words


def test_a_probability_above_one_is_refused():
    with pytest.raises(LabError, match="p "):
        format_chance(1.5)


def test_starting_seeds_nothing():
    import random

    random.seed(1)
    state = random.getstate()
    start_lab("n", Settings(seed=9))
    assert random.getstate() == state


# Records


def test_a_record_is_the_same_after_json():
    metric = Metric("a.b", 1.0, "u", "01_a", baselines={"PCA": 2.0}, goal={"at_least": 0.5})
    claim = Claim("a.b", "holds", conditions={"few": 0.1, "many": True}, notebook="01_a")
    for record in (metric, claim):
        stored = json.loads(json.dumps(record.to_json()))
        assert type(record).from_json(stored) == record
        assert type(record).from_json(stored | {"of another version": 1}) == record


@pytest.mark.parametrize(
    ("goal", "profile", "mark"),
    [
        ({"at_most": 1}, "quick", "reached"),
        ({"at_least": 1}, "full", "reached"),
        ({"at_most": 0.9}, "full", "missed"),
        ({"at_least": 1.1}, "quick", "not in this profile"),
        ({"at_least": 0.5, "at_most": 0.9}, "full", "missed"),
        (None, "full", ""),
    ],
)
def test_whether_a_goal_is_reached(goal, profile, mark):
    metric = Metric("a.b", 1.0, goal=goal)
    assert metric.goal_mark(profile) == mark
    assert all(
        f"{name[3:]} {bound:g}" in metric.goal_in_words for name, bound in (goal or {}).items()
    )


def test_an_unknown_direction_is_refused(lab):
    with pytest.raises(LabError, match="better.*'more'"):
        lab.record("a.b", 1, "u", better="more")


@pytest.mark.parametrize("given", [{"baselines": {"PCA": None}}, {"best": {"PCA": float("nan")}}])
def test_baselines_must_be_numbers(lab, tmp_path, given):
    with pytest.raises(LabError, match="PCA must be a finite number"):
        lab.record("a.b", 1, "u", **given)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("values", [[1, 2, 3, 4, 5], [0.1, 0.1, 0.3], [-2.0, 5.0]])
def test_the_interval_of_the_mean_agrees_with_scipy(values):
    from scipy import stats

    mean, deviation, low, high = mean_interval(values)
    error = stats.sem(values)
    assert (low, high) == pytest.approx(stats.t.interval(0.95, len(values) - 1, mean, error))
    assert deviation == pytest.approx(np.std(values, ddof=1))


def test_equal_values_have_an_interval_of_width_zero():
    assert mean_interval([3.0, 3.0]) == (3, 0, 3, 3)
