"""The log book: what reaches the page, what reaches the file, and what is refused."""

import html.parser
import io
import json
import os

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from ae_lab import lab as lab_module
from ae_lab.errors import LabError
from ae_lab.lab import format_chance, format_interval, start_lab, wilson_interval
from ae_lab.lab.verdicts import CLAIMS, conditions_of, verdict
from ae_lab.settings import Settings

matplotlib.use("Agg")
HANDOUTS = next(iter(CLAIMS))
ALT = "Two lines that fall from left to right."


@pytest.fixture
def lab(tmp_path, shown):
    return start_lab("01_test", Settings(record_folder=tmp_path, offline=True))


def log(tmp_path):
    return json.loads((tmp_path / "01_test.json").read_text(encoding="utf-8"))


# The file


def test_the_file_holds_run_metrics_claims_and_timings(lab, tmp_path):
    lab.record("dense.test_bce", np.float32(0.09351234567), "nats/pixel", published=0.1, source="S")
    lab.claim(HANDOUTS, holds=True, evidence="0.09 < 0.1")
    with lab.timer("training"):
        pass
    written = log(tmp_path)
    assert set(written) == {"notebook", "run", "metrics", "claims", "timings"}
    assert written["notebook"] == "01_test"
    assert (written["run"]["profile"], written["run"]["seed"]) == ("quick", 8)
    assert written["run"]["versions"]["numpy"] == np.__version__
    (metric,) = written["metrics"]
    words = metric.pop("words")
    assert "0.6931" in words and "0.0065" in words, "against half-grey pixels, and the published"
    assert metric == {
        "notebook": "01_test",
        "name": "dense.test_bce",
        "value": 0.0935123,
        "unit": "nats/pixel",
        "published": 0.1,
        "source": "S",
        "goal": None,
    }
    assert written["claims"] == [
        {
            "id": HANDOUTS,
            "kind": "handout",
            "sentence": CLAIMS[HANDOUTS],
            "verdict": "holds",
            "evidence": "0.09 < 0.1",
            "conditions": {"": True},
        }
    ]
    assert 0 <= written["timings"]["training"] < 60
    assert os.listdir(tmp_path) == ["01_test.json"]


def test_a_write_that_is_cut_off_leaves_the_last_good_file(lab, tmp_path, monkeypatch):
    lab.record("a.b", 1, "u")

    def cut_off(source, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(lab_module.os, "replace", cut_off)
    with pytest.raises(KeyboardInterrupt):
        lab.record("a.c", 2, "u")
    assert [metric["name"] for metric in log(tmp_path)["metrics"]] == ["a.b"]


def test_without_a_record_folder_nothing_is_written(shown, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lab = start_lab("01_test", Settings(offline=True))
    lab.record("a.b", 1, "u")
    lab.claim(HANDOUTS, holds=True, evidence="e")
    with lab.timer("t"):
        pass
    assert len(shown) == 2
    assert os.listdir(tmp_path) == []


def test_a_cell_run_again_replaces_its_line(lab, tmp_path):
    for value in (1, 2):
        lab.record("a.b", value, "u")
        lab.claim(HANDOUTS, holds=value == 2, evidence="e")
    assert [metric["value"] for metric in log(tmp_path)["metrics"]] == [2]
    assert [claim["verdict"] for claim in log(tmp_path)["claims"]] == ["holds"]


def test_the_start_says_profile_and_seed(tmp_path, capsys):
    lab = start_lab("n", Settings(profile="full", seed=3))
    assert capsys.readouterr().out == "Profile full, seed 3.\n"
    assert (lab.seed, lab.choose(quick=1, full=2)) == (3, 2)
    assert start_lab("n", Settings()).choose(quick=1, full=2) == 1


def test_the_source_of_the_digits_is_said_and_recorded(lab, tmp_path, monkeypatch, capsys):
    lab.settings = Settings(project_folder=tmp_path, record_folder=tmp_path, offline=True)
    dataset = lab.load_mnist()
    assert "MNIST sample, 5,000" in capsys.readouterr().out
    run = log(tmp_path)["run"]
    assert (run["data"], run["comparable"]) == (dataset.source, False)
    assert run["data_sha256"] == dataset.sha256


# Figures


@pytest.mark.parametrize(
    "value", [float("nan"), np.float32("inf"), -np.inf, None, "0.5", np.ones(1), 1j]
)
def test_what_is_no_finite_number_is_not_recorded(lab, shown, tmp_path, value):
    with pytest.raises(LabError, match="dense.x must be a finite number"):
        lab.record("dense.x", value, "u")
    assert shown == [] and os.listdir(tmp_path) == []


@pytest.mark.parametrize("value", [1, 0.5, np.float64(0.25), np.float32(2), np.int64(7)])
def test_numbers_of_any_make_are_recorded(lab, tmp_path, value):
    lab.record("dense.x", value, "u")
    assert log(tmp_path)["metrics"][0]["value"] == value


def test_a_figure_stands_beside_the_published_one(lab, shown):
    lab.record("a.b", 13.24, "squared error/image", published=13.2, source="Doe <2006>")
    markup, plain = shown[0][0]["text/html"], shown[0][0]["text/plain"]
    first, words = plain.splitlines()
    assert first == "a.b = 13.24 squared error/image (published: 13.2, Doe <2006>)"
    assert words.endswith("worse than the published figure by 0.04.") and words in markup
    assert "<strong>13.24</strong>" in markup and "Doe &lt;2006&gt;" in markup
    lab.record("a.c", 1, "u")
    assert "published" not in shown[1][0]["text/plain"]


@pytest.mark.parametrize(
    "goal", [{"at_most": 0.0}, {"at_least": 99.4}, {"at_least": 1, "at_most": 2}]
)
def test_a_goal_is_kept_with_its_direction(lab, tmp_path, goal):
    lab.record("a.b", 1, "u", **goal)
    assert log(tmp_path)["metrics"][0]["goal"] == goal


# Claims


@pytest.mark.parametrize(
    ("holds", "expected"),
    [
        (True, "holds"),
        (np.bool_(False), "does not hold"),
        ({"a": True, "b": True}, "holds"),
        ({"a": False, "b": False}, "does not hold"),
        ({"a": True, "b": np.bool_(False)}, "depends"),
        (0.1, "holds"),
        (0, "does not hold"),
        ({"a": np.float32(2), "b": -3}, "depends"),
    ],
)
def test_a_verdict_follows_from_its_conditions(holds, expected):
    assert verdict(conditions_of("my.own", holds)) == expected


def test_a_verdict_that_depends_names_its_conditions(lab, shown, tmp_path):
    lab.claim("my.own", "Some say so.", holds={"few": True, "many": False}, evidence="1 < 2")
    claim = log(tmp_path)["claims"][0]
    assert (claim["kind"], claim["verdict"]) == ("prediction", "depends")
    assert claim["evidence"] == "1 < 2; few: yes; many: no"
    assert "Verdict: depends. 1 < 2; few: yes; many: no" in shown[0][0]["text/plain"]


def test_a_claim_without_a_sentence_must_be_the_ledgers(lab, shown, tmp_path):
    with pytest.raises(LabError, match="'no.such'.*ae_lab.lab.verdicts"):
        lab.claim("no.such", holds=True, evidence="e")
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
        lambda lab: lab.claim(f'"{EVIL}', EVIL, holds={EVIL: True}, evidence=EVIL),
        lambda lab: lab.table([EVIL, EVIL], [[EVIL, EVIL]], caption=EVIL),
    ],
    ids=["record", "claim", "table"],
)
def test_nothing_that_is_said_becomes_markup(lab, shown, say):
    say(lab)
    markup = Tags(shown[0][0]["text/html"])
    assert "script" not in markup.tags
    assert EVIL in "".join(markup.words)
    assert EVIL in shown[0][0]["text/plain"]


# Pictures and tables


def test_a_picture_carries_its_text_and_half_its_size(lab, shown):
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
def test_a_picture_without_a_text_is_refused(lab, shown, alt):
    fig = plt.figure()
    with pytest.raises(LabError, match="alt must tell"):
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
def test_a_ragged_row_is_refused(lab, shown, row):
    with pytest.raises(LabError, match=f"must have 2 cells, received {len(row)}"):
        lab.table(["kind", "error"], [["b", 1], row], caption="Errors")
    assert shown == []


@pytest.mark.parametrize(("total", "rows"), [(1, ["1"]), (3, ["1", "2", "3"])])
def test_a_short_history_is_shown_whole(lab, shown, total, rows):
    lab.epochs({"loss": [0.5] * total}, caption="c", most=3)
    assert [line.split()[0] for line in shown[0][0]["text/plain"].splitlines()[2:]] == rows


def test_a_long_history_is_thinned_with_its_ends_kept(lab, shown):
    lab.epochs({"loss": np.arange(50) / 7, "val_loss": np.arange(50)}, caption="c", most=4)
    lines = shown[0][0]["text/plain"].splitlines()
    assert lines[1].split() == ["epoch", "loss", "val", "loss"]
    assert len(lines) == 2 + 4
    assert lines[2].split() == ["1", "0", "0"] and lines[-1].split() == ["50", "7", "49"]


# Intervals


@pytest.mark.parametrize(
    ("right", "count", "low", "high"),
    [
        # Newcombe (1998), table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_is_wilsons(right, count, low, high):
    assert wilson_interval(right / count, count) == pytest.approx((low, high), abs=6e-5)


def test_an_interval_is_written_in_per_cent():
    assert format_interval(0.994, 10_000) == "99.40% [99.23%, 99.53%]"


@pytest.mark.parametrize(("share", "count"), [(1.1, 5), (-0.1, 5), (99.4, 10), (0.5, 0)])
def test_an_interval_of_what_is_no_share_is_refused(share, count):
    with pytest.raises(LabError):
        wilson_interval(share, count)


def test_a_claim_without_a_condition_is_refused():
    with pytest.raises(LabError, match="at least one condition"):
        conditions_of("my.own", {})


def test_an_untested_claim_is_listed_with_its_reason(lab, tmp_path):
    lab.untested("deep.topic_modelling", reason="no corpus at hand")
    claim = json.loads(next(tmp_path.rglob("*.json")).read_text(encoding="utf-8"))["claims"][0]
    assert (claim["verdict"], claim["evidence"]) == ("untested", "no corpus at hand")
    with pytest.raises(LabError, match="must name a claim of the ledger"):
        lab.untested("no.such_claim", reason="none")


def test_by_how_much_a_claim_holds_is_kept_and_must_be_a_number(lab, tmp_path):
    lab.claim(HANDOUTS, holds={"few": np.float32(0.12345678), "many": -2}, evidence="e")
    claim = log(tmp_path)["claims"][0]
    assert claim["conditions"] == {"few": 0.123457, "many": -2}
    assert claim["verdict"] == "depends" and claim["evidence"] == "e; few: yes; many: no"
    for wrong in (float("nan"), "yes", np.ones(2)):
        with pytest.raises(LabError, match="condition of .* must be a finite number or a bool"):
            lab.claim(HANDOUTS, holds=wrong, evidence="e")


@pytest.mark.parametrize(
    ("p", "words"), [(0.26, "p = 0.260"), (6.6e-46, "p < 0.001"), (0, "p < 0.001")]
)
def test_a_chance_is_said_in_words(p, words):
    assert format_chance(p) == words


def test_a_chance_above_one_is_refused():
    with pytest.raises(LabError, match="p "):
        format_chance(1.5)


def test_a_layer_built_before_the_first_training_has_the_runs_seed():
    from ae_lab import layers

    def drawn(seed):
        start_lab("n", Settings(seed=seed))
        return np.array(layers.GaussianCorruption(0.3).seed_generator.state).tolist()

    assert drawn(8) == drawn(8) != drawn(9)
