"""A sweep as the index shows it: cells of its tables and a line of what was run."""

import math

from ae_lab.lab.records import Claim, Metric
from ae_lab.report.failure import sentence_of
from ae_lab.report.front.ledger import number
from ae_lab.report.keys import package_digest
from ae_lab.report.seeds.dots import strip_of_dots

ONE_SEED = "one seed"


def seed_rows(row: dict, metric: Metric) -> list[dict]:
    """A figure's row once for each backend, with ``spread`` as text and picture, or None."""
    summaries = metric.seeds or {}
    several = len(summaries) > 1
    rows = [
        row | {"spread": _spread(summary, metric.published, backend if several else "")}
        for backend, summary in summaries.items()
    ]
    return rows or [row | {"spread": None}]


def _spread(summary: dict, published: float | None, backend: str) -> dict:
    mean, deviation, low, high = _in_words(summary)
    known = summary["low"] is not None
    return {
        "backend": backend,
        "count": len(summary["values"]),
        "mean": mean + (f" ± {deviation}" if known else ""),
        "interval": f"{low} to {high}" if known else "",
        "dots": strip_of_dots(summary, published),
    }


def _in_words(summary: dict) -> list[str]:
    """Mean, deviation, low and high, to the second digit of the deviation: no more is known."""
    numbers = [summary[name] for name in ("mean", "deviation", "low", "high")]
    mean, deviation = numbers[:2]
    if not deviation or deviation < 1e-9 * abs(mean):  # one seed, or the same under each
        return [number(mean), "0", number(mean), number(mean)]
    decimals = max(0, 1 - math.floor(math.log10(deviation)))
    return [f"{value:.{decimals}f}" for value in numbers]


def seeds_in_words(claim: Claim) -> str:
    """In how many seeds a claim held; seeds on several backends are runs."""
    seeds = claim.seeds
    if not seeds:
        return ONE_SEED
    unit = "runs" if len(seeds["backends"]) > 1 else "seeds"
    return f"held in {seeds['held']} of {seeds['runs']} {unit}"


def interval_in_words(claim: Claim) -> str:
    """What the verdict over seeds rests on; empty without a sweep."""
    if not (seeds := claim.seeds):
        return ""
    rests = "; ".join(
        (f"{name}: " if name else "") + _rests(condition)
        for name, condition in seeds["conditions"].items()
    )
    return f"Over seeds: {rests}. This run: {seeds['this_run']}."


def _rests(condition: dict) -> str:
    margin = condition["margin"]
    if margin and margin["low"] is not None:
        mean, _, low, high = _in_words(margin)
        return f"margin {mean}, 95 % interval {low} to {high}"
    bounds = f"{condition['low']:.0%} to {condition['high']:.0%}"
    return f"95 % interval of the share that held: {bounds}"


def sweep_facts(results: list[dict], notebooks: int) -> dict:
    """One line of what a sweep ran, and what its reader must know besides.

    Parameters
    ----------
    results : those that belong to the report's notebooks, failed ones included.
    notebooks : how many the report has.
    """
    good = [result for result in results if not result["error"]]
    seeds = sorted({result["seed"] for result in good})
    if not seeds:
        return {"seeds": ONE_SEED, "cautions": _failures(results)}
    swept = len({result["notebook"] for result in good})
    several = f"{len(seeds)} seeds" if seeds[1:] else ONE_SEED
    backends = " and ".join(sorted({result["backend"] for result in good}))
    words = f"{several} ({_span(seeds)}) on {backends}, {swept} of {notebooks} notebooks"
    return {"seeds": words, "cautions": _failures(results) + _other_state(good)}


def _span(seeds: list[int]) -> str:
    if len(seeds) > 2 and seeds[-1] - seeds[0] == len(seeds) - 1:
        return f"{seeds[0]} to {seeds[-1]}"
    return ", ".join(map(str, seeds))


def _failures(results: list[dict]) -> list[str]:
    return [
        f"{sentence_of(result['error'])} (seed {result['seed']}, {result['backend']})"
        for result in results
        if result["error"]
    ]


def _other_state(results: list[dict]) -> list[str]:
    present = package_digest()
    others = sum(result["package"] != present for result in results)
    sentence = f"{others} of {len(results)} runs were made with another state of the package"
    return [sentence] if others else []
