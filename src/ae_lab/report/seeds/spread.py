"""What many seeds say of a figure and of a claim: mean, interval, verdict."""

import math
from collections import defaultdict
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from ae_lab.lab import wilson_interval
from ae_lab.lab.verdicts import is_met

CONFIDENCE = 0.95


class Spread(NamedTuple):
    """Mean, standard deviation (n - 1) and 95 % interval of the mean; NaN from one value."""

    mean: float
    deviation: float
    low: float
    high: float


def spread(values: list[float]) -> Spread:
    """The mean's interval by Student's t (Student, 1908): for few values of unknown spread."""
    count, mean = len(values), float(np.mean(values))
    if count < 2:
        return Spread(mean, math.nan, math.nan, math.nan)
    deviation = float(np.std(values, ddof=1))
    half = float(stdtrit(count - 1, (1 + CONFIDENCE) / 2)) * deviation / math.sqrt(count)
    return Spread(mean, deviation, mean - half, mean + half)


def figures_over_seeds(results: list[dict]) -> dict[tuple[str, str], dict[str, dict]]:
    """(notebook, metric) → backend → ``values`` by seed and their ``Spread``'s fields."""
    found: dict = defaultdict(lambda: defaultdict(dict))
    for result in results:
        for metric in result["metrics"]:
            name = result["notebook"], metric["name"]
            found[name][result["backend"]][result["seed"]] = metric["value"]
    return {
        name: {backend: summary(values) for backend, values in sorted(backends.items())}
        for name, backends in found.items()
    }


def summary(values: dict[int, float]) -> dict:
    """``values`` in the order of their seeds, and what they say together; None for no number."""
    values = dict(sorted(values.items()))
    numbers = spread(list(values.values()))._asdict()
    rounded = {
        name: None if math.isnan(number) else float(f"{number:.6g}")
        for name, number in numbers.items()
    }
    return {"values": values} | rounded


def claims_over_seeds(claims: list[dict], results: list[dict]) -> list[dict]:
    """The ledger's claims with ``seeds`` added, and the verdict over seeds in place of one run's.

    Parameters
    ----------
    claims : rows of ``ledger.claims_of``.
    results : of the same notebooks; a run is one seed on one backend.
    """
    runs: dict = defaultdict(list)
    for result in results:
        for claim in result["claims"]:
            if claim["verdict"] != "untested":
                runs[result["notebook"], claim["id"]].append((result, claim))
    return [_with_seeds(claim, runs.get((claim["notebook"], claim["id"]))) for claim in claims]


def _with_seeds(claim: dict, runs: list[tuple[dict, dict]] | None) -> dict:
    if not runs:
        return claim | {"seeds": None}
    tested = [run["conditions"] for _, run in runs]
    conditions = {
        name: _over_seeds([run[name] for run in tested])
        for name in tested[0]
        if all(name in run for run in tested)
    }
    seeds = {
        "held": [run["verdict"] for _, run in runs].count("holds"),
        "runs": len(runs),
        "backends": sorted({result["backend"] for result, _ in runs}),
        "conditions": conditions,
        "this_run": claim["verdict"],
    }
    return claim | {"seeds": seeds, "verdict": verdict_over_seeds(conditions)}


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
