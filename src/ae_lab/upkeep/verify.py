"""The verb ``verify``: run a profile and hold its figures against the kept ones."""

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
    "What make verify compares with, by profile and data. tolerance: three standard deviations "
    "between seeds, wider where few seeds are known (Student's t: the interval in which one more "
    "seed lies as often as within three standard deviations); at least what machines round. With "
    "fewer than three seeds, a figure takes the deviation of another profile on the same data, "
    "which spread_of names; where that is not known either, tolerance is null: not judged."
)
DEVIATIONS = 3
FEWEST = 3  # seeds from which a deviation is known
ROUNDING = 1e-3  # share of a figure that no seed moves: machines round differently


def verify(settings: Settings, accept: bool = False, say: Callable[[str], None] = say_now) -> None:
    """Bring a report up to date and compare its figures with ``reports/reference.json``.

    ``accept`` writes the figures into the file in place of comparing. Otherwise a LabError names
    each figure that is missing or out of its tolerance, or says that the file has none for this
    profile and data, or is damaged.
    """
    settings.refuse_changes("verify")
    build_report(settings, say=say)
    stored = json.loads((settings.profile_folder / "metrics.json").read_text(encoding="utf-8"))
    metrics = [Metric.from_json(one) for one in stored]
    path = settings.project_folder / "reports" / "reference.json"
    source = data.prepare(replace(settings, offline=True))  # the report has tried a download
    key = f"{settings.profile}, {source}"
    kept = reference_figures(settings, source)  # a damaged file is not written over
    if accept:
        keep(path, key, metrics)
        say(f"{len(metrics)} figures kept in {path}\n")
        return
    if not kept:
        raise LabError(
            f"{path.name} must hold the figures of “{key}”, it has none: "
            "run ae-lab verify --accept once they are right."
        )
    judged = compare({metric.name: metric.value for metric in metrics}, kept)
    say(f"All {judged} figures are within their tolerances.\n")
    if judged < len(kept):
        say(f"{len(kept) - judged} more are not judged: fewer than {FEWEST} seeds are known.\n")


def compare(found: dict[str, float], kept: dict[str, dict]) -> int:
    """How many figures were judged; a LabError names those missing or out of tolerance."""
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
            f"{len(strays)} of {len(kept)} figures left their tolerance: {'; '.join(strays)}. "
            "Look for what changed them, or accept them with ae-lab verify --accept."
        )
    return sum(entry["tolerance"] is not None for entry in kept.values())


def keep(path: Path, key: str, metrics: list[Metric]) -> None:
    """Write figures into the file, with their spread over seeds where it is known."""
    reference = read_json(path) or {}
    reference["about"] = ABOUT
    reference[key] = {metric.name: _spread(metric) for metric in metrics}
    for kept in [name for name in reference if name != "about"]:
        _borrow(reference, kept)
    write_json(path, reference)


def _spread(metric: Metric) -> dict:
    """Mean and deviation of a figure over its seeds; of one seed, its value and no deviation."""
    seeds = (metric.seeds or {}).get(numeric_environment()["KERAS_BACKEND"])
    if not seeds or len(seeds["values"]) < FEWEST:
        return {"mean": metric.value, "deviation": None, "seeds": 1, "tolerance": None}
    mean, deviation, count = seeds["mean"], seeds["deviation"], len(seeds["values"])
    entry = {"mean": mean, "deviation": deviation, "seeds": count}
    return entry | {"tolerance": tolerance(mean, deviation, count)}


def tolerance(mean: float, deviation: float, seeds: int) -> float:
    """How far one more seed may lie from the ``mean`` of so many ``seeds``: see `ABOUT`."""
    outside = stats.norm.sf(DEVIATIONS)
    wide = stats.t.isf(outside, seeds - 1) * (1 + 1 / seeds) ** 0.5 * deviation
    return float(f"{max(wide, ROUNDING * abs(mean)):.2g}")


def _borrow(reference: dict, key: str) -> None:
    """Give figures without a deviation that of another profile on the same data."""
    data = key.partition(", ")[2]
    others = [o for o in reference if o != key and o.partition(", ")[2] == data]
    for name, entry in reference[key].items():
        for other in others if entry["deviation"] is None else ():
            known = reference[other].get(name, {})
            if known.get("deviation") is not None:
                wide = tolerance(entry["mean"], known["deviation"], known["seeds"])
                entry |= {"tolerance": wide, "spread_of": other}
