"""What many seeds say of a figure and of a claim: mean, interval, verdict."""

import math
from collections import defaultdict
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from ae_lab.lab import wilson_interval

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
    verdicts = [run["verdict"] for _, run in runs]
    margins = [run.get("margin") for _, run in runs]
    low, high = wilson_interval(verdicts.count("holds") / len(runs), len(runs))
    seeds = {
        "held": verdicts.count("holds"),
        "runs": len(runs),
        "backends": sorted({result["backend"] for result, _ in runs}),
        "low": float(f"{low:.4f}"),
        "high": float(f"{high:.4f}"),
        "margin": summary(dict(enumerate(margins))) if None not in margins else None,
        "this_run": claim["verdict"],
    }
    return claim | {"seeds": seeds, "verdict": verdict_over_seeds(verdicts, margins)}


def verdict_over_seeds(verdicts: list[str], margins: list[float | None]) -> str:
    """ "holds" or "does not hold" where the seeds settle it, otherwise "depends".

    With a margin in every run: where its mean's 95 % interval is on one side of 0. Without: if
    all agree, or the 95 % Wilson interval of the share that held (or did not) is above one half;
    that takes four seeds at least, with fewer all must agree.
    """
    if None not in margins and len(margins) > 1:
        _, _, low, high = spread(margins)
        return "holds" if low > 0 else "does not hold" if high < 0 else "depends"
    for verdict in ("holds", "does not hold"):
        share = verdicts.count(verdict) / len(verdicts)
        if share == 1 or wilson_interval(share, len(verdicts))[0] > 0.5:
            return verdict
    return "depends"
