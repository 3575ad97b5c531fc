"""Results of a sweep, one JSON file per task, and what they say of a figure and of a claim."""

import math
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from ae_lab.files import read_json
from ae_lab.lab.records import Claim, Metric
from ae_lab.lab.statistics import mean_interval, wilson_interval
from ae_lab.lab.verdicts import is_met
from ae_lab.report.keys import digest_of_cells


def read_results(folder: Path) -> list[dict]:
    """All that a sweep left in a folder, by notebook, backend and seed."""
    found = [read_json(path) for path in folder.glob("*.json")]
    order = ("notebook", "backend", "seed")
    return sorted(filter(None, found), key=lambda result: [result[name] for name in order])


def results_for(notebooks: dict[str, dict], profile: str, results: list[dict]) -> list[dict]:
    """The results of these very executed notebooks, in this profile and on the same data."""

    def belongs(result: dict) -> bool:
        if result["profile"] != profile or result["notebook"] not in notebooks:
            return False
        notebook = notebooks[result["notebook"]]
        run = (notebook["metadata"]["ae_lab"]["record"] or {}).get("run", {})
        same_data = run.get("data_sha256") in (None, result["data"])
        return same_data and result["cells"] == digest_of_cells(notebook)

    return [result for result in results if belongs(result)]


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
    return {"values": values} | {
        name: None if math.isnan(number) else float(f"{number:.6g}")
        for name, number in mean_interval(list(values.values()))._asdict().items()
    }


def claims_over_seeds(claims: list[Claim], results: list[dict]) -> list[Claim]:
    """The ledger's claims with ``seeds`` added, and the verdict over seeds in place of one run's.

    The results are those of the same notebooks; a run is one seed on one backend.
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
    met = {condition["met"] for condition in conditions.values()}
    verdict = "holds" if met == {True} else "does not hold" if met == {False} else "depends"
    return replace(claim, seeds=seeds, verdict=verdict)


def _over_seeds(values: list[bool | float]) -> dict:
    """What the seeds say of one condition: bounds of the share that met it, margin, ``met``.

    ``met`` is True or False where the seeds settle it, otherwise None. A number settles it where
    the 95 % interval of its mean is on one side of 0; a bool if all agree, or the 95 % Wilson
    interval of the share is on one side of one half, which takes four seeds at least.
    """
    share = sum(map(is_met, values)) / len(values)
    low, high = wilson_interval(share, len(values))
    counted = any(isinstance(value, bool) for value in values)
    margin = None if counted else summary(dict(enumerate(values)))
    if margin and len(values) > 1:
        met = _side(margin["low"], margin["high"], 0)
    else:
        met = bool(share) if share in (0, 1) else _side(low, high, 0.5)
    bounds = {"low": float(f"{low:.4f}"), "high": float(f"{high:.4f}")}
    return {"margin": margin, "met": met} | bounds


def _side(low, high, border) -> bool | None:
    return True if low > border else False if high < border else None
