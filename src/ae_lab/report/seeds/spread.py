"""What many seeds say of a figure and of a claim: mean, interval, verdict."""

import math
from collections import defaultdict
from dataclasses import replace

from ae_lab.lab.records import Claim, Metric
from ae_lab.lab.statistics import mean_interval, wilson_interval
from ae_lab.lab.verdicts import is_met


def figures_over_seeds(results: list[dict]) -> dict[tuple[str, str], dict[str, dict]]:
    """(notebook, metric) → backend → ``values`` by seed and the fields of their ``Mean``."""
    found: dict = defaultdict(lambda: defaultdict(dict))
    for result in results:
        for metric in map(Metric.from_json, result["metrics"]):
            name = result["notebook"], metric.name
            found[name][result["backend"]][result["seed"]] = metric.value
    return {
        name: {backend: summary(values) for backend, values in sorted(backends.items())}
        for name, backends in found.items()
    }


def summary(values: dict[int, float]) -> dict:
    """``values`` in the order of their seeds, and what they say together; None for no number."""
    values = dict(sorted(values.items()))
    numbers = mean_interval(list(values.values()))._asdict()
    rounded = {
        name: None if math.isnan(number) else float(f"{number:.6g}")
        for name, number in numbers.items()
    }
    return {"values": values} | rounded


def claims_over_seeds(claims: list[Claim], results: list[dict]) -> list[Claim]:
    """The ledger's claims with ``seeds`` added, and the verdict over seeds in place of one run's.

    Parameters
    ----------
    claims : rows of ``ledger.claims_of``.
    results : of the same notebooks; a run is one seed on one backend.
    """
    runs: dict = defaultdict(list)
    for result in results:
        for claim in map(Claim.from_json, result["claims"]):
            if claim.verdict != "untested":
                runs[result["notebook"], claim.id].append((result, claim))
    return [_with_seeds(claim, runs.get((claim.notebook, claim.id))) for claim in claims]


def _with_seeds(claim: Claim, runs: list[tuple[dict, Claim]] | None) -> Claim:
    if not runs:
        return claim
    tested = [run.conditions for _, run in runs]
    conditions = {
        name: _over_seeds([run[name] for run in tested])
        for name in tested[0]
        if all(name in run for run in tested)
    }
    seeds = {
        "held": [run.verdict for _, run in runs].count("holds"),
        "runs": len(runs),
        "backends": sorted({result["backend"] for result, _ in runs}),
        "conditions": conditions,
        "this_run": claim.verdict,
    }
    return replace(claim, seeds=seeds, verdict=verdict_over_seeds(conditions))


def _over_seeds(values: list[bool | float]) -> dict:
    """What the seeds say of one condition: bounds of the share that met it, margin, ``met``.

    ``met`` is True or False where the seeds settle it, otherwise None. A number settles it where
    the 95 % interval of its mean is on one side of 0; a bool if all agree, or the 95 % Wilson
    interval of the share is on one side of one half, which takes four seeds at least.
    """
    share = sum(map(is_met, values)) / len(values)
    low, high = wilson_interval(share, len(values))
    margin = None
    if not any(isinstance(value, bool) for value in values):
        margin = summary(dict(enumerate(values)))
    if margin and len(values) > 1:
        met = _side(margin["low"], margin["high"], 0)
    else:
        met = bool(share) if share in (0, 1) else _side(low, high, 0.5)
    bounds = {"low": float(f"{low:.4f}"), "high": float(f"{high:.4f}")}
    return {"margin": margin, "met": met} | bounds


def _side(low, high, border) -> bool | None:
    return True if low > border else False if high < border else None


def verdict_over_seeds(conditions: dict[str, dict]) -> str:
    """ "holds" if the seeds settle that every condition is met, "does not hold" if that none is."""
    found = {condition["met"] for condition in conditions.values()}
    return {(True,): "holds", (False,): "does not hold"}.get(tuple(found), "depends")
