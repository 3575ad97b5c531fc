"""The command ``verify``: run a profile and compare its results with the reference values."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from scipy import stats

from ae_lab import data
from ae_lab.errors import LabError
from ae_lab.files import read_json, write_json
from ae_lab.lab.feedback import is_within, reference_figures
from ae_lab.lab.records import Metric
from ae_lab.report.build import build_report, say_now
from ae_lab.report.execute.environment import numeric_environment
from ae_lab.settings import Settings

ABOUT = (
    "Reference values of make verify, by profile and data. A result may differ from the mean by "
    "the tolerance: three standard deviations over seeds, more if few seeds were run (Student's t, "
    "for the same probability), and at least the rounding of machines. With fewer than three "
    "seeds, the deviation is that of another profile on the same data, named in spread_of. If "
    "there is none, tolerance is null and the value is not compared."
)
DEVIATIONS = 3
FEWEST = 3  # seeds that are needed for a deviation
ROUNDING = 1e-3  # smallest relative tolerance, because machines round differently


def verify(settings: Settings, accept: bool = False, say: Callable[[str], None] = say_now) -> None:
    """Update a report and compare its results with ``reports/reference.json``.

    With ``accept``, the results are written to the file instead of being compared. Raises a
    LabError that names each value that is missing or out of tolerance. Also raises one if the file
    has no values for this profile and data, or is damaged.
    """
    settings.refuse_changes("verify")
    build_report(settings, say=say)
    stored = json.loads((settings.profile_folder / "metrics.json").read_text(encoding="utf-8"))
    metrics = [Metric.from_json(one) for one in stored]
    path = settings.project_folder / "reports" / "reference.json"
    source = data.prepare(replace(settings, offline=True))  # the report has downloaded the data
    key = f"{settings.profile}, {source}"
    kept = reference_figures(settings, source)  # raises if damaged, so it is not overwritten
    if accept:
        keep(path, key, metrics)
        say(f"{len(metrics)} values stored in {path}\n")
        return
    if not kept:
        raise LabError(
            f"{path.name} must hold the values of “{key}”, found none: "
            "check the results, then run ae-lab verify --accept."
        )
    judged = compare({metric.name: metric.value for metric in metrics}, kept)
    say(f"All {judged} values are within their tolerances.\n")
    if judged < len(kept):
        say(f"{len(kept) - judged} more are not judged: fewer than {FEWEST} seeds are known.\n")


def compare(found: dict[str, float], kept: dict[str, dict]) -> int:
    """Number of values judged; a LabError names those that are missing or out of tolerance."""
    strays = []
    for name, entry in kept.items():
        if name not in found:
            strays.append(f"{name} is missing")
        elif is_within(found[name], entry) is False:
            strays.append(
                f"{name} is {found[name]:.5g}, expected {entry['mean']:.5g} "
                f"± {entry['tolerance']:.2g}"
            )
    if strays:
        raise LabError(
            f"{len(strays)} of {len(kept)} values are out of tolerance: {'; '.join(strays)}. "
            "Find the cause, or accept them with ae-lab verify --accept."
        )
    return sum(entry["tolerance"] is not None for entry in kept.values())


def keep(path: Path, key: str, metrics: list[Metric]) -> None:
    """Write values to the file, with their deviation over seeds if it is known."""
    reference = read_json(path) or {}
    reference["about"] = ABOUT
    reference[key] = {metric.name: _spread(metric) for metric in metrics}
    for kept in [name for name in reference if name != "about"]:
        _borrow(reference, kept)
    write_json(path, reference)


def _spread(metric: Metric) -> dict:
    """Mean and deviation over the seeds of a metric; the value alone if there are too few."""
    seeds = (metric.seeds or {}).get(numeric_environment()["KERAS_BACKEND"])
    if not seeds or len(seeds["values"]) < FEWEST:
        return {"mean": metric.value, "deviation": None, "seeds": 1, "tolerance": None}
    mean, deviation, count = seeds["mean"], seeds["deviation"], len(seeds["values"])
    entry = {"mean": mean, "deviation": deviation, "seeds": count}
    return entry | {"tolerance": tolerance(mean, deviation, count)}


def tolerance(mean: float, deviation: float, seeds: int) -> float:
    """Largest distance of one more seed from the ``mean`` of ``seeds`` seeds: see `ABOUT`."""
    outside = stats.norm.sf(DEVIATIONS)
    wide = stats.t.isf(outside, seeds - 1) * (1 + 1 / seeds) ** 0.5 * deviation
    return float(f"{max(wide, ROUNDING * abs(mean)):.2g}")


def _borrow(reference: dict, key: str) -> None:
    """For values without a deviation, use the one of another profile on the same data."""
    data = key.partition(", ")[2]
    others = [o for o in reference if o != key and o.partition(", ")[2] == data]
    for name, entry in reference[key].items():
        for other in others if entry["deviation"] is None else ():
            known = reference[other].get(name, {})
            if known.get("deviation") is not None:
                wide = tolerance(entry["mean"], known["deviation"], known["seeds"])
                entry |= {"tolerance": wide, "spread_of": other}
