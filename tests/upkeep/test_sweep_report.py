"""A sweep in the report: intervals, dots, verdicts over seeds, and no outdated results."""

import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from ae_lab.lab.records import Claim, Metric
from ae_lab.lab.statistics import mean_interval
from ae_lab.lab.verdicts import PRIMARY
from ae_lab.report import build as build_module
from ae_lab.report.failure import failure
from ae_lab.report.front.ledger import figure_row
from ae_lab.report.seeds.cells import (
    NOT_SETTLED,
    OVERRULED,
    WIDTH,
    seed_rows,
    strip_of_dots,
    verdict_in_words,
)
from ae_lab.report.seeds.spread import claims_over_seeds, results_for, summary
from ae_lab.upkeep.sweep.task import plan, store_result
from helpers import (
    CELLS,
    CLAIM,
    CLAIMED,
    build,
    executed,
    index_of,
    notebook,
    project,
    record,
    result,
)


def test_the_interval_agrees_with_student_s():
    """Five values with mean 3: 2.7764 standard errors of 0.70711 on each side."""
    mean, deviation, low, high = mean_interval([1, 2, 3, 4, 5])
    assert mean == 3 and deviation == pytest.approx(math.sqrt(2.5))
    assert (low, high) == pytest.approx((3 - 1.96324, 3 + 1.96324), abs=1e-4)
    assert mean_interval([2.0])[0] == 2 and all(map(math.isnan, mean_interval([2.0])[1:]))


def test_the_interval_covers_the_mean_with_its_probability():
    draws = np.random.default_rng(0).normal(7, 2, (4_000, 3))
    covered = [low <= 7 <= high for *_, low, high in map(mean_interval, draws)]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.012)


def over_seeds(*runs: dict[str, float], id: str = CLAIM, tests: tuple[str, ...] = ()) -> Claim:
    """A claim that had these margins in these runs, judged over all of them."""
    results = [
        result(seed, 0.1) | {"claims": [{"id": id, "verdict": "holds", "conditions": margins}]}
        for seed, margins in enumerate(runs, 8)
    ]
    claim = Claim(id, "holds", notebook=results[0]["notebook"], conditions=runs[0])
    claim = replace(claim, tests=[{"name": name} for name in tests])
    return claims_over_seeds([claim], results)[0]


@pytest.mark.parametrize(
    ("margins", "expected"),
    [
        ([1.0, 1.2, 0.9], "holds"),
        ([-1.0, -1.2, -0.9], "does not hold"),
        ([2.0, 1.0, 0.1], "undecided"),
        ([1.0, 1.0, 1.0], "holds"),
        ([0.0, 0.0, 0.0], "undecided"),
        ([0.1], "holds"),
        ([-0.1], "does not hold"),
    ],
)
def test_the_interval_of_the_margin_decides(margins, expected):
    assert over_seeds(*({"a": margin} for margin in margins)).verdict == expected


def test_each_condition_is_judged_separately():
    claim = over_seeds(*({"few": 1 + i / 10, "many": -1 - i / 10} for i in range(5)))
    assert (claim.verdict, claim.parts, claim.provisional) == ("holds in part", "few", False)
    claim = over_seeds(*({"few": 1 + i / 10, "many": i - 1} for i in range(3)))
    assert (claim.verdict, claim.parts, claim.provisional) == ("undecided", "many", True)
    assert over_seeds({"a": 1, "b": 1}, {"a": 1, "c": -1}).verdict == "holds", "not in all runs"
    assert over_seeds({"a": 1}, {"b": -1}).verdict == "undecided", "no condition in all runs"


def test_runs_are_named_by_their_seeds():
    margin = over_seeds({"a": 1.0}, {"a": 2.0}).seeds["conditions"]["a"]["margin"]
    assert margin["values"] == {"8 on tensorflow": 1.0, "9 on tensorflow": 2.0}


def test_primary_claims_are_corrected_for_multiple_testing():
    """Holm's step-down by hand: smallest p times their number, next p times one less, and so on.

    Alone, 0.03 would settle a claim; together with seven others it does not.
    """
    chances = dict(zip(PRIMARY, (1e-5, 0.03, 0.001, 0.2, 1e-4, 0.04, 2e-5, 0.5), strict=True))
    rows = [{"id": id, "verdict": "holds", "conditions": {}} for id in chances]
    results = [result(seed, 0.1) | {"claims": [dict(row) for row in rows]} for seed in range(5)]
    shape = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
    for number, chance in enumerate(chances.values()):
        t = stats.t.ppf(1 - chance / 2, 4)
        margins = shape + t * shape.std(ddof=1) / 5**0.5
        for one, margin in zip(results, margins, strict=True):
            one["claims"][number]["conditions"] = {"a": float(margin)}
    claims = [Claim(id, "holds", notebook=results[0]["notebook"]) for id in chances]
    found = {one.id: one for one in claims_over_seeds(claims, results)}
    expected = dict(zip(PRIMARY, (8e-5, 0.12, 0.005, 0.4, 6e-4, 0.12, 1.4e-4, 0.5), strict=True))
    for id, corrected in expected.items():
        assert found[id].seeds["corrected_p"] == pytest.approx(corrected, rel=0.01)
        assert found[id].verdict == ("holds" if corrected < 0.05 else "undecided")


def test_without_a_sweep_there_is_one_seed(tmp_path):
    index = index_of(tmp_path)
    assert "<dt>Sweep</dt><dd>one seed</dd>" in index and "<svg" not in index
    assert all(
        claim["seeds"] is None for claim in json.loads((tmp_path / "claims.json").read_text())
    )


def test_every_value_has_its_interval_and_a_dot_per_seed(tmp_path):
    index = index_of(tmp_path, *(result(seed, 0.09 + seed / 1000) for seed in range(1, 6)))
    row = re.search(r"<tr><th(?:(?!</tr>).)*<code>dense.test_bce.*?</tr>", index, re.DOTALL)[0]
    for text in (">0.0930 ± 0.0016<", "0.0910 to 0.0950", ">5 <svg", ">0.09<"):
        assert text in row
    assert row.count("<circle") == 5 and 'aria-label="seed 1: 0.091, seed 2: 0.092' in row
    assert "published: 0.09" in row
    assert '<td colspan="2" data-label="Seeds">one seed</td>' in index  # dense.sse
    assert "5 seeds (1 to 5) on tensorflow, 1 of 1 notebooks" in index
    kept = json.loads((tmp_path / "metrics.json").read_text())[1]["seeds"]["tensorflow"]
    assert kept["mean"] == 0.093 and kept["values"]["3"] == 0.093


def test_every_claim_has_its_count_and_the_verdict_over_seeds(tmp_path):
    other = [(CLAIM, "does not hold"), ("own", "does not hold")]
    results = [result(seed, 0.09, claims=CLAIMED if seed < 5 else other) for seed in range(1, 6)]
    index = index_of(tmp_path, *results)
    why = "a: over seeds, the interval of the margin contains 0"
    assert why == f"a: {NOT_SETTLED}"
    assert f'Undecided</strong> <span class="aside">({why}); held in 4 of 5 seeds</span>' in index
    assert "a: margin 0.60, 95\u00a0% interval \u22120.51 to 1.71. This run: holds." in index
    assert 'Does not hold</strong> <span class="aside">held in 0 of 5 seeds</span>' in index
    claims = {claim["id"]: claim for claim in json.loads((tmp_path / "claims.json").read_text())}
    assert claims[CLAIM]["verdict"] == "undecided" and claims[CLAIM]["seeds"]["held"] == 4
    assert claims[CLAIM]["seeds"]["this_run"] == "holds"


def test_a_verdict_is_shown_with_its_basis():
    untested = Claim("a.b", "untested", evidence="it is about history")
    assert verdict_in_words(untested) == "untested"
    assert verdict_in_words(replace(untested, verdict="holds")).startswith("holds; one seed")
    part = over_seeds(*[{"a": 1.0, "b": -1.0}] * 5)
    assert verdict_in_words(part) == "holds in part (a); all conditions held in 0 of 5 seeds"
    overruled = replace(over_seeds(*[{"a": 1.0}] * 5), verdict="undecided")
    assert f"undecided ({OVERRULED}); held in 5 of 5 seeds" == verdict_in_words(overruled)


def test_conditions_over_seeds_keep_the_order_of_their_cell():
    runs = [{"a": 1.0, "b": margin, "c": -1.0} for margin in (1.0, 2.0, 3.0)]
    claim = over_seeds(*runs, tests=("c", "control", "b"))
    assert list(claim.seeds["conditions"]) == ["c", "b", "a"]


def test_a_margin_s_interval_is_shown_where_there_is_one(tmp_path):
    claims = [
        {"id": CLAIM, "verdict": "holds", "conditions": {"few": margin, "many": 1.0}}
        for margin in (1.0, 2.0, 3.0)
    ]
    index = index_of(
        tmp_path, *(result(8 + i, 0.1) | {"claims": [c]} for i, c in enumerate(claims))
    )
    assert "few: margin 2.0, 95\u00a0% interval \u22120.5 to 4.5" in index
    assert "many: margin 1, equal in" in index
    assert f"(few: {NOT_SETTLED}); all conditions held in 3 of 3 seeds; provisional</span>" in index


def test_backends_have_their_own_intervals_and_count_as_runs(tmp_path):
    results = [
        result(seed, value + seed / 1000, backend)
        for backend, value in (("tensorflow", 0.09), ("jax", 0.08))
        for seed in (8, 9)
    ]
    index = index_of(tmp_path, *results)
    headline = index.split('id="figures"')[1].split('id="notebooks"')[0]
    assert headline.count(" on jax<br>") == headline.count(" on tensorflow<br>") == 1
    assert "held in 4 of 4 runs" in index


def test_only_results_of_these_notebooks_profile_and_data_count(tmp_path):
    content = executed(notebook(*CELLS), record(data_sha256="d" * 64))
    good = result(8, 1.0)
    others = [
        result(9, 1.0, cells="another text"),
        result(10, 1.0, profile="full"),
        result(11, 1.0, data="another"),
        result(12, 1.0, notebook="02_gone"),
    ]
    assert results_for({"01_a": content}, "quick", [good, *others]) == [good]


def test_failures_and_other_versions_of_the_package_are_reported(tmp_path):
    error = failure("01_a", "E", "m", cell=3, id="c", heading="Here")
    failed = result(10, 0.0, error=error, metrics=[], claims=[])
    index = index_of(tmp_path, result(8, 0.1), result(9, 0.2, package="earlier"), failed)
    assert "01_a, cell 3 (Here) failed with E: m (seed 10, tensorflow)" in index
    assert "1 of 2 runs used another version of the package" in index
    assert "held in 2 of 2 seeds" in index, "a failed run is not counted"


def test_dots_stay_inside_and_are_reproducible():
    values = {8: 2.83, 9: 2.85, 10: 2.81}
    strip = strip_of_dots(summary(values), 3.0)
    assert strip == strip_of_dots(summary(dict(reversed(values.items()))), 3.0)
    places = [float(x) for x in re.findall(r'c?x1?="([\d.]+)"', strip)]
    assert all(0 <= place <= WIDTH for place in places)
    assert "<rect" not in strip_of_dots(summary({8: 1.0}), None), "one seed has no interval"


def test_a_report_keeps_the_sweep_and_shows_new_results(tmp_path, as_executed):
    settings = project(tmp_path, **{"01_a": executed(notebook(*CELLS), record())})
    place = build_module.Workplace(settings)
    paths = [tmp_path / "notebooks" / "01_a.ipynb"]
    tasks = plan(settings, paths, 2, ("tensorflow",), "d" * 64)
    index = settings.profile_folder / "index.html"
    store_result(place, tasks[0], result(8, 0.1))
    build(settings)
    assert "held in 1 of 1 seeds" in index.read_text()
    assert (place.sweep / f"{tasks[0].label}.json").exists()
    store_result(place, tasks[1], result(9, 0.2))
    build(settings)
    first = index.read_bytes()
    assert b"held in 2 of 2 seeds" in first
    index.write_text("spoilt")
    build(settings)
    assert index.read_bytes() == first, "the same results give the same page"


def test_a_result_survives_a_report_killed_between_its_renames(tmp_path, as_executed):
    settings = project(tmp_path, **{"01_a": executed(notebook(*CELLS), record())})
    place = build_module.Workplace(settings)
    paths = [tmp_path / "notebooks" / "01_a.ipynb"]
    tasks = plan(settings, paths, 2, ("tensorflow",), "d" * 64)
    store_result(place, tasks[0], result(8, 0.1))
    build(settings)
    settings.profile_folder.rename(place.build / "aside")
    store_result(place, tasks[1], result(9, 0.2))
    assert len(list(place.sweep.iterdir())) == 2
    assert (settings.profile_folder / "index.html").exists()


def test_a_value_equal_for_all_seeds_has_no_deviation():
    metric = Metric("a.b", 13.866, seeds={"tensorflow": summary({8: 13.866, 9: 13.866 + 2e-15})})
    spread = seed_rows({"mark": ""}, metric, "full")[0]["spread"]
    assert (spread["mean"], spread["interval"]) == ("13.87", "equal for all seeds")


def test_a_negative_number_that_is_rounded_to_zero_has_no_sign():
    metric = Metric("a.b", 0.0, seeds={"tensorflow": summary({8: -0.10001, 9: 0.1})})
    assert seed_rows({"mark": ""}, metric, "full")[0]["spread"]["mean"].startswith("0.00 ±")


def test_the_mean_over_seeds_decides_if_a_goal_is_reached():
    values = {"tensorflow": summary({8: 1.32, 9: 1.21, 10: 1.30})}
    metric = Metric("a.b", 1.32, goal={"at_most": 1.3}, seeds=values)
    row = figure_row(metric, True, "full")
    assert row["mark"] == "missed"
    assert [one["mark"] for one in seed_rows(row, metric, "full")] == ["reached"]
    near = Metric("a.b", 86.2, goal={"at_most": 86.3}, seeds={"jax": summary({8: 86.2, 9: 86.404})})
    (row,) = seed_rows(figure_row(near, True, "full"), near, "full")
    assert row["mark"] == "missed" and row["spread"]["mean"].startswith("86.302 ±")
    unmarked = figure_row(metric, False, "full")
    assert [one["mark"] for one in seed_rows(unmarked, metric, "full")] == [""]
