"""The index: values with published ones, marks, claims with links to their cells."""

import json

import pytest
from nbformat import v4

from ae_lab.lab.records import Metric
from ae_lab.lab.verdicts import CLAIMS
from ae_lab.report.front.before import report_before
from ae_lab.report.front.index import question_of, write_index
from ae_lab.report.front.ledger import figure_row
from helpers import CLAIM, METRIC, executed, index_of


def test_values_are_shown_with_published_ones(tmp_path):
    index = index_of(tmp_path)
    for text in ("0.0931", "0.09<", "a &lt;b&gt;blog", "at most 0.0935", ">reached<", "abc1234"):
        assert text in index
    assert "31.4" not in index, "timings have no place on a page"
    assert index.count("<h1") == 1 and "<script" not in index


def test_other_pages_are_linked_if_they_exist(tmp_path):
    assert "../" not in index_of(tmp_path)
    content = executed(v4.new_notebook())
    write_index(tmp_path, {"02_b": content}, "full", "", siblings={"bench.html": "speed"})
    index = (tmp_path / "index.html").read_text()
    assert '<a href="../bench.html">speed</a>' in index


def test_claims_link_to_their_cells_and_untested_ones_are_named(tmp_path):
    index = index_of(tmp_path)
    assert f'href="01_a.html#claim-{CLAIM}"' in index and "3 &lt; 4" in index
    assert "does not hold" in index and "Ours." in index
    shown, absent = index.split("<summary>Claims")
    assert "It takes a corpus" in shown
    assert f"no notebook of this report tests: {len(CLAIMS) - 2}" in absent
    claims = json.loads((tmp_path / "claims.json").read_text())
    assert sum(claim["verdict"] == "untested" for claim in claims) == len(CLAIMS) - 1


def test_changed_knobs_are_named_and_no_goal_is_judged(tmp_path):
    index = index_of(tmp_path, changed={"latent_dim": "2"}).split("</style>")[1]
    assert "latent_dim</code> is 2" in index and "reached" not in index


def test_a_card_shows_question_and_picture(tmp_path):
    index = index_of(tmp_path)
    assert "<math" in index and 'alt="A dot."' in index and "data:image/png" in index


def test_a_sample_is_not_compared_with_published_values(tmp_path):
    line = "MNIST sample, 5,000: figures below are not comparable with published ones"
    index = index_of(tmp_path, data=line, comparable=False).split("</style>")[1]
    assert line in index and "reached" not in index and "missed" not in index
    assert "at most" not in index and "Goals and published values" in index


def test_metrics_json_contains_the_documented_fields(tmp_path):
    index_of(tmp_path)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert [metric["name"] for metric in metrics] == ["dense.sse", "dense.test_bce"]
    kept = {"notebook", "name", "value", "unit", "better", "published", "source", "goal"}
    assert set(metrics[0]) == kept | {"baselines", "best", "words", "seeds"}


@pytest.mark.parametrize(
    ("value", "profile", "mark"),
    [
        (0.09, "full", "reached"),
        (0.0936, "full", "missed"),
        (0.0936, "quick", "not in this profile"),
    ],
)
def test_marks(value, profile, mark):
    metric = Metric.from_json(METRIC | {"value": value})
    assert figure_row(metric, True, profile)["mark"] == mark
    assert figure_row(metric, False, profile)["mark"] == ""


def test_the_question_is_found_or_replaced_by_the_first_paragraph():
    assert question_of(["# T\n\nFirst.\n\n**Question.** Why?"]) == "**Question.** Why?"
    assert question_of(["# T", "First."]) == "First."
    assert question_of([]) == ""


def test_a_notebook_without_record_or_picture_has_a_card(tmp_path):
    write_index(tmp_path, {"02_b": executed(v4.new_notebook())}, "quick", "")
    assert "02_b" in (tmp_path / "index.html").read_text()


def test_changed_verdicts_are_listed_in_a_table(tmp_path):
    index_of(tmp_path)
    assert "No report was published here before" in (tmp_path / "index.html").read_text()
    same = report_before(tmp_path, "abc1234, modified")
    assert same == {"commit": "abc1234, modified", "before": None}, "the same commit again"
    claims = json.loads((tmp_path / "claims.json").read_text())
    for claim in claims:
        claim["verdict"] = "undecided" if claim["id"] == CLAIM else claim["verdict"]
    (tmp_path / "claims.json").write_text(json.dumps([*claims, claims[0] | {"id": "gone"}]))
    before = report_before(tmp_path, "def5678")
    assert before["before"]["commit"] == "abc1234, modified"
    index = index_of(tmp_path, before=before)
    table = index.split('id="changed"')[1].split("</table>")[0]
    assert "abc1234" in table and table.count("<tr>") == 2
    assert "undecided<br>" in table and "holds<br>" in table and ">the same<" in table
    assert "other report: 1" in index
    again = report_before(tmp_path, "def5678")
    assert again == before and index_of(tmp_path, before=again) == index


def test_a_report_without_changed_verdicts_says_so(tmp_path):
    index_of(tmp_path)
    assert "No verdict differs from" in index_of(tmp_path, before=report_before(tmp_path, "def"))
