"""Results of a sweep, one JSON file per task, and their summary for metrics and claims."""

import json
import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from scipy import stats

from ae_lab.files import read_text
from ae_lab.lab.records import Claim, Metric
from ae_lab.lab.statistics import CONFIDENCE, mean_interval
from ae_lab.lab.verdicts import PRIMARY, verdict
from ae_lab.report.failure import sentence_of
from ae_lab.report.keys import digest_of_cells

TEXTS = ("notebook", "profile", "backend", "data", "cells", "package", "key")
LARGEST = 1e100  # largest metric or margin, so that squares and sums stay finite


def read_results(folder: Path, say: Callable[[str], None]) -> list[dict]:
    """Results in a sweep's folder, by notebook, backend and seed; ``say`` names invalid files."""
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            if path.is_symlink():
                raise ValueError("a symbolic link")
            found.append(parse_result(read_text(path)))
        except (OSError, ValueError) as error:
            say(f"{path} is ignored: it is not a result of a sweep ({error}); remove it\n")
    order = ("notebook", "backend", "seed")
    return sorted(found, key=lambda result: [result[name] for name in order])


def parse_result(text: str) -> dict:
    """The result of a sweep from JSON; a ValueError with the reason if it is invalid."""
    try:
        result = json.loads(text)
        # values that are not finite, or are not valid UTF-8, cannot be written into a report
        json.dumps(result, allow_nan=False, ensure_ascii=False).encode()
        metrics = [Metric.from_json(one) for one in result["metrics"]]
        claims = [Claim.from_json(one) for one in result["claims"]]
        texts = [result[name] for name in TEXTS if name != "key" or "key" in result]
        texts += [one.name for one in metrics]
        texts += [text for one in claims for text in (one.id, one.verdict, *one.conditions)]
        numbers = [one.value for one in metrics]
        numbers += [margin for one in claims for margin in one.conditions.values()]
        if result["error"] is not None:
            sentence_of(result["error"])
        if type(result["seed"]) is not int or not all(isinstance(text, str) for text in texts):
            raise TypeError("a name that is not text, or a seed that is not a whole number")
        if not all(isinstance(one, int | float) and abs(one) < LARGEST for one in numbers):
            raise TypeError("a value that is not a number, or too large")
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ValueError(f"{type(error).__name__}: {error}"[:200]) from None
    return result


def results_for(notebooks: dict[str, dict], profile: str, results: list[dict]) -> list[dict]:
    """The results for exactly these notebooks, in this profile and on the same data."""

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


def summary(values: dict) -> dict:
    """The ``values`` by seed, and the fields of their ``Mean``; None instead of NaN."""
    values = dict(sorted(values.items()))
    return {"values": values} | {
        name: None if math.isnan(number) else float(f"{number:.6g}")
        for name, number in mean_interval(list(values.values()))._asdict().items()
    }


def claims_over_seeds(claims: list[Claim], results: list[dict]) -> list[Claim]:
    """The ledger's claims with ``seeds``, and the verdict over seeds instead of that of one run.

    ``results`` are for the same notebooks; a run is one seed on one backend. The primary claims
    are corrected for multiple testing (Holm, 1979): one that is significant only without the
    correction is undecided.
    """
    runs: dict = defaultdict(dict)
    for result in results:
        for claim in map(Claim.from_json, result["claims"]):
            if claim.verdict != "untested":
                run = result["seed"], result["backend"]
                runs[result["notebook"], claim.id][run] = claim.conditions
    backends = sorted({result["backend"] for result in results})
    found = [_with_seeds(one, runs.get((one.notebook, one.id)), backends) for one in claims]
    chances = {one.id: _chance(one) for one in found if one.id in PRIMARY and one.seeds}
    known = sorted((id for id in chances if chances[id] is not None), key=chances.get)
    corrected, least = {}, 0.0
    for rank, id in enumerate(known):
        least = max(least, min(1.0, (len(known) - rank) * chances[id]))
        corrected[id] = float(f"{least:.3g}")
    return [_corrected(one, corrected[one.id]) if one.id in corrected else one for one in found]


def _with_seeds(claim: Claim, runs: dict[tuple, dict] | None, backends: list[str]) -> Claim:
    if not runs:
        return claim
    common = set.intersection(*(set(conditions) for conditions in runs.values()))
    in_order = dict.fromkeys([test["name"] for test in claim.tests] + sorted(common))
    conditions = {
        name: _over_seeds({f"{seed} on {on}": one[name] for (seed, on), one in runs.items()})
        for name in in_order
        if name in common
    }
    held = sum(min(tested.values(), default=0) > 0 for tested in runs.values())
    seeds = {"held": held, "runs": len(runs), "backends": backends, "conditions": conditions}
    seeds |= {"seeds": sorted({seed for seed, _ in runs}), "this_run": claim.verdict}
    # a condition whose name contains a result differs between seeds and is not counted
    met = [condition["met"] for condition in conditions.values()] or [None]
    return replace(claim, seeds=seeds, verdict=verdict(met))


def _over_seeds(margins: dict[str, float]) -> dict:
    """Summary of one condition over runs: its margin, in how many runs it was met, and ``met``.

    ``met`` is True or False if the 95 % interval of the mean margin excludes 0, else None. For a
    single run it is the result of that run.
    """
    margin = summary({run: float(value) for run, value in margins.items()})
    met = margin["mean"] > 0
    if len(margins) > 1:
        met = True if margin["low"] > 0 else False if margin["high"] < 0 else None
    return {"margin": margin, "held": sum(value > 0 for value in margins.values()), "met": met}


def _chance(claim: Claim) -> float | None:
    """The p-value of a claim: the largest p-value of its conditions; None for fewer than two runs.

    The p-value of a condition is that of a two-sided t-test of its margins against 0 (Student).
    """
    found = []
    for condition in claim.seeds["conditions"].values():
        values = list(condition["margin"]["values"].values())
        if len(values) < 2:
            return None
        same = len(set(values)) == 1  # a t-test of equal values is not defined
        found.append(float(values[0] == 0) if same else stats.ttest_1samp(values, 0).pvalue)
    return float(max(found))


def _corrected(claim: Claim, chance: float) -> Claim:
    settled = claim.verdict != "undecided" and chance >= 1 - CONFIDENCE
    verdict = "undecided" if settled else claim.verdict
    return replace(claim, seeds=claim.seeds | {"corrected_p": chance}, verdict=verdict)
